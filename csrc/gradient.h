// The gradient of a weight: the sum over all samples and steps of what came out times what went in. Each value is summed
// up by one thread in the order of the rows, so that it does not depend on how many threads there are. Included once for
// each instruction set, inside its namespace.

template <typename T> struct WeightGradient {
  static constexpr int64_t block = 256; // rows that are summed up at once: their inputs stay in the cache
  static constexpr int64_t most_columns = 512;
  static constexpr int64_t width = PANEL_VECTORS * Vector<T>::width;

  const Product &p;
  int64_t first, count; // the columns of "sums", which are rows of the gradient
  T *packed;            // (block, inputs): tiles of inputs, each with its rows one after the other
  T *tail;              // (block, width): the last columns, where they do not fill a panel
  T *transposed;        // (inputs, columns): the gradient's transpose

  static int64_t scratch_size(const Product &p, int64_t columns) {
    return block * (p.inputs + width) + p.inputs * padded_columns(columns);
  }

  static int64_t padded_columns(int64_t columns) { return (columns + width - 1) / width * width; }

  WeightGradient(const Product &p, int64_t first, int64_t count, T *scratch) : p(p), first(first), count(count) {
    tail = scratch;
    packed = tail + block * width;
    transposed = packed + block * p.inputs;
  }

  void run() {
    for (int64_t last = first + count; first < last; first += count) {
      count = last - first < most_columns ? last - first : most_columns;
      run_columns();
    }
  }

  void run_columns() {
    const int64_t stride = padded_columns(count);
    for (int64_t row = 0; row < p.rows; row += block) {
      const int64_t rows = p.rows - row < block ? p.rows - row : block;
      pack_inputs(static_cast<const T *>(p.in) + row * p.in_stride, rows);
      const T *sums = static_cast<const T *>(p.out) + row * p.out_stride + first;
      for (int64_t j = 0; j < count; j += width) {
        const bool whole = j + width <= count;
        if (!whole) copy_tail(sums + j, rows, count - j);
        if (p.out_total) add_total(sums + j, rows, count - j < width ? count - j : width, j, row > 0);
        auto left_of = [&](int64_t i, int64_t height) { return Left<T>{packed + i * rows, 1, height}; };
        tiles<T, PANEL_VECTORS>(p.inputs, left_of, whole ? sums + j : tail, whole ? p.out_stride : width, rows,
                                transposed + j, stride, width, row > 0 ? transposed + j : nullptr, stride);
      }
    }
    write_back(stride);
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

  void add_total(const T *sums, int64_t rows, int64_t columns, int64_t offset, bool add) {
    T *total = static_cast<T *>(p.out_total) + first + offset;
    each_vector<T>(columns, [&](int64_t j, auto lanes) {
      V<T> sum = {};
      for (int64_t k = 0; k < rows; ++k) sum += lanes.load(sums + k * p.out_stride + j);
      lanes.store(total + j, add ? lanes.load(total + j) + sum : sum);
    });
  }

  void pack_inputs(const T *in, int64_t rows) {
    const int64_t tiles = (p.inputs + TILE_ROWS - 1) / TILE_ROWS;
    T *target = packed;
    for (int64_t t = 0, i = 0; t < tiles; ++t) {
      const int64_t height = p.inputs / tiles + (t < p.inputs % tiles);
      for (int64_t k = 0; k < rows; ++k)
        for (int64_t r = 0; r < height; ++r) *target++ = in[k * p.in_stride + i + r];
      i += height;
    }
  }

  void copy_tail(const T *sums, int64_t rows, int64_t columns) {
    for (int64_t k = 0; k < rows; ++k)
      for (int64_t j = 0; j < width; ++j) tail[k * width + j] = j < columns ? sums[k * p.out_stride + j] : T(0);
  }
};
