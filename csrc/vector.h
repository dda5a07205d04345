// Vectors of the compiler's own (GCC and Clang), and Keras's activations on them. BYTES is the size of a vector.
// Included once for each instruction set, inside its namespace.

template <typename T> struct Vector {
  typedef T type __attribute__((vector_size(BYTES)));
  static constexpr int64_t width = BYTES / sizeof(T);
};
template <typename T> using V = typename Vector<T>::type;

template <typename T> ALWAYS_INLINE V<T> splat(T x) { return x - V<T>{}; } // not +, which would make -0 a 0

template <typename T> ALWAYS_INLINE V<T> load(const T *p) {
  V<T> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

template <typename T> ALWAYS_INLINE void store(T *p, V<T> v) { std::memcpy(p, &v, sizeof v); }

// How many lanes of a vector are there: all, or the first few at the end of a row.
template <typename T> struct Whole {
  ALWAYS_INLINE V<T> load(const T *p) const { return ISA::load(p); }
  ALWAYS_INLINE void store(T *p, V<T> v) const { ISA::store(p, v); }
};

template <typename T> struct Part {
  int64_t lanes;
  V<T> load(const T *p) const {
    T values[Vector<T>::width] = {};
    for (int64_t i = 0; i < lanes; ++i) values[i] = p[i];
    return ISA::load(values);
  }
  void store(T *p, V<T> v) const {
    T values[Vector<T>::width];
    ISA::store(values, v);
    for (int64_t i = 0; i < lanes; ++i) p[i] = values[i];
  }
};

// Calls body(j, lanes) for the vectors of a row of n values.
template <typename T, typename Body> ALWAYS_INLINE void each_vector(int64_t n, Body body) {
  int64_t j = 0;
  for (; j + Vector<T>::width <= n; j += Vector<T>::width) body(j, Whole<T>{});
  if (j < n) body(j, Part<T>{n - j});
}

// e^x: 2^n e^r with |r| <= ln 2 / 2, and a polynomial for e^r (Cephes); within 2 units in the last place.
ALWAYS_INLINE V<float> exponential(V<float> x) {
  typedef int32_t Whole32 __attribute__((vector_size(BYTES)));
  x = x > 88.3f ? splat(88.3f) : x;
  x = x < -87.3f ? splat(-87.3f) : x;
  const float to_whole = 12582912.0f; // 1.5 * 2^23: the sum has no fraction
  V<float> n = (x * 1.44269504088896341f + to_whole) - to_whole;
  V<float> r = x - n * 0.693359375f + n * 2.12194440e-4f;
  V<float> p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  Whole32 power = (__builtin_convertvector(n, Whole32) + 127) << 23;
  V<float> scale;
  std::memcpy(&scale, &power, sizeof scale);
  return p * scale;
}

ALWAYS_INLINE V<float> hyperbolic_tangent(V<float> x) {
  V<float> size = x < 0.0f ? -x : x;
  V<float> square = x * x;
  V<float> p = splat(-5.70498872745e-3f);
  p = p * square + 2.06390887954e-2f;
  p = p * square - 5.37397155531e-2f;
  p = p * square + 1.33314422036e-1f;
  p = p * square - 3.33332819422e-1f;
  V<float> near_zero = p * square * x + x;
  V<float> elsewhere = 1.0f - 2.0f / (exponential(size + size) + 1.0f);
  elsewhere = x < 0.0f ? -elsewhere : elsewhere;
  return size < 0.625f ? near_zero : elsewhere;
}

// Double precision is for checks more than for speed: the C library's functions, lane by lane.
ALWAYS_INLINE V<double> exponential(V<double> x) {
  for (int64_t i = 0; i < Vector<double>::width; ++i) x[i] = ::exp(x[i]);
  return x;
}

ALWAYS_INLINE V<double> hyperbolic_tangent(V<double> x) {
  for (int64_t i = 0; i < Vector<double>::width; ++i) x[i] = ::tanh(x[i]);
  return x;
}

template <typename T> ALWAYS_INLINE V<T> magnitude(V<T> x) { return x < T(0) ? -x : x; }

// Comparisons are such that NaN stays NaN.
template <typename T> ALWAYS_INLINE V<T> activate(Activation kind, V<T> x) {
  switch (kind) {
  case RELU:
    return x < T(0) ? splat(T(0)) : x;
  case TANH:
    return hyperbolic_tangent(x);
  case SIGMOID:
    return T(1) / (T(1) + exponential(-x));
  case HARD_SIGMOID:
    x = x * T(0.2) + T(0.5);
    x = x < T(0) ? splat(T(0)) : x;
    return x > T(1) ? splat(T(1)) : x;
  case SOFTSIGN:
    return x / (T(1) + magnitude<T>(x));
  default:
    return x;
  }
}

// The derivative of an activation, from its value y.
template <typename T> ALWAYS_INLINE V<T> slope(Activation kind, V<T> y) {
  switch (kind) {
  case RELU:
    return y > T(0) ? splat(T(1)) : splat(T(0));
  case TANH:
    return T(1) - y * y;
  case SIGMOID:
    return y * (T(1) - y);
  case HARD_SIGMOID: {
    V<T> inner = y < T(1) ? splat(T(0.2)) : splat(T(0));
    return y > T(0) ? inner : splat(T(0));
  }
  case SOFTSIGN: {
    V<T> rest = T(1) - magnitude<T>(y);
    return rest * rest;
  }
  default:
    return splat(T(1));
  }
}

// y = the activation of x, for rows of n values; the two may be one. The choice stands outside the loop, so that the
// loops stay short and their steps overlap.
template <typename T> void activate_row(Activation kind, const T *x, T *y, int64_t n) {
#define CASE(KIND)                                                                                                     \
  case KIND:                                                                                                           \
    each_vector<T>(n, [&](int64_t j, auto lanes) { lanes.store(y + j, activate<T>(KIND, lanes.load(x + j))); });       \
    break;
  switch (kind) { CASE(LINEAR) CASE(RELU) CASE(TANH) CASE(SIGMOID) CASE(HARD_SIGMOID) CASE(SOFTSIGN) }
#undef CASE
}
