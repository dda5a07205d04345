// What all interfaces of the library share: plain C, without a header of torch or Python, so that one library serves all
// versions.
#pragma once

#include <cstdint>

#define EXPORT __attribute__((visibility("default")))

extern "C" {

// Runs function(begin, end, context) over parts of a range, by several threads where a part is more than a grain. Returns 0
// where all is done.
typedef void (*Task)(int64_t begin, int64_t end, void *context);
typedef int32_t (*ParallelFor)(int64_t begin, int64_t end, int64_t grain, Task task, void *context);

// This library's own way; it uses so many threads, which give way to others where these have work in between.
EXPORT int32_t bigdl_parallel_for(int64_t begin, int64_t end, int64_t grain, Task task, void *context);
EXPORT void bigdl_use_threads(int64_t threads, int32_t among_others);

// The instruction sets that this processor has, by number, the best one last: "baseline", "avx2", "avx512"; then null.
EXPORT const char *bigdl_instruction_set(int32_t set);
}
