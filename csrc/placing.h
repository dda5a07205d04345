// Values put into a larger place. Included once for each instruction set, inside its namespace.

struct PlacingKernel {
  static constexpr int64_t values_of_a_thread = 1 << 15;

  const Placing &p;

  static void task(int64_t begin, int64_t end, void *context) {
    const PlacingKernel kernel = {*static_cast<const Placing *>(context)};
    for (int64_t row = begin; row < end; ++row) kernel.run_row(row / kernel.p.out_rows, row % kernel.p.out_rows);
  }

  void run_row(int64_t image, int64_t out_row) const {
    const int64_t line = p.out_columns * p.out_channels, row = out_row - p.top;
    float *y = p.y + (image * p.out_rows + out_row) * line;
    if (p.zeros) std::memset(y, 0, line * sizeof(float));
    if (row < 0 || row >= p.rows * p.row_times) return;
    const float *x = p.x + (image * p.rows + row / p.row_times) * p.columns * p.channels;
    const int64_t out = p.left < 0 ? -p.left : 0, left = p.left < 0 ? 0 : p.left; // out: columns that are left out
    const int64_t room = (p.out_columns - left) / p.column_times, last = room < p.columns - out ? out + room : p.columns;
    x += out * p.channels;
    y += left * p.out_channels + p.first;
    if (p.column_times == 1 && p.channels == p.out_channels) {
      std::memcpy(y, x, (last - out) * p.channels * sizeof(float));
      return;
    }
    for (int64_t column = out; column < last; ++column, x += p.channels)
      for (int64_t i = 0; i < p.column_times; ++i, y += p.out_channels)
        each_vector<float>(p.channels, [&](int64_t j, auto lanes) { lanes.store(y + j, lanes.load(x + j)); });
  }

  static bool run(const Placing *p, ParallelFor parallel) {
    const int64_t grain = 1 + values_of_a_thread / (p->out_columns * p->channels + 1);
    return for_all(parallel, p->images * p->out_rows, grain, task, const_cast<Placing *>(p));
  }
};
