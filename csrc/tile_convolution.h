// Convolutions over sequences: windows that overlap are split once. Included once, after tile_product.h.
//
// Rows of channels are split as they lie, each depth of each part in a plane of its own, a line for each row. A tile of
// 16 windows at one cell of the kernel is 16 neighbouring lines of a plane. Sequences count as one; windows that reach
// from one into the next are computed too, but not written.
struct TileConvolution {
  static constexpr int64_t at_once = 4 * WIDTH, deepest = 1 << 12; // windows; values, so that panels stay in the cache

  const Convolution &c;
  uint16_t *weight; // panels of filters, two tiles wide, and as deep as the kernel
  bool failed;

  explicit TileConvolution(const Convolution &c) : c(c), weight(nullptr), failed(false) {}

  int64_t depths() const { return (c.channels + DEPTH - 1) / DEPTH; } // of a cell
  int64_t depth() const { return c.kernel_columns * depths(); }
  int64_t panels() const { return panels_of(c.filters); }
  int64_t panel_size() const { return 2 * depth() * TILES; }
  int64_t lines() const { return at_once + c.kernel_columns - 1; } // of a plane
  int64_t windows() const { return c.images * c.columns - c.kernel_columns + 1; }

  static bool suits(const Convolution &c) {
    const bool of_sequences = c.rows == 1 && c.kernel_rows == 1 && c.left == 0 && c.top == 0;
    const bool one_by_one = c.column_stride == 1 && c.column_dilation == 1;
    const int64_t size = c.kernel_columns * c.channels;
    const bool few_between = c.columns - c.out_columns <= c.out_columns / 4;
    return of_sequences && one_by_one && few_between && size <= deepest &&
           suits_tiles(c.images * c.out_columns, c.filters, size);
  }

  static void split_weight(int64_t begin, int64_t end, void *context) {
    const TileConvolution &k = *static_cast<TileConvolution *>(context);
    const int64_t size = k.c.kernel_columns * k.c.channels;
    for (int64_t edge = 2 * begin; edge < 2 * end; ++edge)
      for (int64_t cell = 0; cell < k.c.kernel_columns; ++cell)
        split_edge<false>({k.c.weight + edge * EDGE * size + cell * k.c.channels, size, 1}, k.c.filters - edge * EDGE,
                          k.c.channels, k.weight + (edge * k.depth() + cell * k.depths()) * TILES, nullptr, false);
  }

  static void convolve(int64_t begin, int64_t end, void *context) {
    TileSettings settings;
    TileConvolution &k = *static_cast<TileConvolution *>(context);
    const int64_t size = PARTS * k.depths() * k.lines() * DEPTH * sizeof(uint16_t);
    void *scratch = aligned_alloc(64, size + 4 * SUMS * sizeof(float));
    if (!scratch) {
      __atomic_store_n(&k.failed, true, __ATOMIC_RELAXED);
      return;
    }
    float *sums = reinterpret_cast<float *>(static_cast<char *>(scratch) + size);
    for (int64_t i = begin; i < end; ++i)
      k.run_windows(i * at_once, static_cast<uint16_t *>(scratch), sums);
    free(scratch);
  }

  void run_windows(int64_t first, uint16_t *planes, float *sums) const {
    const int64_t count = least(windows() - first, at_once), plane = lines() * DEPTH;
    split_rows(first, count + c.kernel_columns - 1, planes);
    for (int64_t panel = 0; panel < panels(); ++panel)
      for (int64_t window = 0; window < count; window += WIDTH) {
        const uint16_t *left = planes + window * DEPTH;
        const auto left_at = [&](int64_t k) {
          return left + k % depths() * PARTS * plane + k / depths() * DEPTH;
        };
        add_up_tiles<true>(left_at, plane, EDGE * DEPTH, weight + panel * panel_size(), depth(), sums);
        write(sums, first + window, least(count - window, WIDTH), panel * WIDTH);
      }
  }

  void split_rows(int64_t first, int64_t rows, uint16_t *planes) const {
    const int64_t plane = lines() * DEPTH;
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t k = 0; k < c.channels; k += DEPTH) {
        const float *at = c.x + (first + row) * c.channels + k;
        const Split values = split<false>(_mm512_maskz_loadu_ps(lanes(c.channels - k), at),
                                          _mm512_maskz_loadu_ps(lanes(c.channels - k - EDGE), at + EDGE));
        for (int64_t part = 0; part < PARTS; ++part)
          _mm512_store_si512(planes + (k / DEPTH * PARTS + part) * plane + row * DEPTH, values.part[part]);
      }
  }

  void write(const float *sums, int64_t window, int64_t count, int64_t filter) const {
    __mmask16 there[2] = {lanes(c.filters - filter), lanes(c.filters - filter - EDGE)};
    __m512 bias[2];
    for (int64_t j = 0; j < 2; ++j)
      bias[j] = c.bias ? _mm512_maskz_loadu_ps(there[j], c.bias + filter + j * EDGE) : _mm512_setzero_ps();
    int64_t sequence = window / c.columns, position = window % c.columns;
    for (int64_t i = 0; i < count; ++i) {
      float *y = c.y + (sequence * c.out_columns + position) * c.filters + filter;
      for (int64_t j = 0; position < c.out_columns && j < 2; ++j) {
        __m512 value = _mm512_add_ps(_mm512_load_ps(sums + sums_at(i, j * EDGE)), bias[j]);
        if (c.relu) // NaN stays NaN
          value = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(value, _mm512_setzero_ps(), _CMP_NLT_UQ), value);
        _mm512_mask_storeu_ps(y + j * EDGE, there[j], value);
      }
      if (++position == c.columns)
        ++sequence, position = 0;
    }
  }

  bool run(ParallelFor parallel) {
    weight = static_cast<uint16_t *>(aligned_alloc(64, panels() * panel_size() * sizeof(uint16_t)));
    if (!weight)
      return false;
    const int64_t size = c.kernel_columns * c.channels;
    const int64_t of_panel = SPLITTING * WIDTH * size, of_windows = at_once * size * c.filters;
    const bool done =
        for_all(parallel, panels(), 1 + WORK_OF_A_THREAD / of_panel, split_weight, this) &&
        for_all(parallel, (windows() + at_once - 1) / at_once, 1 + WORK_OF_A_THREAD / of_windows, convolve, this);
    free(weight);
    return done && !failed;
  }
};

bool convolve(const Convolution *c, ParallelFor parallel) {
  return TileConvolution::suits(*c) ? TileConvolution(*c).run(parallel) : avx512::table.matrices.convolve(c, parallel);
}
