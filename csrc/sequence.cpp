// The library's functions: they know the processor's instruction sets.
#include "sequence.h"

#include "kernels.h"

namespace {

struct InstructionSet {
  const char *name;
  const KernelTable *table;
};

// The best one last.
struct InstructionSets {
  InstructionSet all[3] = {{"baseline", &baseline::table}, {}, {}};
  int count = 1;

  InstructionSets() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) all[count++] = {"avx2", &avx2::table};
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw"))
      all[count++] = {"avx512", &avx512::table};
#endif
  }
};

const InstructionSets instruction_sets;

const KernelOf &kernel(int32_t set, int32_t is_double) {
  const KernelTable &table = *instruction_sets.all[set].table;
  return is_double ? table.of_double : table.of_float;
}

} // namespace

int32_t bigdl_sequence_forward(const Sequence *sequence, int32_t is_double, int32_t set, ParallelFor parallel) {
  return !kernel(set, is_double).sequence(sequence, false, parallel);
}

int32_t bigdl_sequence_backward(const Sequence *sequence, int32_t is_double, int32_t set, ParallelFor parallel) {
  return !kernel(set, is_double).sequence(sequence, true, parallel);
}

int32_t bigdl_weight_gradient(const Product *product, int32_t is_double, int32_t set, ParallelFor parallel) {
  return !kernel(set, is_double).weight_gradient(product, parallel);
}

const char *bigdl_instruction_set(int32_t set) {
  return set < instruction_sets.count ? instruction_sets.all[set].name : nullptr;
}
