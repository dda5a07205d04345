// What training does beside products. Included once for each instruction set, inside its namespace.

// Whole numbers beside a vector of floats, and the same in fewer bytes.
typedef int32_t Numbers __attribute__((vector_size(BYTES)));
template <typename T> struct Narrow {
  typedef T type __attribute__((vector_size(BYTES / sizeof(float) * sizeof(T))));
};

// Of the numbers of a vector, those that are there; the others are 0.
template <typename T> ALWAYS_INLINE Numbers load_numbers(const T *p, Whole<float>) {
  typename Narrow<T>::type v;
  std::memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, Numbers);
}

template <typename T> ALWAYS_INLINE Numbers load_numbers(const T *p, Part<float> part) {
  T values[Vector<float>::width] = {};
  for (int64_t i = 0; i < part.lanes; ++i) values[i] = p[i];
  return load_numbers(values, Whole<float>{});
}

ALWAYS_INLINE void store_numbers(uint8_t *p, Numbers n, Whole<float>) {
  const auto v = __builtin_convertvector(n, Narrow<uint8_t>::type);
  std::memcpy(p, &v, sizeof v);
}

ALWAYS_INLINE void store_numbers(uint8_t *p, Numbers n, Part<float> part) {
  for (int64_t i = 0; i < part.lanes; ++i) p[i] = static_cast<uint8_t>(n[i]);
}

struct FinishKernel {
  static constexpr int64_t values_of_a_thread = 1 << 16;
  static constexpr int64_t drawn_at_once = 256; // numbers

  // Returns the bits of the values from start on, drawn into memory of drawn_at_once + 1 numbers.
  static const int16_t *draw(uint64_t seed, int64_t start, int64_t count, int16_t *memory) {
    const int64_t first = start / 4, numbers = (start + count + 3) / 4 - first;
    uint64_t drawn[drawn_at_once + 1];
    for (int64_t i = 0; i < numbers; ++i) {
      uint64_t z = seed + (first + i + 1) * 0x9e3779b97f4a7c15;
      z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
      z = (z ^ z >> 27) * 0x94d049bb133111eb;
      drawn[i] = z ^ z >> 31;
    }
    std::memcpy(memory, drawn, numbers * sizeof(uint64_t));
    return memory + start % 4;
  }

  template <Activation KIND, bool DROPS> static void run_rows(const Finish &f, int64_t begin, int64_t end) {
    constexpr int64_t at_once = 4 * drawn_at_once;
    int16_t memory[at_once + 4];
    for (int64_t row = begin; row < end; ++row)
      for (int64_t first = 0; first < f.columns; first += at_once) {
        const int64_t start = row * f.columns + first;
        const int64_t count = f.columns - first < at_once ? f.columns - first : at_once;
        const int16_t *drawn = DROPS ? draw(f.seed, start, count, memory) : nullptr;
        each_vector<float>(count, [&](int64_t j, auto lanes) {
          V<float> value = lanes.load(f.x + start + j);
          if (f.bias) value += lanes.load(f.bias + first + j);
          value = activate<float>(KIND, value);
          if (DROPS) value *= load_numbers(drawn + j, lanes) < f.limit ? splat(f.scale) : splat(0.0f);
          lanes.store(f.y + start + j, value);
        });
      }
  }

  static void task(int64_t begin, int64_t end, void *context) {
    const Finish &f = *static_cast<const Finish *>(context);
    rows_of(f)(f, begin, end);
  }

  static auto rows_of(const Finish &f) -> void (*)(const Finish &, int64_t, int64_t) {
    switch (f.activation) {
    case RELU:
      return f.drops ? run_rows<RELU, true> : run_rows<RELU, false>;
    case TANH:
      return run_rows<TANH, false>;
    case SIGMOID:
      return run_rows<SIGMOID, false>;
    case HARD_SIGMOID:
      return run_rows<HARD_SIGMOID, false>;
    case SOFTSIGN:
      return run_rows<SOFTSIGN, false>;
    default:
      return f.drops ? run_rows<LINEAR, true> : run_rows<LINEAR, false>;
    }
  }

  static bool run(const Finish *f, ParallelFor parallel) {
    return for_all(parallel, f->rows, 1 + values_of_a_thread / (f->columns + 1), task, const_cast<Finish *>(f));
  }
};

// Sums are those of blocks of rows, added up in order, so that they do not depend on the threads.
struct FinishGradientKernel {
  const FinishGradient &f;
  int64_t rows_of_block;
  float *sums; // of the blocks

  static void task(int64_t begin, int64_t end, void *context) {
    FinishGradientKernel &kernel = *static_cast<FinishGradientKernel *>(context);
    for (int64_t block = begin; block < end; ++block) kernel.run_block(block);
  }

  void run_block(int64_t block) const {
    switch (f.activation) {
    case RELU:
      return run_block<RELU>(block);
    case TANH:
      return run_block<TANH>(block);
    case SIGMOID:
      return run_block<SIGMOID>(block);
    case HARD_SIGMOID:
      return run_block<HARD_SIGMOID>(block);
    case SOFTSIGN:
      return run_block<SOFTSIGN>(block);
    default:
      return run_block<LINEAR>(block);
    }
  }

  template <Activation KIND> void run_block(int64_t block) const {
    const int64_t first = block * rows_of_block;
    const int64_t last = f.rows - first < rows_of_block ? f.rows : first + rows_of_block;
    each_vector<float>(f.columns, [&](int64_t j, auto lanes) {
      V<float> sum = {};
      for (int64_t at = first * f.columns + j; at < last * f.columns; at += f.columns) {
        V<float> value = lanes.load(f.gradient + at);
        if (KIND != LINEAR) {
          const V<float> y = lanes.load(f.y + at);
          value = KIND != RELU ? value * slope<float>(KIND, y) : y > 0.0f ? value * f.scale : splat(0.0f);
          lanes.store(f.result + at, value);
        }
        sum += value;
      }
      lanes.store(sums + block * f.columns + j, sum);
    });
  }

  static bool run(const FinishGradient *f, ParallelFor parallel) {
    constexpr int64_t values_of_block = 1 << 14, blocks_of_a_thread = 4;
    const int64_t rows = 1 + values_of_block / (f->columns + 1), blocks = (f->rows + rows - 1) / rows;
    FinishGradientKernel kernel = {*f, rows, allocate<float>(blocks * f->columns + 1)};
    const bool done = kernel.sums && for_all(parallel, blocks, blocks_of_a_thread, task, &kernel);
    for (int64_t j = 0; done && f->sums && j < f->columns; ++j) {
      float sum = 0;
      for (int64_t block = 0; block < blocks; ++block) sum += kernel.sums[block * f->columns + j];
      f->sums[j] = sum;
    }
    free(kernel.sums);
    return done;
  }
};

// Tasks are rows of windows, through all images.
struct PoolKernel {
  const Windows &w;
  int64_t rows, columns; // of windows

  explicit PoolKernel(const Windows &w) : w(w), rows(w.rows / w.window_rows), columns(w.columns / w.window_columns) {}

  float *first_row(int64_t row) const {
    return w.x + (row / rows * w.rows + row % rows * w.window_rows) * w.columns * w.channels;
  }

  static void task(int64_t begin, int64_t end, void *context) {
    const PoolKernel &kernel = *static_cast<PoolKernel *>(context);
    const int64_t size = kernel.columns * kernel.w.channels;
    for (int64_t row = begin; row < end; ++row)
      for (int64_t i = 0; i < kernel.columns; ++i) {
        const int64_t start = row * size + i * kernel.w.channels;
        const float *window = kernel.first_row(row) + i * kernel.w.window_columns * kernel.w.channels;
        kernel.pool(window, kernel.w.y + start, kernel.w.where + start);
      }
  }

  void pool(const float *window, float *y, uint8_t *where) const {
    each_vector<float>(w.channels, [&](int64_t j, auto lanes) {
      V<float> largest = lanes.load(window + j);
      Numbers number = {};
      int32_t cell = 0;
      for (int64_t row = 0; row < w.window_rows; ++row)
        for (int64_t column = 0; column < w.window_columns; ++column, ++cell) {
          const V<float> x = lanes.load(window + (row * w.columns + column) * w.channels + j);
          const Numbers larger = x > largest || x != x; // NaN stays
          largest = larger ? x : largest;
          number = larger ? cell - Numbers{} : number;
        }
      lanes.store(y + j, largest);
      store_numbers(where + j, number, lanes);
    });
  }

  static void gradient_task(int64_t begin, int64_t end, void *context) {
    const PoolKernel &kernel = *static_cast<PoolKernel *>(context);
    for (int64_t row = begin; row < end; ++row) kernel.spread(row);
  }

  // Writes the rows of x that a row of windows covers; the last one of an image writes those behind the windows too.
  void spread(int64_t row) const {
    const int64_t line = w.columns * w.channels, covered = columns * w.window_columns * w.channels;
    float *x = first_row(row);
    for (int64_t r = 0; r < w.window_rows; ++r, x += line) {
      for (int64_t i = 0; i < columns; ++i)
        for (int64_t q = 0; q < w.window_columns; ++q) {
          const int64_t start = (row * columns + i) * w.channels;
          choose(r * w.window_columns + q, w.y + start, w.where + start, x + (i * w.window_columns + q) * w.channels);
        }
      std::memset(x + covered, 0, (line - covered) * sizeof(float));
    }
    if (row % rows == rows - 1) std::memset(x, 0, (w.rows - rows * w.window_rows) * line * sizeof(float));
  }

  // The gradient of a cell of a window: that of the largest value, if it is this.
  void choose(int32_t cell, const float *y, const uint8_t *where, float *x) const {
    each_vector<float>(w.channels, [&](int64_t j, auto lanes) {
      lanes.store(x + j, load_numbers(where + j, lanes) == cell ? lanes.load(y + j) : splat(0.0f));
    });
  }

  static bool run(const Windows *w, bool gradient, ParallelFor parallel) {
    constexpr int64_t values_of_a_thread = 1 << 15;
    PoolKernel kernel(*w);
    const int64_t grain = 1 + values_of_a_thread / (w->window_rows * w->columns * w->channels + 1);
    return for_all(parallel, w->images * kernel.rows, grain, gradient ? gradient_task : task, &kernel);
  }
};
