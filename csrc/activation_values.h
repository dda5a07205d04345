// Activations of rows and their gradients. Included once for each instruction set, inside its namespace.

struct ActivatedKernel {
  static constexpr int64_t values_of_a_thread = 1 << 14;

  static void task(int64_t begin, int64_t end, void *context) {
    const Activated &a = *static_cast<const Activated *>(context);
    const int64_t first = begin * a.columns;
    activate_rows(a.activation, a.x + first, a.y + first, end - begin, a.columns);
  }

  static void gradient_task(int64_t begin, int64_t end, void *context) {
    const Activated &a = *static_cast<const Activated *>(context);
    for (int64_t row = begin; row < end; ++row) {
      const int64_t first = row * a.columns;
      softmax_gradient(a.gradient + first, a.y + first, a.result + first, a.columns);
    }
  }

  static void softmax_gradient(const float *gradient, const float *y, float *result, int64_t n) {
    V<float> sums = {};
    each_vector<float>(n, [&](int64_t j, auto lanes) { sums += lanes.load(gradient + j) * lanes.load(y + j); });
    const float sum = sum_of_lanes(sums);
    each_vector<float>(n, [&](int64_t j, auto lanes) {
      lanes.store(result + j, (lanes.load(gradient + j) - sum) * lanes.load(y + j));
    });
  }

  static bool run(const Activated *a, bool gradient, ParallelFor parallel) {
    const int64_t grain = 1 + values_of_a_thread / (a->columns + 1);
    return for_all(parallel, a->rows, grain, gradient ? gradient_task : task, const_cast<Activated *>(a));
  }
};
