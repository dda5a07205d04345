// The gradient of the kernel of a convolution of winograd.h: cells of what went in times cells of the gradient of what
// came out, summed up over all tiles, and turned into 3 x 3 in the end. Each value is summed up by one thread in the order
// of the tiles, so that it does not depend on how many threads there are. Included once for each instruction set, inside
// its namespace.

struct WinogradGradient {
  const Convolution &c;
  const Kernel3x3 &gradient;
  Tiles tiles_of;
  int64_t first, count; // the tiles at hand
  float *in;            // their cells of what went in: (CELLS, panels of channels, tiles, width of the panel)
  float *out;           // of the gradient of what came out: (CELLS, tiles, out_stride)
  float *sums;          // (CELLS, filters, in_stride)

  static constexpr int64_t lanes = Vector<float>::width, tiles_at_once = 192;

  static int64_t in_stride(const Convolution &c) { return padded<float>(c.channels); }
  static int64_t out_stride(const Convolution &c) { return padded<float>(c.filters) + lanes; } // no power of 2

  // Calls body(first channel, vectors) for the panels of channels.
  template <typename Body> void each_panel(Body body) const {
    for (int64_t j = 0; j < c.channels;) {
      const int64_t vectors = panel_vectors((in_stride(c) - j) / lanes);
      body(j, vectors);
      j += vectors * lanes;
    }
  }

  static void spread(int64_t begin, int64_t end, void *context) {
    const WinogradGradient &g = *static_cast<WinogradGradient *>(context);
    for (int64_t i = begin; i < end; ++i) {
      g.spread_in(i);
      each_vector<float>(g.c.filters, [&](int64_t j, auto lanes) { g.spread_out(i, j, lanes); });
    }
  }

  void spread_in(int64_t i) const {
    const float *values[CELLS];
    tiles_of.under(first + i, values);
    each_panel([&](int64_t j, int64_t vectors) {
      for (int64_t v = 0; v < vectors * lanes && j + v < c.channels; v += lanes) {
        float *target = in + j * tiles_at_once + i * vectors * lanes + v;
        const int64_t there = c.channels - j - v;
        if (there >= lanes)
          spread_values(values, j + v, Whole<float>{}, target, tiles_at_once * in_stride(c));
        else
          spread_values(values, j + v, Part<float>{there}, target, tiles_at_once * in_stride(c));
      }
    });
  }

  template <typename Lanes> ALWAYS_INLINE void spread_out(int64_t i, int64_t j, Lanes lanes) const {
    const int64_t tile = first + i, per_image = tiles_of.rows * tiles_of.columns;
    const int64_t row = tile / tiles_of.columns % tiles_of.rows * 2, column = tile % tiles_of.columns * 2;
    V<float> y[2][2] = {}, half[4][2];
    for (int64_t r = 0; r < 2 && row + r < c.out_rows; ++r)
      for (int64_t q = 0; q < 2 && column + q < c.out_columns; ++q)
        y[r][q] = lanes.load(c.y + ((tile / per_image * c.out_rows + row + r) * c.out_columns + column + q) * c.filters + j);
    for (int q = 0; q < 2; ++q)
      half[0][q] = y[0][q], half[1][q] = y[0][q] + y[1][q], half[2][q] = y[0][q] - y[1][q], half[3][q] = -y[1][q];
    const int64_t stride = tiles_at_once * out_stride(c);
    float *cells = out + i * out_stride(c) + j;
    for (int r = 0; r < 4; ++r, cells += 4 * stride) {
      lanes.store(cells, half[r][0]);
      lanes.store(cells + stride, half[r][0] + half[r][1]);
      lanes.store(cells + 2 * stride, half[r][0] - half[r][1]);
      lanes.store(cells + 3 * stride, -half[r][1]);
    }
  }

  // Adds up the products of some cells.
  static void multiply(int64_t begin, int64_t end, void *context) {
    const WinogradGradient &g = *static_cast<WinogradGradient *>(context);
    for (int64_t cell = begin; cell < end; ++cell)
      g.each_panel([&](int64_t j, int64_t vectors) {
        vectors == 4 ? g.add<4>(cell, j) : vectors == 2 ? g.add<2>(cell, j) : g.add<1>(cell, j);
      });
  }

  template <int VECTORS> void add(int64_t cell, int64_t j) const {
    const float *x = in + cell * tiles_at_once * in_stride(c) + j * tiles_at_once;
    const float *y = out + cell * tiles_at_once * out_stride(c);
    float *sum = sums + cell * c.filters * in_stride(c) + j;
    auto left_of = [&](int64_t filter, int64_t) { return Left<float>{y + filter, 1, out_stride(c)}; };
    tiles<float, VECTORS>(c.filters, left_of, x, VECTORS * lanes, count, sum, in_stride(c), VECTORS * lanes,
                          first ? sum : nullptr, in_stride(c));
  }

  // Turns the sums of some filters into their gradients.
  static void finish(int64_t begin, int64_t end, void *context) {
    const WinogradGradient &g = *static_cast<WinogradGradient *>(context);
    for (int64_t filter = begin; filter < end; ++filter)
      for (int64_t j = 0; j < g.c.channels; j += lanes) g.finish(filter, j);
  }

  static ALWAYS_INLINE void gather(V<float> a, V<float> b, V<float> c, V<float> d, V<float> (&line)[3]) {
    line[0] = a + (b + c) * 0.5f, line[1] = (b - c) * 0.5f, line[2] = (b + c) * 0.5f + d;
  }

  void finish(int64_t filter, int64_t j) const {
    const int64_t stride = c.filters * in_stride(c), there = c.channels - j < lanes ? c.channels - j : lanes;
    const float *at = sums + filter * in_stride(c) + j;
    V<float> half[4][3];
    for (int r = 0; r < 4; ++r, at += 4 * stride)
      gather(load(at), load(at + stride), load(at + 2 * stride), load(at + 3 * stride), half[r]);
    for (int q = 0; q < 3; ++q) {
      V<float> column[3];
      gather(half[0][q], half[1][q], half[2][q], half[3][q], column);
      for (int r = 0; r < 3; ++r) {
        float *target = gradient.at + filter * gradient.filter_stride + j * gradient.channel_stride +
                        r * gradient.row_stride + q * gradient.column_stride;
        for (int64_t i = 0; i < there; ++i) target[i * gradient.channel_stride] = column[r][i];
      }
    }
  }

  static bool run(const Convolution *c, const Kernel3x3 *gradient, ParallelFor parallel) {
    const int64_t in_size = CELLS * tiles_at_once * in_stride(*c), out_size = CELLS * tiles_at_once * out_stride(*c);
    float *scratch = allocate<float>(in_size + out_size + CELLS * c->filters * in_stride(*c) + c->channels);
    if (!scratch) return false;
    float *out = scratch + in_size, *sums = out + out_size, *zeros = sums + CELLS * c->filters * in_stride(*c);
    std::memset(zeros, 0, c->channels * sizeof(float));
    std::memset(scratch, 0, in_size * sizeof(float)); // behind the last channel
    WinogradGradient g = {*c, *gradient, Tiles(*c, zeros), 0, 0, scratch, out, sums};
    const int64_t all = g.tiles_of.all();
    bool done = true;
    for (; done && g.first < all; g.first += g.count) {
      g.count = all - g.first < tiles_at_once ? all - g.first : tiles_at_once;
      const int64_t work = g.count * c->filters * c->channels;
      done = for_all(parallel, g.count, 1 + WORK_OF_A_THREAD / (CELLS * 8 * (c->channels + c->filters)), spread, &g) &&
             for_all(parallel, CELLS, 1 + WORK_OF_A_THREAD / work, multiply, &g);
    }
    done = done && for_all(parallel, c->filters, 1 + WORK_OF_A_THREAD / (CELLS * 8 * c->channels), finish, &g);
    free(scratch);
    return done;
  }
};
