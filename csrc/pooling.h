// The largest values of windows. Included once for each instruction set, inside its namespace.

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
      each_vector<float>(p.channels, [&](int64_t j, auto lanes) {
        V<float> largest = lanes.load(x + j);
        for (int64_t row = rows.first; row < rows.last; ++row)
          for (int64_t column = columns.first; column < columns.last; ++column) {
            const int64_t cell = (row - rows.first) * p.columns + column - columns.first;
            const V<float> value = lanes.load(x + cell * p.channels + j);
            largest = (value > largest) | (value != value) ? value : largest; // NaN stays NaN
          }
        lanes.store(y + j, largest);
      });
    }
  }

  static bool run(const Pooling *p, ParallelFor parallel) {
    const int64_t work = p->out_columns * p->channels * p->window_rows * p->window_columns;
    return for_all(parallel, p->images * p->out_rows, 1 + values_of_a_thread / (work + 1), task, const_cast<Pooling *>(p));
  }
};
