// Convolutions of each channel by itself. Included once for each instruction set, inside its namespace.

struct DepthwiseKernel {
  static constexpr int64_t values_of_a_thread = 1 << 14;
  static constexpr int at_once = 4; // positions side by side

  const Depthwise &d;

  static void task(int64_t begin, int64_t end, void *context) {
    const DepthwiseKernel kernel = {*static_cast<const Depthwise *>(context)};
    for (int64_t row = begin; row < end; ++row) kernel.run_row(row / kernel.d.out_rows, row % kernel.d.out_rows);
  }

  // Which cells of a kernel are inside of an image, on one axis.
  struct Inside {
    int64_t first, last;
    Inside(int64_t begin, int64_t size, int64_t length)
        : first(begin < 0 ? -begin : 0), last(length - begin < size ? length - begin : size) {}
  };

  void run_row(int64_t image, int64_t out_row) const {
    const int64_t top = out_row * d.row_stride - d.top;
    const Inside rows(top, d.kernel_rows, d.rows);
    const float *x = d.x + (image * d.rows + top) * d.columns * d.channels;
    float *y = d.y + (image * d.out_rows + out_row) * d.out_columns * d.channels;
    // Positions whose kernels have all their columns inside.
    const int64_t begin = (d.left + d.column_stride - 1) / d.column_stride, reach = d.columns - d.kernel_columns + d.left;
    const int64_t end = reach < 0 ? 0 : reach / d.column_stride + 1, most = end < d.out_columns ? end : d.out_columns;
    each_vector<float>(d.channels, [&](int64_t j, auto lanes) {
      int64_t column = 0;
      for (; column < d.out_columns && column < begin; ++column) run_at<1>(x + j, y + j, j, column, rows, lanes);
      for (; column + at_once <= most; column += at_once) run_at<at_once>(x + j, y + j, j, column, rows, lanes);
      for (; column < d.out_columns; ++column) run_at<1>(x + j, y + j, j, column, rows, lanes);
    });
  }

  // Positions side by side; if there are several, all columns of their kernels are inside.
  template <int COLUMNS, typename Lanes>
  ALWAYS_INLINE void run_at(const float *x, float *y, int64_t channel, int64_t column, Inside rows, Lanes lanes) const {
    const int64_t left = column * d.column_stride - d.left, step = d.column_stride * d.channels;
    const Inside columns(left, d.kernel_columns, d.columns);
    V<float> sums[COLUMNS];
    for (int i = 0; i < COLUMNS; ++i) sums[i] = d.bias ? lanes.load(d.bias + channel) : splat(0.0f);
    for (int64_t row = rows.first; row < rows.last; ++row)
      for (int64_t k = columns.first; k < columns.last; ++k) {
        const V<float> weight = lanes.load(d.weight + (row * d.kernel_columns + k) * d.channels + channel);
        const float *from = x + (row * d.columns + left + k) * d.channels;
#pragma GCC unroll 4
        for (int i = 0; i < COLUMNS; ++i) sums[i] += weight * lanes.load(from + i * step);
      }
    for (int i = 0; i < COLUMNS; ++i) lanes.store(y + (column + i) * d.channels, d.relu ? rectified(sums[i]) : sums[i]);
  }

  static bool run(const Depthwise *d, ParallelFor parallel) {
    const int64_t work = d->out_columns * d->channels * d->kernel_rows * d->kernel_columns;
    const int64_t grain = 1 + values_of_a_thread / (work + 1);
    return for_all(parallel, d->images * d->out_rows, grain, task, const_cast<Depthwise *>(d));
  }
};
