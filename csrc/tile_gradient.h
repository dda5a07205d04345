// The gradient of a weight; see gradient.h. Included once, after tile_sides.h.

// Sums of blocks of rows are added up in float32, by one thread each.
struct WeightGradient {
  static constexpr int64_t block =
      64; // rows that are summed up at once, few enough for both sides to stay in the cache
  static constexpr int64_t most = 512; // columns of a side
  static constexpr int64_t stride =
      most + EDGE; // of the transpose: rows a power of two apart share few places of a cache

  const Product &p;
  float *transposed, *sums; // the gradient's transpose (inputs, stride); the sums of a block, in tiles
  uint16_t *panel, *left;   // a block of "out", two tiles wide; the transpose of a block of "in"

  static constexpr int64_t scratch_size =
      most * stride * sizeof(float) + 4 * SUMS * sizeof(float) + block * (most + WIDTH) * PARTS * sizeof(uint16_t);

  WeightGradient(const Product &p, void *scratch) : p(p) {
    transposed = static_cast<float *>(scratch);
    sums = transposed + most * stride;
    panel = reinterpret_cast<uint16_t *>(sums + 4 * SUMS);
    left = panel + block * WIDTH * PARTS;
  }

  void run(int64_t begin, int64_t end) {
    for (int64_t j = begin; j < end; j += most)
      for (int64_t i = 0; i < p.inputs; i += most)
        run_part(i, least(p.inputs - i, most), j, least(end - j, most));
  }

  void run_part(int64_t i, int64_t inputs, int64_t j, int64_t outputs) {
    const float *in = static_cast<const float *>(p.in) + i, *out = static_cast<const float *>(p.out) + j;
    float *total = p.out_total && i == 0 ? static_cast<float *>(p.out_total) + j : nullptr;
    for (int64_t row = 0; row < p.rows; row += block) {
      const int64_t rows = least(p.rows - row, block), depth = (rows + DEPTH - 1) / DEPTH;
      for (int64_t k = 0; k < inputs; k += WIDTH)
        split_panel<true>({in + row * p.in_stride + k, 1, p.in_stride}, inputs - k, rows,
                          left + k / EDGE * depth * TILES);
      for (int64_t first = 0; first < outputs; first += WIDTH) {
        split_panel<false>({out + row * p.out_stride + first, 1, p.out_stride}, outputs - first, rows, panel,
                           total ? total + first : nullptr, row > 0);
        const bool last = first + WIDTH >= outputs;
        const float *next = out + (last ? row + block : row) * p.out_stride + (last ? 0 : first + WIDTH);
        const int64_t to_fetch = last ? least(p.rows - row - block, block) : rows;
        for (int64_t k = 0; k < inputs; k += WIDTH) {
          fetch(next, to_fetch * k / inputs, to_fetch * least(k + WIDTH, inputs) / inputs);
          multiply_tiles(left + k / EDGE * depth * TILES, panel, depth, sums);
          add_sums(transposed + k * stride + first, row > 0);
        }
      }
    }
    for (int64_t column = 0; column < outputs; ++column)
      for (int64_t k = 0; k < inputs; ++k)
        static_cast<float *>(p.gradient)[(j + column) * p.inputs + i + k] = transposed[k * stride + column];
  }

  // Asks for some rows of the next panel while the one at hand is multiplied.
  void fetch(const float *next, int64_t from, int64_t to) {
    for (int64_t row = from; row < to; ++row)
      for (int64_t line = 0; line < WIDTH; line += EDGE)
        __builtin_prefetch(next + row * p.out_stride + line, 0, 2);
  }

  void add_sums(float *target, bool add) {
    const float *sum = sums;
    for (int64_t k = 0; k < WIDTH; k += EDGE)
      for (int64_t i = 0; i < WIDTH; i += EDGE)
        for (int64_t row = 0; row < EDGE; ++row, sum += EDGE) {
          float *at = target + (k + row) * stride + i;
          const __m512 value = _mm512_load_ps(sum);
          _mm512_storeu_ps(at, add ? _mm512_add_ps(_mm512_loadu_ps(at), value) : value);
        }
  }
};

struct GradientCall {
  const Product *product;
  bool failed;
};

static void run_panels(int64_t begin, int64_t end, void *context) {
  TileSettings settings;
  GradientCall &call = *static_cast<GradientCall *>(context);
  const Product &p = *call.product;
  void *scratch = aligned_alloc(64, WeightGradient::scratch_size);
  if (!scratch) {
    __atomic_store_n(&call.failed, true, __ATOMIC_RELAXED);
    return;
  }
  WeightGradient(p, scratch).run(begin * WIDTH, end * WIDTH < p.outputs ? end * WIDTH : p.outputs);
  free(scratch);
}

bool weight_gradient(const Product *product, ParallelFor parallel) {
  // Fewer columns would leave tiles empty.
  if (product->inputs < WIDTH || product->outputs < EDGE)
    return avx512::table.of_float.weight_gradient(product, parallel);
  GradientCall call{product, false};
  const int64_t count = panels_of(product->outputs);
  const int64_t grain = 1 + WORK_OF_A_THREAD / (product->rows * product->inputs * WIDTH);
  return for_all(parallel, count, grain, run_panels, &call) && !call.failed;
}
