// Images with the zeros around them written out, so that no window reaches outside. Included once for each instruction set,
// inside its namespace.

struct Frame {
  const Convolution *given;
  Convolution c; // of the copies
  float *copies;

  // How many rows or columns windows reach over.
  static int64_t reach(int64_t positions, int64_t stride, int64_t size, int64_t dilation) {
    return (positions - 1) * stride + (size - 1) * dilation + 1;
  }

  explicit Frame(const Convolution *given) : given(given), c(*given), copies(nullptr) {
    c.rows = reach(c.out_rows, c.row_stride, c.kernel_rows, c.row_dilation);
    c.columns = reach(c.out_columns, c.column_stride, c.kernel_columns, c.column_dilation);
    c.top = c.left = 0;
  }

  bool is_needed() const {
    return given->top > 0 || given->left > 0 || c.rows > given->rows || c.columns > given->columns;
  }

  // Writes what a row of a copy has of a row of the image, null for none.
  void write(const float *x, float *target) const {
    const int64_t there = given->columns < c.columns - given->left ? given->columns : c.columns - given->left;
    const int64_t before = given->left * c.channels, values = x && there > 0 ? there * c.channels : 0;
    std::memset(target, 0, c.columns * c.channels * sizeof(float));
    if (values) std::memcpy(target + before, x, values * sizeof(float));
  }

  static void task(int64_t begin, int64_t end, void *context) {
    const Frame &frame = *static_cast<Frame *>(context);
    const Convolution &given = *frame.given, &c = frame.c;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t image = i / c.rows, row = i % c.rows - given.top;
      const bool inside = row >= 0 && row < given.rows;
      const float *x = inside ? given.x + (image * given.rows + row) * given.columns * given.channels : nullptr;
      frame.write(x, frame.copies + i * c.columns * c.channels);
    }
  }

  // Writes the copies, for which there may be no memory.
  bool make(ParallelFor parallel) {
    constexpr int64_t values_of_a_thread = 1 << 16;
    c.x = copies = allocate<float>(c.images * c.rows * c.columns * c.channels);
    const int64_t grain = 1 + values_of_a_thread / (c.columns * c.channels + 1);
    return copies && for_all(parallel, c.images * c.rows, grain, task, this);
  }
};
