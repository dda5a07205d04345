// Convolutions by kernels of 3 x 3 in steps of 1, with 4 products for each value where there were 9: F(2 x 2, 3 x 3) of
// Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2015), after Winograd. The values under a tile of
// 2 x 2 results are turned into 16 cells, which are multiplied with 16 matrices, and what comes out is turned back. All
// factors are 0, 1 or a half, so that rounding is that of the plain sums. Included once for each instruction set, inside
// its namespace.

constexpr int64_t CELLS = 16;

inline int64_t winograd_size(int64_t filters, int64_t channels) { return CELLS * packed_size(filters, channels); }

// Turns three values of a line of the kernel into four.
ALWAYS_INLINE void spread_kernel(V<float> a, V<float> b, V<float> c, V<float> (&line)[4]) {
  line[0] = a, line[1] = (a + b + c) * 0.5f, line[2] = (a - b + c) * 0.5f, line[3] = c;
}

// Packs the 16 matrices (filters, channels) of a kernel, as "pack" does.
inline void pack_winograd(const Kernel3x3 *k, float *packed) {
  constexpr int64_t lanes = Vector<float>::width;
  const int64_t size = packed_size(k->filters, k->channels);
  for (int64_t first = 0; first < k->filters;) {
    const int64_t width = panel_vectors((padded<float>(k->filters) - first) / lanes) * lanes;
    for (int64_t channel = 0; channel < k->channels; ++channel)
      for (int64_t v = 0; v < width; v += lanes) {
        const int64_t filter = first + v, there = k->filters - filter < lanes ? k->filters - filter : lanes;
        V<float> half[3][4], cell[3][3];
        for (int r = 0; r < 3; ++r)
          for (int q = 0; q < 3; ++q) {
            float values[lanes] = {};
            const float *at = k->at + filter * k->filter_stride + channel * k->channel_stride + r * k->row_stride +
                              q * k->column_stride;
            for (int64_t i = 0; i < there; ++i) values[i] = at[i * k->filter_stride];
            cell[r][q] = load(values);
          }
        for (int r = 0; r < 3; ++r) spread_kernel(cell[r][0], cell[r][1], cell[r][2], half[r]);
        float *target = packed + first * k->channels + channel * width + v;
        for (int q = 0; q < 4; ++q) {
          V<float> column[4];
          spread_kernel(half[0][q], half[1][q], half[2][q], column);
          for (int r = 0; r < 4; ++r) store(target + (r * 4 + q) * size, column[r]);
        }
      }
    first += width;
  }
}

// Where the tiles of images are.
struct Tiles {
  const Convolution &c;
  const float *zeros; // one for each channel
  int64_t rows, columns;

  Tiles(const Convolution &c, const float *zeros)
      : c(c), zeros(zeros), rows(count(c.out_rows)), columns(count(c.out_columns)) {}

  int64_t count(int64_t positions) const { return c.pool_rows * c.pool_columns > 1 ? positions / 2 : (positions + 1) / 2; }
  int64_t all() const { return c.images * rows * columns; }

  // The values under a tile.
  void under(int64_t tile, const float *(&cells)[CELLS]) const {
    const int64_t image = tile / (rows * columns), y = tile / columns % rows * 2 - c.top, x = tile % columns * 2 - c.left;
    for (int64_t r = 0; r < 4; ++r)
      for (int64_t q = 0; q < 4; ++q) {
        const bool inside = y + r >= 0 && y + r < c.rows && x + q >= 0 && x + q < c.columns;
        cells[r * 4 + q] = inside ? c.x + ((image * c.rows + y + r) * c.columns + x + q) * c.channels : zeros;
      }
  }
};

// Turns the values under a tile, of the channels from j on, into cells that are "stride" apart.
template <typename Lanes>
ALWAYS_INLINE void spread_values(const float *const (&values)[CELLS], int64_t j, Lanes lanes, float *cells, int64_t stride) {
  V<float> half[4][4];
#pragma GCC unroll 4
  for (int q = 0; q < 4; ++q) {
    const V<float> a = lanes.load(values[q] + j), b = lanes.load(values[4 + q] + j), c = lanes.load(values[8 + q] + j),
                   d = lanes.load(values[12 + q] + j);
    half[0][q] = a - c, half[1][q] = b + c, half[2][q] = c - b, half[3][q] = b - d;
  }
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r, cells += 4 * stride) {
    lanes.store(cells, half[r][0] - half[r][2]);
    lanes.store(cells + stride, half[r][1] + half[r][2]);
    lanes.store(cells + 2 * stride, half[r][2] - half[r][1]);
    lanes.store(cells + 3 * stride, half[r][1] - half[r][3]);
  }
}

struct WinogradKernel {
  const Convolution *c;
  bool failed;

  static constexpr int64_t panel = Panels::width, deepest = 512, weights_in_cache = 1 << 18;

  // Tiles whose cells stay in the cache; the more, the longer it takes to read the weights for them once more.
  int64_t tiles_at_once() const {
    const int64_t weights = winograd_size(c->filters, c->channels);
    const int64_t values_in_cache = weights <= weights_in_cache ? 1 << 17 : 1 << 19;
    const int64_t fitting = values_in_cache / (CELLS * (c->channels + panel)) / TILE_ROWS * TILE_ROWS;
    return fitting < TILE_ROWS ? TILE_ROWS : fitting;
  }

  // As in ConvolutionKernel, unless each thread may have all weights in its cache.
  bool by_panels() const {
    return c->filters > Tiles(*c, nullptr).all() && winograd_size(c->filters, c->channels) > weights_in_cache;
  }

  static void task(int64_t begin, int64_t end, void *context) {
    WinogradKernel &kernel = *static_cast<WinogradKernel *>(context);
    const int64_t tiles = Tiles(*kernel.c, nullptr).all(), filters = kernel.c->filters;
    const bool done = kernel.by_panels() ? kernel.run_tiles(0, tiles, Panels(begin, end, filters))
                                         : kernel.run_tiles(begin, end, Panels(filters));
    if (!done) __atomic_store_n(&kernel.failed, true, __ATOMIC_RELAXED);
  }

  bool run_tiles(int64_t begin, int64_t end, Panels panels) const {
    const int64_t fitting = tiles_at_once(), at_once = end - begin < fitting ? end - begin : fitting;
    float *scratch = allocate<float>(CELLS * at_once * (c->channels + panel) + c->channels);
    if (!scratch) return false;
    float *cells = scratch, *products = cells + CELLS * at_once * c->channels, *zeros = products + CELLS * at_once * panel;
    std::memset(zeros, 0, c->channels * sizeof(float));
    const Tiles tiles(*c, zeros);
    for (int64_t first = begin; first < end; first += at_once) {
      const int64_t count = end - first < at_once ? end - first : at_once;
      for (int64_t i = 0; i < count; ++i) {
        const float *values[CELLS];
        tiles.under(first + i, values);
        each_vector<float>(c->channels, [&](int64_t j, auto lanes) {
          spread_values(values, j, lanes, cells + i * c->channels + j, count * c->channels);
        });
      }
      for (int64_t filter = panels.first; filter < panels.last;) {
        const int64_t vectors = panel_vectors((padded<float>(c->filters) - filter) / Vector<float>::width);
        auto run = vectors == 4   ? &WinogradKernel::run_panel<4>
                   : vectors == 2 ? &WinogradKernel::run_panel<2>
                                  : &WinogradKernel::run_panel<1>;
        (this->*run)(tiles, first, count, filter, cells, products, panels.last);
        filter += vectors * Vector<float>::width;
      }
    }
    free(scratch);
    return true;
  }

  template <int VECTORS>
  void run_panel(const Tiles &all, int64_t first, int64_t count, int64_t filter, const float *cells, float *products,
                 int64_t last) const {
    constexpr int64_t width = VECTORS * Vector<float>::width;
    const int64_t channels = c->channels, size = packed_size(c->filters, channels);
    const bool kept = CELLS * size <= weights_in_cache;
    const float *of_next = c->weight + (filter + width) * channels;
    for (int64_t cell = 0; cell < CELLS; ++cell) {
      const float *x = cells + cell * count * channels, *weight = c->weight + cell * size + filter * channels;
      const float *next = cell + 1 < CELLS ? weight + size : filter + width < last ? of_next : nullptr;
      float *y = products + cell * count * width;
      for (int64_t k = 0; k < channels; k += deepest) {
        auto left_of = [&](int64_t row, int64_t) { return Left<float>{x + row * channels + k, channels, 1}; };
        const int64_t depth = channels - k < deepest ? channels - k : deepest;
        const float *later = k + depth < channels ? weight + (k + depth) * width : next;
        tiles<float, VECTORS>(count, left_of, weight + k * width, width, depth, y, width, width, k ? y : nullptr, width,
                              kept ? nullptr : later);
      }
    }
    for (int64_t i = 0; i < count; ++i)
      each_vector<float>(c->filters - filter < width ? c->filters - filter : width, [&](int64_t j, auto lanes) {
        finish(all, first + i, filter + j, lanes, products + i * width + j, count * width);
      });
  }

  // Turns the products of a tile, which are "stride" apart, into results: of the filters from "filter" on.
  template <typename Lanes>
  ALWAYS_INLINE void finish(const Tiles &all, int64_t tile, int64_t filter, Lanes lanes, const float *products,
                            int64_t stride) const {
    V<float> half[2][4], y[2][2];
#pragma GCC unroll 4
    for (int q = 0; q < 4; ++q) {
      const float *p = products + q * stride;
      const V<float> a = load(p), b = load(p + 4 * stride), c = load(p + 8 * stride), d = load(p + 12 * stride);
      half[0][q] = a + b + c, half[1][q] = b - c - d;
    }
    const V<float> bias = c->bias ? lanes.load(c->bias + filter) : V<float>{};
#pragma GCC unroll 2
    for (int r = 0; r < 2; ++r) {
      y[r][0] = half[r][0] + half[r][1] + half[r][2] + bias;
      y[r][1] = half[r][1] - half[r][2] - half[r][3] + bias;
    }
    const int64_t image = tile / (all.rows * all.columns), row = tile / all.columns % all.rows, column = tile % all.columns;
    if (c->pool_rows * c->pool_columns > 1) {
      V<float> largest = y[0][0];
      for (int i = 1; i < 4; ++i) {
        const V<float> value = y[i / 2][i % 2];
        largest = value > largest || value != value ? value : largest;
      }
      lanes.store(c->y + tile * c->filters + filter, c->relu ? rectified(largest) : largest);
      return;
    }
    for (int64_t r = 0; r < 2 && row * 2 + r < c->out_rows; ++r)
      for (int64_t q = 0; q < 2 && column * 2 + q < c->out_columns; ++q) {
        const int64_t at = ((image * c->out_rows + row * 2 + r) * c->out_columns + column * 2 + q) * c->filters + filter;
        const V<float> value = c->other ? y[r][q] + lanes.load(c->other + at) : y[r][q];
        lanes.store(c->y + at, c->relu ? rectified(value) : value);
      }
  }

  static bool run(const Convolution *c, ParallelFor parallel) {
    WinogradKernel kernel = {c, false};
    const int64_t tiles = Tiles(*c, nullptr).all(), parts = kernel.by_panels() ? Panels::count(c->filters) : tiles;
    const int64_t work = CELLS * tiles * c->filters * c->channels;
    return for_all(parallel, parts, 1 + WORK_OF_A_THREAD / (work / (parts + 1) + 1), task, &kernel) && !kernel.failed;
  }
};
