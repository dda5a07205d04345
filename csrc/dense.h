// Products of rows with a packed matrix, and activations. Included once for each instruction set, inside its namespace.

struct Larger {
  template <typename Lanes> ALWAYS_INLINE Lanes operator()(Lanes a, Lanes b) const { return a > b ? a : b; }
};

// Keras's softmax of rows of n values. A NaN may be lost among the largest, not among the sums.
inline void softmax_row(const float *x, float *y, int64_t n) {
  V<float> most = splat(-INFINITY), sums = {};
  each_vector<float>(n, [&](int64_t j, auto lanes) { most = Larger{}(lanes.load(x + j, -INFINITY), most); });
  const float largest = over_lanes(most, Larger{});
  each_vector<float>(n, [&](int64_t j, auto lanes) {
    const V<float> power = exponential(lanes.load(x + j, -INFINITY) - largest);
    lanes.store(y + j, power);
    sums += power;
  });
  const float total = sum_of_lanes(sums);
  each_vector<float>(n, [&](int64_t j, auto lanes) { lanes.store(y + j, lanes.load(y + j) / total); });
}

// The same of rows that fit a vector: several at once, and all are read before one is written, for which the next one
// would have to wait.
template <int ROWS> void softmax_narrow(const float *x, float *y, int64_t n) {
  const Part<float> lanes = {n};
  V<float> powers[ROWS];
  for (int i = 0; i < ROWS; ++i) powers[i] = lanes.load(x + i * n, -INFINITY);
  for (int i = 0; i < ROWS; ++i) powers[i] = exponential(powers[i] - over_lanes(powers[i], Larger{}));
  for (int i = 0; i < ROWS; ++i) lanes.store(y + i * n, powers[i] / sum_of_lanes(powers[i]));
}

inline void activate_rows(int32_t activation, const float *x, float *y, int64_t rows, int64_t columns) {
  if (activation != SOFTMAX) {
    activate_row<float>(static_cast<Activation>(activation), x, y, rows * columns);
    return;
  }
  constexpr int at_once = 4;
  int64_t row = 0;
  if (columns <= Vector<float>::width) {
    for (; row + at_once <= rows; row += at_once) softmax_narrow<at_once>(x + row * columns, y + row * columns, columns);
    for (; row < rows; ++row) softmax_narrow<1>(x + row * columns, y + row * columns, columns);
  }
  for (; row < rows; ++row) softmax_row(x + row * columns, y + row * columns, columns);
}

struct DenseKernel {
  const Dense *d;
  float *sums; // of few rows: (parts, rows, outputs)

  // Fewer rows take as long as it takes to read the weights, of which tiles have half as much again.
  static constexpr int64_t fewest_for_tiles = 40;

  // Rows that one panel after the other is multiplied with; the depth of a panel that stays in the cache meanwhile.
  static constexpr int64_t rows_at_once = 192, deepest = 512;
  static constexpr int64_t width = PANEL_VECTORS * Vector<float>::width;

  int64_t panels() const { return (d->outputs + width - 1) / width; }
  int64_t parts() const { return (d->inputs + deepest - 1) / deepest; } // of the depth

  // The panels from begin to end, of all rows.
  void run_panels(int64_t begin, int64_t end) const {
    for (int64_t row = 0; row < d->rows; row += rows_at_once) {
      const int64_t rows = d->rows - row < rows_at_once ? d->rows - row : rows_at_once;
      for (int64_t first = begin * width; first < d->outputs && first < end * width; first += width)
        run_panel(row, rows, first);
    }
  }

  void run_panel(int64_t row, int64_t rows, int64_t first) const {
    float *y = d->y + row * d->outputs + first;
    for (int64_t part = 0; part < parts(); ++part) {
      Grouped<const float> added = {y, d->outputs, 0};
      if (part == 0) added = {d->bias ? d->bias + first : nullptr, 0, 0};
      run_part(row, rows, first, part, y, added);
    }
    const int64_t columns = d->outputs - first < width ? d->outputs - first : width;
    if (d->relu)
      for (int64_t r = 0; r < rows; ++r, y += d->outputs) activate_row<float>(RELU, y, y, columns);
  }

  // y = what is added, and the products of some rows with a part of the panel that starts at an output.
  void run_part(int64_t row, int64_t rows, int64_t first, int64_t part, float *y, Grouped<const float> added) const {
    const int64_t k = part * deepest, depth = d->inputs - k < deepest ? d->inputs - k : deepest;
    const float *x = d->x + row * d->inputs + k;
    for (int64_t last = first + width; first < d->outputs && first < last;) { // narrower ones behind the last whole panel
      const int64_t vectors = panel_vectors((padded<float>(d->outputs) - first) / Vector<float>::width);
      const int64_t step = vectors * Vector<float>::width, columns = d->outputs - first < step ? d->outputs - first : step;
      auto multiply = vectors == 4   ? multiply_panel<float, 4>
                      : vectors == 2 ? multiply_panel<float, 2>
                                     : multiply_panel<float, 1>;
      const float *panel = d->weight + first * d->inputs + k * step;
      multiply(1, rows, {x, d->inputs, 0}, panel, depth, {y, d->outputs, 0}, columns, added);
      first += step, y += step, added.at += added.at ? step : 0;
    }
  }

  static void task(int64_t begin, int64_t end, void *context) {
    static_cast<DenseKernel *>(context)->run_panels(begin, end);
  }

  // Parts of panels, from begin to end or from end to begin.
  static void part_task(int64_t begin, int64_t end, void *context) {
    const DenseKernel &kernel = *static_cast<DenseKernel *>(context);
    const Dense &d = *kernel.d;
    const int64_t parts = kernel.parts();
    for (int64_t i = begin; i < end; ++i) {
      const int64_t at = d.backwards ? begin + end - 1 - i : i, first = at / parts * width, part = at % parts;
      kernel.run_part(0, d.rows, first, part, kernel.sums + part * d.rows * d.outputs + first, {nullptr, 0, 0});
    }
  }

  // Adds up the parts, in the order in which run_panel does.
  void add_parts() const {
    const int64_t size = d->rows * d->outputs;
    for (int64_t row = 0; row < d->rows; ++row)
      each_vector<float>(d->outputs, [&](int64_t j, auto lanes) {
        const int64_t at = row * d->outputs + j;
        V<float> sum = lanes.load(sums + at);
        if (d->bias) sum += lanes.load(d->bias + j);
        for (int64_t part = 1; part < parts(); ++part) sum += lanes.load(sums + part * size + at);
        lanes.store(d->y + at, d->relu ? rectified(sum) : sum);
      });
  }

  // Few rows take as long as reading the weights. So these can be read in any order: what was read last is in the cache.
  bool run_parts(ParallelFor parallel) {
    sums = allocate<float>(parts() * d->rows * d->outputs);
    if (!sums) return false;
    const int64_t count = panels() * parts(), work = d->rows * width * deepest;
    const bool done = for_all(parallel, count, 1 + WORK_OF_A_THREAD / (work + 1), part_task, this);
    if (done) add_parts();
    free(sums);
    return done;
  }

  static bool run(const Dense *d, ParallelFor parallel) {
#ifdef HAS_TILES
    if (d->tiles && d->rows >= fewest_for_tiles) {
      const TiledProduct product = {d->rows, d->inputs, d->outputs, d->rows, 1, d->inputs, 0, 0,
                                    d->x, d->tiles, d->bias, nullptr, d->y, d->relu != 0};
      return amx::multiply_packed(&product, parallel);
    }
#endif
    DenseKernel kernel = {d, nullptr};
    if (d->rows <= TILE_ROWS && kernel.parts() > 1) return kernel.run_parts(parallel);
    const int64_t work = d->rows * d->inputs * width;
    return for_all(parallel, kernel.panels(), 1 + WORK_OF_A_THREAD / (work + 1), task, &kernel);
  }
};
