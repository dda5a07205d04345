// What is done to each value by itself. Included once for each instruction set, inside its namespace.

struct ElementsKernel {
  static constexpr int64_t values_of_a_thread = 1 << 15;

  const Elements &e;

  static void task(int64_t begin, int64_t end, void *context) {
    const ElementsKernel kernel = {*static_cast<const Elements *>(context)};
    const int64_t columns = kernel.e.columns, first = begin * columns, left = kernel.e.count - first;
    if (kernel.e.other)
      kernel.join(first, (end - begin) * columns < left ? (end - begin) * columns : left);
    else
      for (int64_t row = begin; row < end; ++row) kernel.run_row(row * columns);
  }

  void join(int64_t first, int64_t count) const {
    each_vector<float>(count, [&](int64_t j, auto lanes) {
      const V<float> one = lanes.load(e.x + first + j), other = lanes.load(e.other + first + j);
      V<float> y;
      if (e.kind == ADD)
        y = one + other;
      else if (e.kind == TIMES)
        y = one * other;
      else if (e.kind == REST)
        y = (1.0f - one) * other;
      else
        y = (one > other) | (one != one) ? one : other; // NaN stays NaN
      lanes.store(e.y + first + j, y);
    });
  }

  void run_row(int64_t first) const {
    each_vector<float>(e.columns, [&](int64_t j, auto lanes) {
      const V<float> x = lanes.load(e.x + first + j), factor = lanes.load(e.factor + j);
      V<float> y;
      if (e.kind == LEAK)
        y = x > 0.0f ? x : factor * x;
      else if (e.kind == BEND)
        y = x > 0.0f ? x : factor * less_one(x);
      else
        y = x * factor + lanes.load(e.summand + j);
      lanes.store(e.y + first + j, e.relu ? rectified(y) : y);
    });
  }

  static bool run(const Elements *e, ParallelFor parallel) {
    const int64_t grain = 1 + values_of_a_thread / (e->columns + 1);
    return for_all(parallel, (e->count + e->columns - 1) / e->columns, grain, task, const_cast<Elements *>(e));
  }
};
