// The gradient of a weight: the sum over all samples and steps of what came out times what went in. Each value is summed
// up by one thread in the order of the rows, so that it does not depend on how many threads there are. Included once for
// each instruction set, inside its namespace.

template <typename T> struct WeightGradient {
  static constexpr int64_t few = 16; // rows whose totals are added up by themselves: sums of sums lose fewer digits
  static constexpr int64_t block_rows = 8 * TILE_ROWS;
  static constexpr int64_t width = PANEL_VECTORS * Vector<T>::width;

  const Product &p;
  const T *out;
  T *packed; // of double: the matrix "in"

  // The totals of some columns, row by row as they lie in memory.
  void add_rows(int64_t begin, int64_t end) const {
    T *total = static_cast<T *>(p.out_total) + begin;
    for (int64_t k0 = 0; k0 < p.rows; k0 += few) {
      const T *row = out + k0 * p.out_stride + begin;
      const int64_t rows = p.rows - k0 < few ? p.rows - k0 : few;
      each_vector<T>(end - begin, [&](int64_t i, auto lanes) {
        V<T> part = {};
        for (int64_t k = 0; k < rows; ++k) part += lanes.load(row + k * p.out_stride + i);
        lanes.store(total + i, k0 ? lanes.load(total + i) + part : part);
      });
    }
  }

  static void total_task(int64_t begin, int64_t end, void *context) {
    const WeightGradient &gradient = *static_cast<WeightGradient *>(context);
    const int64_t last = end * width < gradient.p.outputs ? end * width : gradient.p.outputs;
    gradient.add_rows(begin * width, last);
  }

  static void block_task(int64_t begin, int64_t end, void *context) {
    const WeightGradient &gradient = *static_cast<WeightGradient *>(context);
    for (int64_t block = begin; block < end; ++block) gradient.run_block(block * block_rows);
  }

  void run_block(int64_t first_row) const {
    const int64_t rows = p.outputs - first_row < block_rows ? p.outputs - first_row : block_rows;
    for (int64_t first = 0; first < p.inputs;) {
      const int64_t vectors = panel_vectors((padded<T>(p.inputs) - first) / Vector<T>::width);
      auto run = vectors == 4 ? run_panel<4> : vectors == 2 ? run_panel<2> : run_panel<1>;
      run(*this, first_row, rows, first);
      first += vectors * Vector<T>::width;
    }
  }

  template <int VECTORS>
  static void run_panel(const WeightGradient &gradient, int64_t first_row, int64_t rows, int64_t first) {
    const Product &p = gradient.p;
    auto left_of = [&](int64_t row, int64_t) { return Left<T>{gradient.out + first_row + row, 1, p.out_stride}; };
    T *c = static_cast<T *>(p.gradient) + first_row * p.inputs + first;
    tiles<T, VECTORS>(rows, left_of, gradient.packed + first * p.rows, VECTORS * Vector<T>::width, p.rows, c, p.inputs,
                      p.inputs - first, nullptr, 0);
  }

  // Of double precision, which is for checks more than for speed.
  bool multiply(const double *in, ParallelFor parallel) {
    packed = allocate<double>(p.rows * padded<double>(p.inputs));
    if (!packed) return false;
    pack(in, p.in_stride, int64_t(1), p.rows, p.inputs, packed);
    const int64_t grain = 1 + WORK_OF_A_THREAD / (p.rows * p.inputs * block_rows);
    const bool done = for_all(parallel, (p.outputs + block_rows - 1) / block_rows, grain, block_task, this);
    free(packed);
    return done;
  }

  bool multiply(const float *in, ParallelFor parallel) const {
    const Matrix left = {const_cast<float *>(out), 1, p.out_stride}, right = {const_cast<float *>(in), p.in_stride, 1};
    const Matrix result = {static_cast<float *>(p.gradient), p.inputs, 1};
    const MatrixProduct product = {p.outputs, p.inputs, p.rows, left, right, result};
    return ThinProduct::run(&product, parallel);
  }

  static bool run(const Product *p, ParallelFor parallel) {
    WeightGradient gradient = {*p, static_cast<const T *>(p->out), nullptr};
    const int64_t panels = (p->outputs + width - 1) / width, grain = 1 + WORK_OF_A_THREAD / (p->rows * width + 1);
    if (p->out_total && !for_all(parallel, panels, grain, total_task, &gradient)) return false;
    return gradient.multiply(static_cast<const T *>(p->in), parallel);
  }
};
