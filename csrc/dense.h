// Products of rows with a packed matrix, and activations. Included once for each instruction set, inside its namespace.

// Keras's softmax of a row of n values.
inline void softmax_row(const float *x, float *y, int64_t n) {
  V<float> most = splat(x[0]);
  each_vector<float>(n, [&](int64_t j, auto lanes) {
    V<float> value = lanes.load(x + j);
    for (int64_t i = 0; i < Vector<float>::width; ++i)
      if (j + i < n && !(value[i] <= most[0])) most[0] = value[i]; // NaN stays
  });
  const float largest = most[0];
  float total = 0;
  for (int64_t j = 0; j < n; j += Vector<float>::width) {
    const int64_t count = n - j < Vector<float>::width ? n - j : Vector<float>::width;
    const V<float> value = exponential(Part<float>{count}.load(x + j) - largest);
    Part<float>{count}.store(y + j, value);
    for (int64_t i = 0; i < count; ++i) total += value[i];
  }
  for (int64_t j = 0; j < n; ++j) y[j] /= total;
}

inline void activate_rows(int32_t activation, const float *x, float *y, int64_t rows, int64_t columns) {
  if (activation != SOFTMAX) {
    activate_row<float>(static_cast<Activation>(activation), x, y, rows * columns);
    return;
  }
  for (int64_t row = 0; row < rows; ++row) softmax_row(x + row * columns, y + row * columns, columns);
}

struct DenseKernel {
  const Dense *d;

  // Rows that one panel after the other is multiplied with; the depth of a panel that stays in the cache meanwhile.
  static constexpr int64_t rows_at_once = 192, deepest = 512;

  // The panels from begin to end, of all rows.
  void run_panels(int64_t begin, int64_t end) const {
    constexpr int64_t width = PANEL_VECTORS * Vector<float>::width;
    for (int64_t row = 0; row < d->rows; row += rows_at_once) {
      const int64_t rows = d->rows - row < rows_at_once ? d->rows - row : rows_at_once;
      for (int64_t first = begin * width; first < d->outputs && first < end * width;) {
        const int64_t vectors = panel_vectors((padded<float>(d->outputs) - first) / Vector<float>::width);
        run_panel(vectors, row, rows, first);
        first += vectors * Vector<float>::width;
      }
    }
  }

  void run_panel(int64_t vectors, int64_t row, int64_t rows, int64_t first) const {
    const int64_t width = vectors * Vector<float>::width;
    const int64_t columns = d->outputs - first < width ? d->outputs - first : width;
    const float *x = d->x + row * d->inputs, *panel = d->weight + first * d->inputs;
    float *y = d->y + row * d->outputs + first;
    auto multiply = vectors == 4 ? multiply_panel<float, 4> : vectors == 2 ? multiply_panel<float, 2> : multiply_panel<float, 1>;
    for (int64_t k = 0; k < d->inputs; k += deepest) {
      Grouped<const float> added = {y, d->outputs, 0};
      if (k == 0) added = {d->bias ? d->bias + first : nullptr, 0, 0};
      const int64_t depth = d->inputs - k < deepest ? d->inputs - k : deepest;
      multiply(1, rows, {x + k, d->inputs, 0}, panel + k * width, depth, {y, d->outputs, 0}, columns, added);
    }
    if (d->relu)
      for (int64_t r = 0; r < rows; ++r, y += d->outputs) activate_row<float>(RELU, y, y, columns);
  }

  static void task(int64_t begin, int64_t end, void *context) {
    FlushDenormals flush;
    static_cast<DenseKernel *>(context)->run_panels(begin, end);
  }

  static bool run(const Dense *d, ParallelFor parallel) {
    DenseKernel kernel = {d};
    constexpr int64_t width = PANEL_VECTORS * Vector<float>::width;
    const int64_t panels = (d->outputs + width - 1) / width;
    return for_all(parallel, panels, 1 + WORK_OF_A_THREAD / (d->rows * d->inputs * width + 1), task, &kernel);
  }
};
