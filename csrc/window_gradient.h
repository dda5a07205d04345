// The gradient of the kernel of a convolution of images with few channels: each value under a window times the gradient of
// what came out, summed up over all positions. Images are summed up in parts, and the parts in their order, so that nothing
// depends on how many threads there are. Included once for each instruction set, inside its namespace.

struct WindowGradient {
  const Convolution &c; // without zeros around; y: the gradient of the result
  int64_t parts;
  float *sums;     // (parts, depth, filters)
  float *gradient; // (filters, depth)

  static constexpr int64_t most_parts = 16, lanes = Vector<float>::width;
  static constexpr int64_t together = 512; // positions whose sums stay in registers: sums of sums lose fewer digits
  static constexpr int most = BYTES == 64 ? 9 : 6; // values under a window at a time, with two vectors of filters each

  int64_t depth() const { return c.kernel_rows * c.kernel_columns * c.channels; }

  // From the first value under a window to another one.
  int64_t offset(int64_t k) const {
    const int64_t line = c.kernel_columns * c.channels, column = k % line / c.channels;
    return (k / line * c.row_dilation * c.columns + column * c.column_dilation) * c.channels + k % c.channels;
  }

  // Adds what some lines of an image give for some values under the windows and some vectors of filters.
  template <int VALUES, int VECTORS, typename Lanes>
  void add(int64_t first, int64_t filter, const float *x, const float *y, int64_t lines, float *sum, Lanes last) const {
    V<float> total[VALUES][VECTORS] = {};
    const int64_t step = c.column_stride * c.channels;
    int64_t offsets[VALUES];
    for (int i = 0; i < VALUES; ++i) offsets[i] = offset(first + i);
    for (int64_t line = 0; line < lines; ++line, x += c.row_stride * c.columns * c.channels) {
      const float *at[VALUES];
      unrolled<VALUES>([&](int i) ALWAYS_INLINE_LAMBDA { at[i] = x + offsets[i]; });
      for (int64_t p = 0, place = 0; p < c.out_columns; ++p, place += step, y += c.filters) {
        V<float> of_result[VECTORS];
        unrolled<VECTORS>([&](int v) ALWAYS_INLINE_LAMBDA {
          const float *from = y + filter + v * lanes;
          of_result[v] = v + 1 < VECTORS ? load(from) : last.load(from);
        });
        unrolled<VALUES>([&](int i) ALWAYS_INLINE_LAMBDA {
          const V<float> value = splat(at[i][place]);
          unrolled<VECTORS>([&](int v) ALWAYS_INLINE_LAMBDA { total[i][v] += value * of_result[v]; });
        });
      }
    }
    float *target = sum + first * c.filters + filter;
    unrolled<VALUES>([&](int i) ALWAYS_INLINE_LAMBDA {
      unrolled<VECTORS>([&](int v) ALWAYS_INLINE_LAMBDA {
        float *to = target + i * c.filters + v * lanes;
        if (v + 1 < VECTORS)
          store(to, load(to) + total[i][v]);
        else
          last.store(to, last.load(to) + total[i][v]);
      });
    });
  }

  template <int VECTORS, typename Lanes>
  void add_all(int64_t filter, const float *x, const float *y, int64_t lines, float *sum, Lanes last) const {
    const int64_t groups = (depth() + most - 1) / most;
    for (int64_t group = 0; group < groups; ++group) {
      const int64_t first = depth() * group / groups, values = depth() * (group + 1) / groups - first;
      switch (values) {
#define VALUES(N)                                                                                                      \
  case N:                                                                                                              \
    if constexpr (N <= most) add<N, VECTORS>(first, filter, x, y, lines, sum, last);                                   \
    break;
        VALUES(1) VALUES(2) VALUES(3) VALUES(4) VALUES(5) VALUES(6) VALUES(7) VALUES(8) VALUES(9)
#undef VALUES
      }
    }
  }

  void add_lines(const float *x, const float *y, int64_t lines, float *sum) const {
    for (int64_t filter = 0; filter < c.filters;) {
      const int64_t left = c.filters - filter, vectors = left > lanes ? 2 : 1, there = left - (vectors - 1) * lanes;
      const auto add_with = [&](auto last) {
        vectors == 2 ? add_all<2>(filter, x, y, lines, sum, last) : add_all<1>(filter, x, y, lines, sum, last);
      };
      if (there >= lanes)
        add_with(Whole<float>{});
      else
        add_with(Part<float>{there});
      filter += vectors * lanes;
    }
  }

  static void task(int64_t begin, int64_t end, void *context) {
    const WindowGradient &g = *static_cast<WindowGradient *>(context);
    const Convolution &c = g.c;
    const int64_t at_once = together > c.out_columns ? together / c.out_columns : 1;
    for (int64_t part = begin; part < end; ++part) {
      float *sum = g.sums + part * g.depth() * c.filters;
      std::memset(sum, 0, g.depth() * c.filters * sizeof(float));
      for (int64_t image = c.images * part / g.parts; image < c.images * (part + 1) / g.parts; ++image)
        for (int64_t line = 0; line < c.out_rows; line += at_once) {
          const int64_t lines = c.out_rows - line < at_once ? c.out_rows - line : at_once;
          g.add_lines(c.x + (image * c.rows + line * c.row_stride) * c.columns * c.channels,
                      c.y + (image * c.out_rows + line) * c.out_columns * c.filters, lines, sum);
        }
    }
  }

  void finish() const {
    for (int64_t filter = 0; filter < c.filters; ++filter)
      for (int64_t k = 0; k < depth(); ++k) {
        float total = 0;
        for (int64_t part = 0; part < parts; ++part) total += sums[(part * depth() + k) * c.filters + filter];
        gradient[filter * depth() + k] = total;
      }
  }

  static bool run(const Convolution *given, float *gradient, ParallelFor parallel) {
    Frame frame(given);
    const bool framed = frame.is_needed();
    if (framed && !frame.make(parallel)) return free(frame.copies), false;
    const int64_t parts = given->images < most_parts ? given->images : most_parts;
    WindowGradient g = {framed ? frame.c : *given, parts, nullptr, gradient};
    g.sums = allocate<float>(g.parts * g.depth() * given->filters);
    const int64_t work = given->images * given->out_rows * given->out_columns * given->filters * g.depth();
    const bool done = g.sums && for_all(parallel, g.parts, 1 + WORK_OF_A_THREAD / (work / g.parts + 1), task, &g);
    if (done) g.finish();
    free(g.sums);
    free(frame.copies);
    return done;
  }
};
