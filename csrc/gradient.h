// The gradient of a weight: the sum over all samples and steps of what came out times what went in. Each value is summed
// up by one thread in the order of the rows, so that it does not depend on how many threads there are. Included once for
// each instruction set, inside its namespace.

template <typename T> struct WeightGradient {
  static constexpr int64_t block = 128; // rows that are summed up at once, few enough for a panel to stay in the cache
  static constexpr int64_t few = 16; // whose totals are added up by themselves: sums of sums lose fewer digits
  static constexpr int64_t most_columns = 512;
  static constexpr int64_t width = PANEL_VECTORS * Vector<T>::width;

  const Product &p;
  int64_t first, count; // the columns of "out", which are rows of the gradient
  T *panel;             // (block, width): of "out"
  T *tiles_of_in;       // (block, inputs): tiles of a few columns, each with its rows one after the other
  T *transposed;        // (inputs, columns): the gradient's transpose

  static int64_t padded_columns(int64_t columns) { return (columns + width - 1) / width * width; }

  static int64_t scratch_size(const Product &p) {
    const int64_t columns = p.outputs < most_columns ? p.outputs : most_columns;
    return block * (width + p.inputs) + p.inputs * padded_columns(columns);
  }

  WeightGradient(const Product &p, T *scratch) : p(p), first(0), count(0) {
    panel = scratch;
    tiles_of_in = panel + block * width;
    transposed = tiles_of_in + block * p.inputs;
  }

  void run(int64_t begin, int64_t end) {
    for (first = begin; first < end; first += count) {
      count = end - first < most_columns ? end - first : most_columns;
      run_columns();
    }
  }

  void run_columns() {
    const int64_t stride = padded_columns(count);
    for (int64_t row = 0; row < p.rows; row += block) {
      const int64_t rows = p.rows - row < block ? p.rows - row : block;
      copy_in(row, rows);
      for (int64_t j = 0; j < count; j += width) {
        copy_panel(row, rows, j);
        auto left_of = [&](int64_t i, int64_t height) { return Left<T>{tiles_of_in + i * rows, 1, height}; };
        T *sum = transposed + j;
        tiles<T, PANEL_VECTORS>(p.inputs, left_of, panel, width, rows, sum, stride, width, row ? sum : nullptr, stride);
      }
    }
    write_back(stride);
  }

  void copy_in(int64_t row, int64_t rows) {
    const T *in = static_cast<const T *>(p.in) + row * p.in_stride;
    const int64_t count = (p.inputs + TILE_ROWS - 1) / TILE_ROWS;
    T *target = tiles_of_in;
    for (int64_t t = 0; t < count; ++t) {
      const int64_t height = p.inputs / count + (t < p.inputs % count);
      if (height == TILE_ROWS) // known to the compiler
        for (int64_t k = 0; k < rows; ++k) std::memcpy(target + k * TILE_ROWS, in + k * p.in_stride, TILE_ROWS * sizeof(T));
      else
        for (int64_t k = 0; k < rows; ++k)
          for (int64_t r = 0; r < height; ++r) target[k * height + r] = in[k * p.in_stride + r];
      target += rows * height;
      in += height;
    }
  }

  // Copies the columns from j on, zeros behind the last; adds them up too, if that is wanted.
  void copy_panel(int64_t row, int64_t rows, int64_t j) {
    const T *out = static_cast<const T *>(p.out) + row * p.out_stride + first + j;
    T *total = p.out_total ? static_cast<T *>(p.out_total) + first + j : nullptr;
    const int64_t there = count - j < width ? count - j : width;
    if (there == width) return copy_full_panel(row, rows, out, total);
    std::memset(panel, 0, rows * width * sizeof(T));
    each_vector<T>(there, [&](int64_t i, auto lanes) {
      V<T> sum = {};
      for (int64_t k0 = 0; k0 < rows; k0 += few) {
        V<T> part = {};
        for (int64_t k = k0; k < rows && k < k0 + few; ++k) {
          const V<T> value = lanes.load(out + k * p.out_stride + i);
          store(panel + k * width + i, value);
          part += value;
        }
        sum += part;
      }
      if (total) lanes.store(total + i, row ? lanes.load(total + i) + sum : sum);
    });
  }

  // The same for a panel that is full: row by row, as they lie in memory.
  void copy_full_panel(int64_t row, int64_t rows, const T *out, T *total) {
    constexpr int64_t lanes = Vector<T>::width;
    V<T> sums[PANEL_VECTORS] = {};
    for (int64_t k0 = 0; k0 < rows; k0 += few) {
      V<T> parts[PANEL_VECTORS] = {};
      for (int64_t k = k0; k < rows && k < k0 + few; ++k)
#pragma GCC unroll 4
        for (int v = 0; v < PANEL_VECTORS; ++v) {
          const V<T> value = load(out + k * p.out_stride + v * lanes);
          store(panel + k * width + v * lanes, value);
          parts[v] += value;
        }
      for (int v = 0; v < PANEL_VECTORS; ++v) sums[v] += parts[v];
    }
    for (int v = 0; total && v < PANEL_VECTORS; ++v, total += lanes) store(total, row ? load(total) + sums[v] : sums[v]);
  }

  void write_back(int64_t stride) {
    constexpr int64_t edge = 16; // of squares that fit into the cache both ways
    T *gradient = static_cast<T *>(p.gradient) + first * p.inputs;
    for (int64_t j0 = 0; j0 < count; j0 += edge)
      for (int64_t i0 = 0; i0 < p.inputs; i0 += edge)
        for (int64_t j = j0; j < count && j < j0 + edge; ++j)
          for (int64_t i = i0; i < p.inputs && i < i0 + edge; ++i)
            gradient[j * p.inputs + i] = transposed[i * stride + j];
  }
};
