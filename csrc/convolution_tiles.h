// Tiles of convolutions of images, channels last. Included once for each instruction set, inside its namespace.
//
// A tile is a few positions of the kernel times a panel of filters, whose sums stay in registers from the first to the
// last value of the kernel. Positions are counted through all images, so that only the last tile is smaller.

inline int64_t packed_size(int64_t columns, int64_t depth) { return padded<float>(columns) * depth; }

inline void pack_matrix(const float *matrix, int64_t columns, int64_t depth, float *packed) {
  pack(matrix, 1, depth, depth, columns, packed);
}

// As many positions as the registers hold sums and addresses of, beside the panel itself.
constexpr int tile_positions(int vectors) { return vectors == PANEL_VECTORS ? 6 : 8; }

// One position of the kernel.
struct Position {
  const float *at;     // the value under the kernel's first cell; may lie outside of the image
  int64_t row, column; // of that cell
  bool inside;         // whether all cells are
};

// Calls body(0), ..., body(COUNT - 1), unrolled before the compiler decides which arrays are registers.
template <int COUNT, int FIRST = 0, typename Body> ALWAYS_INLINE void unrolled(const Body &body) {
  if constexpr (FIRST < COUNT) {
    body(FIRST);
    unrolled<COUNT, FIRST + 1>(body);
  }
}

// sum += the depth values at each of x, times the rows of a panel; moves on to the panel's next row.
template <int POSITIONS, int VECTORS, bool AHEAD>
ALWAYS_INLINE void add_products(const float *const (&x)[POSITIONS], int64_t depth, const float *&panel,
                                V<float> (&sum)[POSITIONS][VECTORS], Ahead<AHEAD> &ahead) {
  constexpr int64_t width = Vector<float>::width;
#pragma GCC unroll 4
  for (int64_t k = 0; k < depth; ++k, panel += VECTORS * width) {
    ahead.row(k);
    V<float> row[VECTORS];
    unrolled<VECTORS>([&](int v) ALWAYS_INLINE_LAMBDA { row[v] = load(panel + v * width); });
    unrolled<POSITIONS>([&](int i) ALWAYS_INLINE_LAMBDA {
      const V<float> value = splat(x[i][k]);
      unrolled<VECTORS>([&](int v) ALWAYS_INLINE_LAMBDA { sum[i][v] += value * row[v]; });
    });
  }
  ahead.skip(depth);
}

ALWAYS_INLINE V<float> rectified(V<float> x) { return x < 0.0f ? splat(0.0f) : x; } // NaN stays NaN

// A run of positions and the panel of filters that starts at "filter".
struct Run {
  const Convolution &c;
  const float *zeros; // one for each channel
  const Position *positions;
  int64_t count, first; // of the positions, through all images
  int64_t filter, there; // how many filters are left
  const float *panel, *later; // of these filters, and of those that come next, if it is not in the cache
  const float *bias;         // of these filters, the bias with zeros behind the last one
  float *band;               // for the rows of a window
};

// Writes the sums of a tile to rows that are "stride" apart.
template <int POSITIONS, int VECTORS>
ALWAYS_INLINE void write_sums(const V<float> (&sum)[POSITIONS][VECTORS], const float *other, bool relu, float *y,
                              int64_t stride, int64_t there) {
  constexpr int64_t width = Vector<float>::width;
  unrolled<POSITIONS>([&](int i) ALWAYS_INLINE_LAMBDA {
    unrolled<VECTORS>([&](int v) ALWAYS_INLINE_LAMBDA {
      const auto write = [&](auto lanes) ALWAYS_INLINE_LAMBDA {
        V<float> value = sum[i][v];
        if (other) value += lanes.load(other + i * stride + v * width);
        lanes.store(y + i * stride + v * width, relu ? rectified(value) : value);
      };
      if ((v + 1) * width <= there)
        write(Whole<float>{});
      else if (v * width < there)
        write(Part<float>{there - v * width});
    });
  });
}

template <int POSITIONS, int VECTORS, bool AHEAD>
void convolve_tile(const Run &run, const Position *positions, const float *other, bool relu, float *y, int64_t stride,
                   Ahead<AHEAD> ahead) {
  const Convolution &c = run.c;
  constexpr int64_t width = Vector<float>::width;
  V<float> sum[POSITIONS][VECTORS];
  unrolled<VECTORS>([&](int v) ALWAYS_INLINE_LAMBDA {
    const V<float> value = load(run.bias + v * width);
    unrolled<POSITIONS>([&](int i) ALWAYS_INLINE_LAMBDA { sum[i][v] = value; });
  });
  const float *panel = run.panel;
  bool inside = c.column_dilation == 1;
  for (int i = 0; i < POSITIONS; ++i) inside = inside && positions[i].inside;
  const int64_t line = c.row_dilation * c.columns * c.channels, cell = c.column_dilation * c.channels;
  const float *at[POSITIONS];
  for (int64_t r = 0; r < c.kernel_rows; ++r) {
    if (inside) {
      unrolled<POSITIONS>([&](int i) ALWAYS_INLINE_LAMBDA { at[i] = positions[i].at + r * line; });
      add_products(at, c.kernel_columns * c.channels, panel, sum, ahead);
      continue;
    }
    bool any = false; // of the tile's positions that see something of this row
    for (int i = 0; i < POSITIONS; ++i) {
      const int64_t row = positions[i].row + r * c.row_dilation;
      any = any || (row >= 0 && row < c.rows);
    }
    if (!any) {
      panel += c.kernel_columns * c.channels * VECTORS * width;
      ahead.skip(c.kernel_columns * c.channels);
      continue;
    }
    for (int64_t q = 0; q < c.kernel_columns; ++q) {
      unrolled<POSITIONS>([&](int i) ALWAYS_INLINE_LAMBDA {
        const Position &p = positions[i];
        const int64_t row = p.row + r * c.row_dilation, column = p.column + q * c.column_dilation;
        const bool in_image = row >= 0 && row < c.rows && column >= 0 && column < c.columns;
        at[i] = in_image ? p.at + r * line + q * cell : run.zeros;
      });
      add_products(at, c.channels, panel, sum, ahead);
    }
  }
  write_sums<POSITIONS, VECTORS>(sum, other, relu, y, stride, run.there);
}

// Some tiles of some positions, which are of nearly equal size, from one tile to another.
template <int VECTORS, bool AHEAD>
void convolve_tiles(int64_t begin, int64_t end, const Run &run, const Position *positions, int64_t count,
                    const float *other, bool relu, float *y, int64_t stride) {
  constexpr int most = tile_positions(VECTORS);
  const int64_t tiles = (count + most - 1) / most, depth = run.c.kernel_rows * run.c.kernel_columns * run.c.channels;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t size = count / tiles + (i < count % tiles);
    const int64_t first = count / tiles * i + (i < count % tiles ? i : count % tiles);
    const float *added = other ? other + first * stride : nullptr;
    const Ahead<AHEAD> ahead(run.later, i * depth);
    switch (size) {
#define SIZE(N)                                                                                                        \
  case N:                                                                                                              \
    if constexpr (N <= most)                                                                                           \
      convolve_tile<N, VECTORS>(run, positions + first, added, relu, y + first * stride, stride, ahead);               \
    break;
      SIZE(1) SIZE(2) SIZE(3) SIZE(4) SIZE(5) SIZE(6) SIZE(7) SIZE(8)
#undef SIZE
    }
  }
}

// All tiles. The next panel is brought nearer while the first ones are computed, a line with each row of this one.
template <int VECTORS>
void convolve_tiles(const Run &run, const Position *positions, int64_t count, const float *other, bool relu, float *y,
                    int64_t stride) {
  constexpr int64_t most = tile_positions(VECTORS);
  const int64_t tiles = (count + most - 1) / most, first = tiles_ahead<float, VECTORS>(run.later, tiles);
  convolve_tiles<VECTORS, true>(0, first, run, positions, count, other, relu, y, stride);
  convolve_tiles<VECTORS, false>(first, tiles, run, positions, count, other, relu, y, stride);
}

// The largest values of the windows in a band of rows that was just computed.
template <int VECTORS> void pool_band(const Run &run, float *y) {
  const Convolution &c = run.c;
  constexpr int64_t width = Vector<float>::width, stride = VECTORS * width;
  for (int64_t column = 0; column < c.out_columns / c.pool_columns; ++column, y += c.filters) {
    const float *window = run.band + column * c.pool_columns * stride;
    for (int v = 0; v < VECTORS && v * width < run.there; ++v) {
      V<float> largest = load(window + v * width);
      for (int64_t r = 0; r < c.pool_rows; ++r)
        for (int64_t q = 0; q < c.pool_columns; ++q) {
          const V<float> value = load(window + (r * c.out_columns + q) * stride + v * width);
          largest = value > largest || value != value ? value : largest;
        }
      if (c.relu) largest = rectified(largest);
      const int64_t left = run.there - v * width;
      if (left < width)
        Part<float>{left}.store(y + v * width, largest);
      else
        store(y + v * width, largest);
    }
  }
}

template <int VECTORS> void convolve_panel(const Run &run) {
  const Convolution &c = run.c;
  if (c.pool_rows * c.pool_columns == 1) {
    const int64_t start = run.first * c.filters + run.filter;
    convolve_tiles<VECTORS>(run, run.positions, run.count, c.other ? c.other + start : nullptr, c.relu, c.y + start,
                            c.filters);
    return;
  }
  const int64_t size = c.pool_rows * c.out_columns;
  for (int64_t i = 0; i < run.count; i += size) {
    convolve_tiles<VECTORS>(run, run.positions + i, size, nullptr, false, run.band, VECTORS * Vector<float>::width);
    pool_band<VECTORS>(run, c.y + (run.first + i) / size * (c.out_columns / c.pool_columns) * c.filters + run.filter);
  }
}
