// The largest values of windows, or their means. Included once for each instruction set, inside its namespace.

struct PoolingKernel {
  static constexpr int64_t values_of_a_thread = 1 << 14;

  const Pooling &p;

  static void task(int64_t begin, int64_t end, void *context) {
    const PoolingKernel kernel = {*static_cast<const Pooling *>(context)};
    for (int64_t row = begin; row < end; ++row) kernel.run_row(row / kernel.p.out_rows, row % kernel.p.out_rows);
  }

  // What a window that begins at a place, before the first one maybe, has of an axis.
  struct Cells {
    int64_t first, last;
    Cells(int64_t begin, int64_t window, int64_t length)
        : first(begin < 0 ? 0 : begin), last(begin + window > length ? length : begin + window) {}
  };

  void run_row(int64_t image, int64_t out_row) const {
    const Cells rows(out_row * p.row_stride - p.top, p.window_rows, p.rows);
    float *y = p.y + (image * p.out_rows + out_row) * p.out_columns * p.channels;
    for (int64_t out_column = 0; out_column < p.out_columns; ++out_column, y += p.channels) {
      const Cells columns(out_column * p.column_stride - p.left, p.window_columns, p.columns);
      const float *x = p.x + ((image * p.rows + rows.first) * p.columns + columns.first) * p.channels;
      each_vectors<float>(p.channels, [&](int64_t j, auto lanes, auto vectors) {
        p.average ? mean(x + j, rows, columns, y + j, lanes, vectors) : largest(x + j, rows, columns, y + j, lanes, vectors);
      });
    }
  }

  // The cells of a window, one after the other.
  template <typename Body> ALWAYS_INLINE void each_cell(const float *x, Cells rows, Cells columns, Body body) const {
    const int64_t count = columns.last - columns.first;
    for (int64_t row = rows.first; row < rows.last; ++row, x += p.columns * p.channels)
      for (int64_t column = 0; column < count; ++column) body(x + column * p.channels);
  }

  // Of some vectors of channels, side by side as they lie in memory.
  template <typename Lanes, int64_t COUNT>
  ALWAYS_INLINE void largest(const float *x, Cells rows, Cells columns, float *y, Lanes lanes, Number<COUNT>) const {
    constexpr int64_t width = Vector<float>::width;
    V<float> largest[COUNT];
    for (int64_t v = 0; v < COUNT; ++v) largest[v] = lanes.load(x + v * width);
    each_cell(x, rows, columns, [&](const float *cell) ALWAYS_INLINE_LAMBDA {
      for (int64_t v = 0; v < COUNT; ++v) {
        const V<float> value = lanes.load(cell + v * width);
        largest[v] = (value > largest[v]) | (value != value) ? value : largest[v]; // NaN stays NaN
      }
    });
    for (int64_t v = 0; v < COUNT; ++v) lanes.store(y + v * width, largest[v]);
  }

  template <typename Lanes, int64_t COUNT>
  ALWAYS_INLINE void mean(const float *x, Cells rows, Cells columns, float *y, Lanes lanes, Number<COUNT>) const {
    constexpr int64_t width = Vector<float>::width;
    V<float> sums[COUNT] = {};
    each_cell(x, rows, columns, [&](const float *cell) ALWAYS_INLINE_LAMBDA {
      for (int64_t v = 0; v < COUNT; ++v) sums[v] += lanes.load(cell + v * width);
    });
    const V<float> count = splat(static_cast<float>((rows.last - rows.first) * (columns.last - columns.first)));
    for (int64_t v = 0; v < COUNT; ++v) lanes.store(y + v * width, sums[v] / count);
  }

  static bool run(const Pooling *p, ParallelFor parallel) {
    const int64_t work = p->out_columns * p->channels * p->window_rows * p->window_columns;
    return for_all(parallel, p->images * p->out_rows, 1 + values_of_a_thread / (work + 1), task, const_cast<Pooling *>(p));
  }
};
