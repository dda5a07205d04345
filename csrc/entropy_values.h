// The cross-entropy of probabilities, and binary ones. Included once for each instruction set, inside its namespace.

// The natural logarithm of what is above 0 and no denormal number, within 2 units in the last place (Cephes).
ALWAYS_INLINE V<float> logarithm(V<float> x) {
  const Bits bits = bits_of(x);
  Bits power = (bits >> 23) - 126;
  V<float> m = from_bits((bits & 0x7fffff) | 0x3f000000); // from 0.5 to 1
  const Bits small = m < 0.70710678118654752f; // all bits where it is
  power += small;
  m = (small ? m + m : m) - 1.0f;
  const V<float> n = __builtin_convertvector(power, V<float>), square = m * m;
  V<float> p = splat(7.0376836292e-2f);
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  const V<float> rest = p * m * square - n * 2.12194440e-4f - square * 0.5f;
  const V<float> result = m + rest + n * 0.693359375f;
  return x == x ? result : x;
}

struct EntropyKernel {
  const Entropy &e;

  static void task(int64_t begin, int64_t end, void *context) {
    const EntropyKernel kernel = {*static_cast<const Entropy *>(context)};
    for (int64_t row = begin; row < end; ++row) kernel.e.binary ? kernel.run_binary_row(row) : kernel.run_row(row);
  }

  static ALWAYS_INLINE V<float> there(V<float> x, Whole<float>) { return x; }
  static ALWAYS_INLINE V<float> there(V<float> x, Part<float> part) {
    float values[Vector<float>::width];
    store(values, x);
    return part.load(values);
  }

  // By way of the logits, as Keras does: rounding near 0 and 1 is then the same.
  void run_binary_row(int64_t row) const {
    const float *t = e.targets + row * e.classes, *p = e.probabilities + row * e.classes;
    float *gradient = e.gradient ? e.gradient + row * e.classes : nullptr;
    const float factor = e.factor / static_cast<float>(e.classes);
    V<float> sums = {};
    each_vector<float>(e.classes, [&](int64_t j, auto lanes) {
      const V<float> given = lanes.load(p + j, 0.5f), target = lanes.load(t + j, 0.5f);
      V<float> share = given < e.least ? splat(e.least) : given;
      share = share > e.most ? splat(e.most) : share;
      const V<float> rest = 1.0f - share, logit = logarithm(share / rest);
      const V<float> power = exponential(-magnitude<float>(logit)), sum = power + 1.0f;
      const V<float> log_of_sum = logarithm(sum) - ((sum - 1.0f) - power) / sum; // what rounding took from the sum
      const V<float> score = (logit < 0.0f ? splat(0.0f) : logit) - logit * target + log_of_sum;
      sums += there(score, lanes);
      if (gradient) {
        const V<float> slope = ((logit < 0.0f ? power : splat(1.0f)) / sum - target) * factor / share / rest;
        lanes.store(gradient + j, (given < e.least) | (given > e.most) ? splat(0.0f) : slope);
      }
    });
    e.scores[row] = sum_of_lanes(sums) / static_cast<float>(e.classes);
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
