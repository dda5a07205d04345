// For x86 processors with AMX: what is faster on its tiles than by AVX-512.
#include "kernels.h"

#ifdef HAS_TILES
#include <immintrin.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("amx-tile,amx-bf16,avx512f,avx512vl,avx512dq,avx512bw"))),           \
                             apply_to = function)
#else
#pragma GCC target("amx-tile,amx-bf16,avx512f,avx512vl,avx512dq,avx512bw")
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized" // in GCC's own header
#endif

namespace amx {

#include "tiles.h"

// The gradient of a weight; see gradient.h. Sums of blocks of rows are added up in float32, by one thread each.
struct WeightGradient {
  static constexpr int64_t block = 64;  // rows that are summed up at once, few enough for both sides to stay in the cache
  static constexpr int64_t most = 512;  // columns of a side
  static constexpr int64_t width = 2 * EDGE;
  static constexpr int64_t stride = most + EDGE; // of the transpose: rows a power of two apart share few places of a cache

  const Product &p;
  float *transposed, *sums; // the gradient's transpose (inputs, stride); the sums of a block (width, width)
  uint16_t *panel, *left;   // a block of "out", two tiles wide; the transpose of a block of "in"

  static constexpr int64_t scratch_size = most * stride * sizeof(float) + width * width * sizeof(float) +
                                          block * (most + width) * PARTS * sizeof(uint16_t);

  WeightGradient(const Product &p, void *scratch) : p(p) {
    transposed = static_cast<float *>(scratch);
    sums = transposed + most * stride;
    panel = reinterpret_cast<uint16_t *>(sums + width * width);
    left = panel + block * width * PARTS;
  }

  static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

  void run(int64_t begin, int64_t end) {
    for (int64_t j = begin; j < end; j += most)
      for (int64_t i = 0; i < p.inputs; i += most) run_part(i, least(p.inputs - i, most), j, least(end - j, most));
  }

  void run_part(int64_t i, int64_t inputs, int64_t j, int64_t outputs) {
    const float *in = static_cast<const float *>(p.in) + i, *out = static_cast<const float *>(p.out) + j;
    float *total = p.out_total && i == 0 ? static_cast<float *>(p.out_total) + j : nullptr;
    for (int64_t row = 0; row < p.rows; row += block) {
      const int64_t rows = least(p.rows - row, block), depth = (rows + DEPTH - 1) / DEPTH;
      for (int64_t k = 0; k < inputs; k += width)
        split_panel<true>(in + row * p.in_stride + k, p.in_stride, rows, inputs - k, left + k / EDGE * depth * TILES,
                          nullptr, false);
      for (int64_t first = 0; first < outputs; first += width) {
        split_panel<false>(out + row * p.out_stride + first, p.out_stride, rows, outputs - first, panel,
                           total ? total + first : nullptr, row > 0);
        const bool last = first + width >= outputs;
        const float *next = out + (last ? row + block : row) * p.out_stride + (last ? 0 : first + width);
        const int64_t to_fetch = last ? least(p.rows - row - block, block) : rows;
        for (int64_t k = 0; k < inputs; k += width) {
          fetch(next, to_fetch * k / inputs, to_fetch * least(k + width, inputs) / inputs);
          multiply_tiles(left + k / EDGE * depth * TILES, panel, depth, sums);
          add_sums(transposed + k * stride + first, row > 0);
        }
      }
    }
    for (int64_t column = 0; column < outputs; ++column)
      for (int64_t k = 0; k < inputs; ++k)
        static_cast<float *>(p.gradient)[(j + column) * p.inputs + i + k] = transposed[k * stride + column];
  }

  // Splits two columns of tiles, zeros where there are no rows or columns. Their totals are written, or added to those there.
  template <bool TRANSPOSED>
  void split_panel(const float *source, int64_t stride, int64_t rows, int64_t columns, uint16_t *tiles, float *total,
                   bool add) {
    for (int64_t first = 0; first < width; first += EDGE, tiles += (rows + DEPTH - 1) / DEPTH * TILES)
      split_columns<TRANSPOSED>(source + first, stride, rows, columns - first, tiles, total ? total + first : nullptr, add);
  }

  template <bool TRANSPOSED>
  void split_columns(const float *source, int64_t stride, int64_t rows, int64_t columns, uint16_t *tiles, float *total,
                     bool add) {
    const __mmask16 there = columns >= EDGE ? 0xffff : columns > 0 ? (1 << columns) - 1 : 0;
    __m512 sum = _mm512_setzero_ps();
    for (int64_t row = 0; row < rows; row += DEPTH, tiles += TILES) {
      __m512i parts[PARTS][EDGE];
#pragma GCC unroll 16
      for (int64_t pair = 0; pair < EDGE; ++pair, source += 2 * stride) {
        const int64_t left = rows - row - 2 * pair;
        const __m512 even = _mm512_maskz_loadu_ps(left > 0 ? there : 0, source);
        const __m512 odd = _mm512_maskz_loadu_ps(left > 1 ? there : 0, source + stride);
        if (total) sum = _mm512_add_ps(_mm512_add_ps(sum, even), odd);
        const Pairs pairs = split(even, odd);
        for (int i = 0; i < PARTS; ++i) parts[i][pair] = pairs.part[i];
      }
      for (int i = 0; i < PARTS; ++i) {
        if (TRANSPOSED) transpose(parts[i]);
#pragma GCC unroll 16
        for (int64_t k = 0; k < EDGE; ++k) _mm512_store_si512(tiles + i * TILE + k * DEPTH, parts[i][k]);
      }
    }
    if (!total) return;
    if (add) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(there, total));
    _mm512_mask_storeu_ps(total, there, sum);
  }

  // Asks for some rows of the next panel while the one at hand is multiplied.
  void fetch(const float *next, int64_t from, int64_t to) {
    for (int64_t row = from; row < to; ++row)
      for (int64_t line = 0; line < width; line += EDGE) __builtin_prefetch(next + row * p.out_stride + line, 0, 2);
  }

  void add_sums(float *target, bool add) {
    for (int64_t k = 0; k < width; ++k, target += stride)
      for (int64_t i = 0; i < width; i += EDGE) {
        const __m512 sum = _mm512_load_ps(sums + k * width + i);
        _mm512_storeu_ps(target + i, add ? _mm512_add_ps(_mm512_loadu_ps(target + i), sum) : sum);
      }
  }
};

struct GradientCall {
  const Product *product;
  bool failed;
};

static void run_panels(int64_t begin, int64_t end, void *context) {
  FlushDenormals flush;
  TileSettings settings;
  GradientCall &call = *static_cast<GradientCall *>(context);
  const Product &p = *call.product;
  void *scratch = aligned_alloc(64, WeightGradient::scratch_size);
  if (!scratch) {
    __atomic_store_n(&call.failed, true, __ATOMIC_RELAXED);
    return;
  }
  const int64_t width = WeightGradient::width;
  WeightGradient(p, scratch).run(begin * width, end * width < p.outputs ? end * width : p.outputs);
  free(scratch);
}

bool weight_gradient(const Product *product, ParallelFor parallel) {
  // Fewer columns would leave tiles empty.
  if (product->inputs < WeightGradient::width || product->outputs < EDGE)
    return avx512::table.of_float.weight_gradient(product, parallel);
  constexpr int64_t work_of_a_thread = 1 << 22; // products and sums: some 50 microseconds
  GradientCall call{product, false};
  const int64_t count = (product->outputs + WeightGradient::width - 1) / WeightGradient::width;
  const int64_t grain = 1 + work_of_a_thread / (product->rows * product->inputs * WeightGradient::width);
  if (!parallel) run_panels(0, count, &call);
  return (!parallel || parallel(0, count, grain, run_panels, &call) == 0) && !call.failed;
}

} // namespace amx

#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
