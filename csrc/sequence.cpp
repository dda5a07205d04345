// The library's functions: they choose the instruction set when the library is loaded, and hold the scratch memory.
#include "sequence.h"

#include <cstdlib>

#include "kernels.h"

namespace {

struct InstructionSet {
  const char *name;
  const KernelTable &table;
};

InstructionSet choose() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw"))
    return {"avx512", avx512::table};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {"avx2", avx2::table};
#endif
  return {"baseline", baseline::table};
}

const InstructionSet in_use = choose();

int32_t run(const Sequence *sequence, bool backward, bool is_double, ParallelFor parallel) {
  const KernelOf &kernel = is_double ? in_use.table.of_double : in_use.table.of_float;
  const size_t bytes = kernel.scratch_size(sequence) * (is_double ? sizeof(double) : sizeof(float));
  void *scratch = std::aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (!scratch) return 1;
  kernel.run(sequence, backward, scratch, parallel);
  std::free(scratch);
  return 0;
}

} // namespace

int32_t bigdl_sequence_forward(const Sequence *sequence, int32_t is_double, ParallelFor parallel) {
  return run(sequence, false, is_double, parallel);
}

int32_t bigdl_sequence_backward(const Sequence *sequence, int32_t is_double, ParallelFor parallel) {
  return run(sequence, true, is_double, parallel);
}

const char *bigdl_instruction_set() { return in_use.name; }
