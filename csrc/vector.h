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

// How many lanes of a vector are there: all, or the first few at the end of a row. Others are loaded as 0, or as a number.
template <typename T> struct Whole {
  ALWAYS_INLINE V<T> load(const T *p) const { return ISA::load(p); }
  ALWAYS_INLINE V<T> load(const T *p, T) const { return ISA::load(p); }
  ALWAYS_INLINE void store(T *p, V<T> v) const { ISA::store(p, v); }
};

template <typename T> struct Part {
  int64_t lanes;
  V<T> load(const T *p, T others = 0) const {
    T values[Vector<T>::width];
    for (int64_t i = 0; i < Vector<T>::width; ++i) values[i] = i < lanes ? p[i] : others;
    return ISA::load(values);
  }
  void store(T *p, V<T> v) const {
    T values[Vector<T>::width];
    ISA::store(values, v);
    for (int64_t i = 0; i < lanes; ++i) p[i] = values[i];
  }
};

// The processor's own way, where it has one.
#if BYTES == 64
template <> struct Part<float> {
  int64_t lanes;
  ALWAYS_INLINE __mmask16 there() const { return static_cast<__mmask16>((1u << lanes) - 1); }
  ALWAYS_INLINE V<float> load(const float *p, float others = 0) const {
    return (V<float>)_mm512_mask_loadu_ps(_mm512_set1_ps(others), there(), p);
  }
  ALWAYS_INLINE void store(float *p, V<float> v) const { _mm512_mask_storeu_ps(p, there(), (__m512)v); }
};
#elif BYTES == 32
template <> struct Part<float> {
  int64_t lanes;
  ALWAYS_INLINE __m256i there() const {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(lanes)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  ALWAYS_INLINE V<float> load(const float *p, float others = 0) const {
    const __m256i there = this->there();
    return (V<float>)_mm256_blendv_ps(_mm256_set1_ps(others), _mm256_maskload_ps(p, there), (__m256)there);
  }
  ALWAYS_INLINE void store(float *p, V<float> v) const { _mm256_maskstore_ps(p, there(), (__m256)v); }
};
#endif

// All lanes of a vector in one value, by halves.
template <int64_t SIZE, typename Join> struct OverLanes {
  typedef float Lanes __attribute__((vector_size(SIZE)));
  typedef float Half __attribute__((vector_size(SIZE / 2)));
  static ALWAYS_INLINE float run(Lanes v, Join join) {
    Half halves[2];
    std::memcpy(halves, &v, sizeof v);
    return OverLanes<SIZE / 2, Join>::run(join(halves[0], halves[1]), join);
  }
};

template <typename Join> struct OverLanes<16, Join> {
  typedef float Lanes __attribute__((vector_size(16)));
  static ALWAYS_INLINE float run(Lanes v, Join join) { return join(join(v[0], v[2]), join(v[1], v[3])); }
};

template <typename Join> ALWAYS_INLINE float over_lanes(V<float> v, Join join) {
  return OverLanes<BYTES, Join>::run(v, join);
}

ALWAYS_INLINE float sum_of_lanes(V<float> v) {
  return over_lanes(v, [](auto a, auto b) { return a + b; });
}

// Calls body(j, lanes) for the vectors of a row of n values.
template <typename T, typename Body> ALWAYS_INLINE void each_vector(int64_t n, Body body) {
  int64_t j = 0;
  for (; j + Vector<T>::width <= n; j += Vector<T>::width) body(j, Whole<T>{});
  if (j < n) body(j, Part<T>{n - j});
}

template <int64_t COUNT> struct Number {
  static constexpr int64_t count = COUNT;
};

// Calls body(j, lanes, vectors) for the vectors of a row of n values, four or one at a time: "vectors" is a Number.
template <typename T, typename Body> ALWAYS_INLINE void each_vectors(int64_t n, Body body) {
  constexpr int64_t width = Vector<T>::width, together = 4;
  int64_t j = 0;
  for (; j + together * width <= n; j += together * width) body(j, Whole<T>{}, Number<together>{});
  for (; j + width <= n; j += width) body(j, Whole<T>{}, Number<1>{});
  if (j < n) body(j, Part<T>{n - j}, Number<1>{});
}

typedef int32_t Bits __attribute__((vector_size(BYTES)));

ALWAYS_INLINE Bits bits_of(V<float> x) {
  Bits bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

ALWAYS_INLINE V<float> from_bits(Bits bits) {
  V<float> x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

// e^x as 2^n (1 + rest), where rest is e^r - 1 with |r| <= ln 2 / 2, by a polynomial (Cephes).
struct Power {
  V<float> scale, rest;
};

ALWAYS_INLINE Power power_of_e(V<float> x) {
  const float to_whole = 12582912.0f; // 1.5 * 2^23: the sum has no fraction
  V<float> n = (x * 1.44269504088896341f + to_whole) - to_whole;
  V<float> r = x - n * 0.693359375f + n * 2.12194440e-4f;
  V<float> p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  return {from_bits((__builtin_convertvector(n, Bits) + 127) << 23), p * r * r + r};
}

// Within 2 units in the last place.
ALWAYS_INLINE V<float> exponential(V<float> x) {
  x = x > 88.3f ? splat(88.3f) : x;
  x = x < -87.3f ? splat(-87.3f) : x;
  const Power power = power_of_e(x);
  return (power.rest + 1.0f) * power.scale;
}

// e^x - 1 for x up to 0.
ALWAYS_INLINE V<float> less_one(V<float> x) {
  const V<float> bounded = x < -87.3f ? splat(-87.3f) : x;
  const Power power = power_of_e(bounded > 0.0f ? splat(0.0f) : bounded);
  return power.rest * power.scale + (power.scale - 1.0f);
}

// (e^2|x| - 1) / (e^2|x| + 1) with the sign of x, within 2.5 units in the last place.
ALWAYS_INLINE V<float> hyperbolic_tangent(V<float> x) {
  const Bits sign = bits_of(x) & INT32_MIN;
  V<float> size = from_bits(bits_of(x) ^ sign);
  size = size > 10.0f ? splat(10.0f) : size;
  const Power power = power_of_e(size + size);
  const V<float> less_one = power.rest * power.scale + (power.scale - 1.0f);
  return from_bits(bits_of(less_one / (less_one + 2.0f)) | sign);
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
