// Batch normalization in training. Included once for each instruction set, inside its namespace.

// Rows in blocks, each with sums of its own that are joined in order, so that they do not depend on the threads.
struct NormalizationKernel {
  static constexpr int64_t values_of_block = 1 << 14, blocks_of_a_thread = 2;

  const Normalization &n;
  const NormalizationGradient *g; // null on the way forward
  int64_t rows_of_block, blocks;
  float *parts;   // (blocks, 2, columns): means and squares; or sums of the gradient, and of it times x - mean
  float *factors; // (3, columns): forward those of x - mean; backward those of gradient, x - mean and 1 as well

  int64_t rows_in(int64_t block) const {
    const int64_t left = n.rows - block * rows_of_block;
    return left < rows_of_block ? left : rows_of_block;
  }

  // Sums of a block over its rows. The squares are those of the distances from the block's own mean, which is in the
  // cache still: so they lose no digits, however far from 0 it is.
  void statistics(int64_t block) const {
    const int64_t rows = rows_in(block);
    const float *x = n.x + block * rows_of_block * n.columns;
    const float share = 1.0f / static_cast<float>(rows);
    float *means = parts + 2 * block * n.columns, *squares = means + n.columns;
    each_vectors<float>(n.columns, [&](int64_t j, auto lanes, auto vectors) {
      constexpr int64_t width = Vector<float>::width, count = decltype(vectors)::count;
      V<float> sums[count][2] = {};
      each_row(rows, [&](int64_t row, int64_t odd) ALWAYS_INLINE_LAMBDA {
        for (int64_t v = 0; v < count; ++v) sums[v][odd] += lanes.load(x + row * n.columns + j + v * width);
      });
      V<float> mean[count];
      for (int64_t v = 0; v < count; ++v) {
        mean[v] = (sums[v][0] + sums[v][1]) * share;
        lanes.store(means + j + v * width, mean[v]);
        sums[v][0] = sums[v][1] = V<float>{};
      }
      each_row(rows, [&](int64_t row, int64_t odd) ALWAYS_INLINE_LAMBDA {
        for (int64_t v = 0; v < count; ++v) {
          const V<float> away = lanes.load(x + row * n.columns + j + v * width) - mean[v];
          sums[v][odd] += away * away;
        }
      });
      for (int64_t v = 0; v < count; ++v) lanes.store(squares + j + v * width, sums[v][0] + sums[v][1]);
    });
  }

  // Calls body(row, odd), so that even and odd rows have sums of their own.
  template <typename Body> static ALWAYS_INLINE void each_row(int64_t rows, Body body) {
    int64_t row = 0;
    for (; row + 2 <= rows; row += 2) {
      body(row, 0);
      body(row + 1, 1);
    }
    if (row < rows) body(row, 0);
  }

  // Joins the statistics of all blocks.
  void join_statistics() const {
    for (int64_t j = 0; j < n.columns; ++j) {
      double sum = 0, squares = 0;
      for (int64_t block = 0; block < blocks; ++block) sum += static_cast<double>(part(block, 0, j)) * rows_in(block);
      const double mean = sum / n.rows;
      for (int64_t block = 0; block < blocks; ++block) {
        const double away = part(block, 0, j) - mean;
        squares += part(block, 1, j) + away * away * rows_in(block);
      }
      n.mean[j] = static_cast<float>(mean);
      n.variance[j] = static_cast<float>(squares / n.rows);
    }
  }

  float part(int64_t block, int64_t which, int64_t column) const {
    return parts[(2 * block + which) * n.columns + column];
  }

  float inverse(int64_t column) const { return 1.0f / std::sqrt(n.variance[column] + n.epsilon); }

  void find_factors() const {
    for (int64_t j = 0; j < n.columns; ++j) factors[j] = n.gamma[j] * inverse(j);
  }

  template <bool RELU> void normalize(int64_t block) const {
    const int64_t first = block * rows_of_block, last = first + rows_in(block);
    each_vectors<float>(n.columns, [&](int64_t j, auto lanes, auto vectors) {
      constexpr int64_t width = Vector<float>::width, count = decltype(vectors)::count;
      V<float> mean[count], factor[count], beta[count];
      for (int64_t v = 0; v < count; ++v) {
        mean[v] = lanes.load(n.mean + j + v * width);
        factor[v] = lanes.load(factors + j + v * width);
        beta[v] = lanes.load(n.beta + j + v * width);
      }
      for (int64_t at = first * n.columns + j; at < last * n.columns; at += n.columns)
        for (int64_t v = 0; v < count; ++v) {
          const V<float> y = (lanes.load(n.x + at + v * width) - mean[v]) * factor[v] + beta[v];
          lanes.store(n.y + at + v * width, RELU ? rectified(y) : y);
        }
    });
  }

  // The gradient of what is normalized: behind a ReLU only where that lets something through.
  template <bool RELU>
  static ALWAYS_INLINE V<float> through(V<float> gradient, V<float> away, V<float> factor, V<float> beta) {
    return RELU ? (away * factor + beta > 0.0f ? gradient : splat(0.0f)) : gradient;
  }

  template <bool RELU> void gradient_sums(int64_t block) const {
    const int64_t start = block * rows_of_block * n.columns;
    float *sums = parts + 2 * block * n.columns, *products = sums + n.columns;
    each_vectors<float>(n.columns, [&](int64_t j, auto lanes, auto vectors) {
      constexpr int64_t width = Vector<float>::width, count = decltype(vectors)::count;
      V<float> mean[count], factor[count], beta[count], sum[count] = {}, product[count] = {};
      for (int64_t v = 0; v < count; ++v) {
        mean[v] = lanes.load(n.mean + j + v * width);
        factor[v] = lanes.load(factors + j + v * width);
        beta[v] = lanes.load(n.beta + j + v * width);
      }
      for (int64_t row = 0, at = start + j; row < rows_in(block); ++row, at += n.columns)
        for (int64_t v = 0; v < count; ++v) {
          const V<float> away = lanes.load(n.x + at + v * width) - mean[v];
          const V<float> value = through<RELU>(lanes.load(g->gradient + at + v * width), away, factor[v], beta[v]);
          sum[v] += value;
          product[v] += value * away;
        }
      for (int64_t v = 0; v < count; ++v) {
        lanes.store(sums + j + v * width, sum[v]);
        lanes.store(products + j + v * width, product[v]);
      }
    });
  }

  // Gradients of gamma and beta, and the factors of that of x: factor (gradient - mean of it - (x - mean) slope).
  void join_gradient_sums() const {
    for (int64_t j = 0; j < n.columns; ++j) {
      double sum = 0, product = 0;
      for (int64_t block = 0; block < blocks; ++block) {
        sum += part(block, 0, j);
        product += part(block, 1, j);
      }
      const double scale = inverse(j);
      if (g->of_beta) g->of_beta[j] = static_cast<float>(sum);
      if (g->of_gamma) g->of_gamma[j] = static_cast<float>(product * scale);
      factors[n.columns + j] = static_cast<float>(sum / n.rows);
      factors[2 * n.columns + j] = static_cast<float>(product / n.rows * scale * scale);
    }
  }

  template <bool RELU> void gradient(int64_t block) const {
    const int64_t first = block * rows_of_block, last = first + rows_in(block);
    each_vector<float>(n.columns, [&](int64_t j, auto lanes) {
      const V<float> mean = lanes.load(n.mean + j), factor = lanes.load(factors + j), beta = lanes.load(n.beta + j);
      const V<float> of_all = lanes.load(factors + n.columns + j), slope = lanes.load(factors + 2 * n.columns + j);
      for (int64_t at = first * n.columns + j; at < last * n.columns; at += n.columns) {
        const V<float> away = lanes.load(n.x + at) - mean;
        const V<float> value = through<RELU>(lanes.load(g->gradient + at), away, factor, beta);
        lanes.store(g->of_x + at, (value - of_all - away * slope) * factor);
      }
    });
  }

  template <void (NormalizationKernel::*BLOCK)(int64_t) const>
  static void task(int64_t begin, int64_t end, void *context) {
    const NormalizationKernel &kernel = *static_cast<const NormalizationKernel *>(context);
    for (int64_t block = begin; block < end; ++block) (kernel.*BLOCK)(block);
  }

  bool all_blocks(Task task, ParallelFor parallel) { return for_all(parallel, blocks, blocks_of_a_thread, task, this); }

  bool forward(ParallelFor parallel) {
    using Kernel = NormalizationKernel;
    if (!all_blocks(task<&Kernel::statistics>, parallel)) return false;
    join_statistics();
    find_factors();
    return all_blocks(n.relu ? task<&Kernel::normalize<true>> : task<&Kernel::normalize<false>>, parallel);
  }

  bool backward(ParallelFor parallel) {
    using Kernel = NormalizationKernel;
    find_factors();
    if (!all_blocks(n.relu ? task<&Kernel::gradient_sums<true>> : task<&Kernel::gradient_sums<false>>, parallel))
      return false;
    join_gradient_sums();
    return !g->of_x || all_blocks(n.relu ? task<&Kernel::gradient<true>> : task<&Kernel::gradient<false>>, parallel);
  }

  static bool run(const Normalization *n, const NormalizationGradient *gradient, ParallelFor parallel) {
    const int64_t rows = 1 + values_of_block / (n->columns + 1), blocks = (n->rows + rows - 1) / rows;
    float *memory = allocate<float>((2 * blocks + 3) * n->columns + 1);
    if (!memory) return false;
    NormalizationKernel kernel = {*n, gradient, rows, blocks, memory + 3 * n->columns, memory};
    const bool done = gradient ? kernel.backward(parallel) : kernel.forward(parallel);
    free(memory);
    return done;
  }
};
