// The cross-entropy of probabilities. Included once for each instruction set, inside its namespace.

struct EntropyKernel {
  const Entropy &e;

  static void task(int64_t begin, int64_t end, void *context) {
    const EntropyKernel kernel = {*static_cast<const Entropy *>(context)};
    for (int64_t row = begin; row < end; ++row) kernel.run_row(row);
  }

  template <typename Value> float sum_of(Value value) const {
    V<float> sums = {};
    each_vector<float>(e.classes, [&](int64_t j, auto lanes) { sums += value(j, lanes); });
    return sum_of_lanes(sums);
  }

  void run_row(int64_t row) const {
    const float *t = e.targets + row * e.classes, *p = e.probabilities + row * e.classes;
    const float sum = sum_of([&](int64_t j, auto lanes) { return lanes.load(p + j); });
    float score = 0;
    for (int64_t j = 0; j < e.classes; ++j) {
      const float share = p[j] / sum;
      if (t[j] != 0 || share != share) score -= t[j] * ::logf(clipped(share)); // NaN stays
    }
    e.scores[row] = score;
    if (e.gradient) write_gradient(t, p, sum, e.gradient + row * e.classes);
  }

  float clipped(float x) const { return x < e.least ? e.least : x > e.most ? e.most : x; }

  // Of the score after p / sum(p); what was clipped has none there.
  void write_gradient(const float *t, const float *p, float sum, float *gradient) const {
    const float over_sum = sum_of([&](int64_t j, auto lanes) {
      const V<float> share = lanes.load(p + j) / sum;
      const V<float> slope = share < e.least || share > e.most ? splat(0.0f) : -lanes.load(t + j) / share;
      lanes.store(gradient + j, slope);
      return slope * share; // lanes that are not there give 0
    });
    const float over = e.factor / sum;
    each_vector<float>(e.classes, [&](int64_t j, auto lanes) {
      lanes.store(gradient + j, (lanes.load(gradient + j) - over_sum) * over);
    });
  }

  static bool run(const Entropy *e, ParallelFor parallel) {
    constexpr int64_t values_of_a_thread = 1 << 13;
    return for_all(parallel, e->rows, 1 + values_of_a_thread / (e->classes + 1), task, const_cast<Entropy *>(e));
  }
};
