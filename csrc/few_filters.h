// Convolutions by few filters of several cells. All cells of all filters are multiplied with each value of the images at
// once, as those of one filter would leave most of a vector empty, and the products are added up where they belong. Included
// once for each instruction set, inside its namespace.

struct FewFilters {
  const Convolution &c; // with the weight of ConvolutionKernel, one panel of one vector
  float *packed;        // (channels, products), packed
  bool failed;

  static constexpr int64_t lanes = Vector<float>::width, most = 3;
  static constexpr int64_t lines_at_once = 16; // of the result

  static bool suits(const Convolution &c) {
    const bool is_plain = c.pool_rows * c.pool_columns == 1 && !c.other;
    return c.filters <= most && c.kernel_rows * c.kernel_columns > 1 && is_plain;
  }

  int64_t products() const { return c.kernel_rows * c.kernel_columns * c.filters; }
  int64_t bands() const { return (c.out_rows + lines_at_once - 1) / lines_at_once; }

  void pack_products() const {
    const int64_t columns = padded<float>(products());
    for (int64_t first = 0; first < columns;) {
      const int64_t width = panel_vectors((columns - first) / lanes) * lanes;
      float *panel = packed + first * c.channels;
      for (int64_t j = 0; j < width; ++j) {
        const int64_t cell = (first + j) / c.filters, filter = (first + j) % c.filters;
        for (int64_t k = 0; k < c.channels; ++k)
          panel[k * width + j] = first + j < products() ? c.weight[(cell * c.channels + k) * lanes + filter] : 0.0f;
      }
      first += width;
    }
  }

  // The positions whose windows have a column under one of their cells: those from "first" to "end".
  void positions_over(int64_t cell, int64_t &first, int64_t &end) const {
    const int64_t shift = cell * c.column_dilation - c.left, step = c.column_stride; // column = position * step + shift
    first = shift < 0 ? (-shift + step - 1) / step : 0;
    end = c.columns - shift > 0 ? (c.columns - shift + step - 1) / step : 0;
    if (end > c.out_columns) end = c.out_columns;
  }

  // Adds a line's products to the line of the result that sees it with one of the kernel's rows.
  void add(const float *line, int64_t kernel_row, float *y) const {
    for (int64_t q = 0; q < c.kernel_columns; ++q) {
      int64_t first, end;
      positions_over(q, first, end);
      const int64_t step = c.column_stride * products(), filters = c.filters;
      const float *at = line + (first * c.column_stride + q * c.column_dilation - c.left) * products() +
                        (kernel_row * c.kernel_columns + q) * filters;
      for (int64_t p = first; p < end; ++p, at += step)
        for (int64_t f = 0; f < filters; ++f) y[p * filters + f] += at[f];
    }
  }

  void run_band(int64_t image, int64_t first, int64_t count, float *line) const {
    const int64_t values = c.out_columns * c.filters, span = (c.kernel_rows - 1) * c.row_dilation;
    float *y = c.y + (image * c.out_rows + first) * values;
    for (int64_t i = 0; i < count * values; ++i) y[i] = c.bias ? c.bias[i % c.filters] : 0.0f;
    const int64_t begin = first * c.row_stride - c.top, end = (first + count - 1) * c.row_stride - c.top + span + 1;
    for (int64_t row = begin < 0 ? 0 : begin; row < end && row < c.rows; ++row) {
      const float *x = c.x + (image * c.rows + row) * c.columns * c.channels;
      multiply<float>(1, c.columns, {x, c.channels, 0}, packed, c.channels, products(), {line, products(), 0},
                      {nullptr, 0, 0});
      for (int64_t r = 0; r < c.kernel_rows; ++r) {
        const int64_t above = row + c.top - r * c.row_dilation, position = above / c.row_stride - first;
        const bool is_seen = above >= 0 && above % c.row_stride == 0 && position >= 0 && position < count;
        if (is_seen) add(line, r, y + position * values);
      }
    }
    for (int64_t i = 0; c.relu && i < count * values; ++i) y[i] = y[i] < 0.0f ? 0.0f : y[i]; // NaN stays NaN
  }

  static void task(int64_t begin, int64_t end, void *context) {
    FewFilters &few = *static_cast<FewFilters *>(context);
    float *line = allocate<float>(few.c.columns * few.products());
    for (int64_t i = begin; line && i < end; ++i) {
      const int64_t first = i % few.bands() * lines_at_once, left = few.c.out_rows - first;
      few.run_band(i / few.bands(), first, left < lines_at_once ? left : lines_at_once, line);
    }
    if (!line) __atomic_store_n(&few.failed, true, __ATOMIC_RELAXED);
    free(line);
  }

  static bool run(const Convolution *c, ParallelFor parallel) {
    FewFilters few = {*c, nullptr, false};
    few.packed = allocate<float>(c->channels * padded<float>(few.products()));
    if (!few.packed) return false;
    few.pack_products();
    const int64_t work = lines_at_once * c->row_stride * c->columns * c->channels * padded<float>(few.products());
    const bool done = for_all(parallel, c->images * few.bands(), 1 + WORK_OF_A_THREAD / work, task, &few);
    free(few.packed);
    return done && !few.failed;
  }
};
