// The library's functions: they know the processor's instruction sets.
#include "kernels.h"

#ifdef HAS_TILES
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace {

#ifdef HAS_TILES
// Whether there is AMX, and the system lets this process use it: Linux wants to be asked.
bool may_use_tiles() {
  unsigned a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  constexpr unsigned bf16_and_tiles = 1u << 22 | 1u << 24;
  constexpr long request_permission = 0x1023, tile_data = 18; // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return (d & bf16_and_tiles) == bf16_and_tiles && syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

KernelTable table_with_tiles() {
  KernelTable table = avx512::table;
  table.of_float.weight_gradient = amx::weight_gradient;
  table.matrices = {amx::suits, amx::multiply, amx::convolve, table.matrices.window_gradient};
  table.network.tiles_size = amx::tiles_size;
  table.network.pack_tiles = amx::pack_tiles;
  return table;
}
#endif

struct InstructionSet {
  const char *name;
  const KernelTable *table;
};

// The best one last.
struct InstructionSets {
  InstructionSet all[4] = {{"baseline", &baseline::table}, {}, {}, {}};
  int count = 1;
#ifdef HAS_TILES
  const KernelTable with_tiles = table_with_tiles();
#endif

  InstructionSets() {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) all[count++] = {"avx2", &avx2::table};
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")) {
      all[count++] = {"avx512", &avx512::table};
#ifdef HAS_TILES
      if (may_use_tiles()) all[count++] = {"amx", &with_tiles};
#endif
    }
#endif
  }
};

const InstructionSets instruction_sets;

const KernelTable &table(int32_t set) { return *instruction_sets.all[set].table; }

const KernelOf &kernel(int32_t set, int32_t is_double) {
  return is_double ? table(set).of_double : table(set).of_float;
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

int64_t bigdl_packed_size(int64_t columns, int64_t depth, int32_t set) {
  return table(set).network.packed_size(columns, depth);
}

void bigdl_pack(const float *matrix, int64_t columns, int64_t depth, float *packed, int32_t set) {
  table(set).network.pack(matrix, columns, depth, packed);
}

int64_t bigdl_tiles_size(int64_t columns, int64_t depth, int32_t set) {
  return table(set).network.tiles_size ? table(set).network.tiles_size(columns, depth) : 0;
}

void bigdl_pack_tiles(const float *matrix, int64_t columns, int64_t depth, float *packed, int32_t set) {
  table(set).network.pack_tiles(matrix, columns, depth, packed);
}

int64_t bigdl_winograd_size(int64_t filters, int64_t channels, int32_t set) {
  return table(set).winograd.size(filters, channels);
}

void bigdl_pack_winograd(const Kernel3x3 *kernel, float *packed, int32_t set) { table(set).winograd.pack(kernel, packed); }

int32_t bigdl_winograd(const Convolution *convolution, int32_t set, ParallelFor parallel) {
  return !table(set).winograd.run(convolution, parallel);
}

int32_t bigdl_winograd_gradient(const Convolution *convolution, const Kernel3x3 *gradient, int32_t set,
                                ParallelFor parallel) {
  return !table(set).winograd.gradient(convolution, gradient, parallel);
}

int32_t bigdl_run_network(const NetworkCall *call, int32_t set, ParallelFor parallel) {
  return !table(set).network.run(call, parallel);
}

int32_t bigdl_look_up(const Lookup *lookup, int32_t set, ParallelFor parallel) {
  return !table(set).network.look_up(lookup, parallel);
}

int64_t bigdl_lanes(int32_t set) { return table(set).recurrence.lanes; }

int32_t bigdl_recur(const Recurrence *all, int64_t count, int64_t threads, int32_t set, ParallelFor parallel) {
  return !table(set).recurrence.run(all, count, threads, parallel);
}

int32_t bigdl_finish(const Finish *finish, int32_t set, ParallelFor parallel) {
  return !table(set).training.finish(finish, parallel);
}

int32_t bigdl_finish_gradient(const FinishGradient *gradient, int32_t set, ParallelFor parallel) {
  return !table(set).training.finish_gradient(gradient, parallel);
}

int32_t bigdl_entropy(const Entropy *entropy, int32_t set, ParallelFor parallel) {
  return !table(set).training.entropy(entropy, parallel);
}

int32_t bigdl_pool(const Windows *windows, int32_t set, ParallelFor parallel) {
  return !table(set).training.pool(windows, false, parallel);
}

int32_t bigdl_pool_gradient(const Windows *windows, int32_t set, ParallelFor parallel) {
  return !table(set).training.pool(windows, true, parallel);
}

int32_t bigdl_normalize(const Normalization *normalization, int32_t set, ParallelFor parallel) {
  return !table(set).training.normalize(normalization, nullptr, parallel);
}

int32_t bigdl_normalize_gradient(const NormalizationGradient *gradient, int32_t set, ParallelFor parallel) {
  return !table(set).training.normalize(gradient->normalization, gradient, parallel);
}

int32_t bigdl_largest(const Largest *largest, int32_t set, ParallelFor parallel) {
  return !table(set).largest.find(largest, parallel);
}

int32_t bigdl_largest_gradient(const LargestGradient *gradient, int32_t set, ParallelFor parallel) {
  return !table(set).largest.gradient(gradient, parallel);
}

int32_t bigdl_largest_convolution_gradient(const LargestConvolutionGradient *gradient, int32_t set,
                                           ParallelFor parallel) {
  return !table(set).largest.convolution_gradient(gradient, parallel);
}

int32_t bigdl_move(const Move *move, int32_t set, ParallelFor parallel) { return !table(set).move(move, parallel); }

int32_t bigdl_suits(int64_t rows, int64_t columns, int64_t depth, int32_t set) {
  return table(set).matrices.suits(rows, columns, depth);
}

int32_t bigdl_multiply(const MatrixProduct *product, int32_t set, ParallelFor parallel) {
  return !table(set).matrices.multiply(product, parallel);
}

int32_t bigdl_convolve(const Convolution *convolution, int32_t set, ParallelFor parallel) {
  return !table(set).matrices.convolve(convolution, parallel);
}

int32_t bigdl_window_gradient(const Convolution *convolution, float *gradient, int32_t set, ParallelFor parallel) {
  return !table(set).matrices.window_gradient(convolution, gradient, parallel);
}

int32_t bigdl_suits_chain(const Chain *chain, int32_t set) { return suits_chain(*chain, table(set)); }

int32_t bigdl_chain(const Chain *chain, int32_t set, ParallelFor parallel) {
  return !run_chain(*chain, table(set), parallel);
}

int32_t bigdl_chain_gradient(const Chain *chain, int32_t set, ParallelFor parallel) {
  return !run_chain_gradient(*chain, table(set), parallel);
}

int32_t bigdl_are_same(const Sample *samples, int64_t count, const float *values) {
  for (const Sample *sample = samples; sample < samples + count; ++sample)
    for (int64_t i = 0; i < sample->count; ++i, ++values)
      if (std::memcmp(sample->at + i * sample->stride, values, sizeof(float)) != 0) return 0;
  return 1;
}

const char *bigdl_instruction_set(int32_t set) {
  return set < instruction_sets.count ? instruction_sets.all[set].name : nullptr;
}
