// Products of which one size is small: those of dense layers with a batch of few rows, and of their gradients; of all
// sizes where others are slower. Included once for each instruction set, inside its namespace.

// Blocks of the result are computed side by side. Where the right matrix lies column by column, and is the larger one, the
// result's transpose is computed instead: so only the smaller one has to be packed. Not where the sums are so short that
// writing the result turned takes longer than packing.
struct ThinProduct {
  static constexpr int64_t lanes = Vector<float>::width;
  static constexpr int64_t thin = 64, most = 1 << 26;
  static constexpr int64_t block_rows = 8 * TILE_ROWS, deepest = 256;
  static constexpr int64_t blocks_at_once = 32; // whose sums stay in the cache while all of them go deeper, step by step
  static constexpr int64_t far_apart = 1000; // values from row to row, a page of memory: so many rows are slow to find
  static constexpr int64_t width = PANEL_VECTORS * lanes;

  MatrixProduct p;
  bool turned;
  float *packed; // the right matrix, if it does not lie row by row: (depth, padded columns)
  float *tail;   // the columns of one that does that fill no vector, filled up with zeros; null if there are none

  static bool suits(int64_t rows, int64_t columns, int64_t depth) {
    if (LittleProduct::suits(rows, columns, depth) || is_ahead()) return true;
    return (rows <= thin || columns <= thin || depth <= thin) && rows * columns * depth <= most;
  }

  // Whether others take longer for products of all sizes: MKL does on AMD's processors.
  static bool is_ahead() {
#if defined(__x86_64__)
    return BYTES == 64 && __builtin_cpu_is("amd");
#else
    return false;
#endif
  }

  int64_t panels() const { return (p.columns + width - 1) / width; }
  int64_t blocks() const { return is_far() ? 1 : (p.rows + block_rows - 1) / block_rows; }

  // Whether panels of the right matrix are copied for all rows at once.
  bool is_far() const { return !packed && p.right.row_stride > far_apart && p.rows > 2 * block_rows; }

  static void task(int64_t begin, int64_t end, void *context) {
    const ThinProduct &product = *static_cast<const ThinProduct *>(context);
    const bool by_depth = !product.turned && !product.is_far();
    const int64_t group = by_depth ? blocks_at_once : 1, step = by_depth ? deepest : product.p.depth;
    for (int64_t first = begin; first < end; first += group)
      for (int64_t k = 0; k < product.p.depth; k += step)
        for (int64_t i = first; i < end && i < first + group; ++i)
          product.run_block(i / product.panels(), i % product.panels(), k, k + step);
  }

  // The rows of a block times a panel, which may be cut into narrower ones at the end; from one depth to another.
  void run_block(int64_t block, int64_t panel, int64_t begin_depth, int64_t end_depth) const {
    const int64_t blocks = this->blocks(), first_row = p.rows * block / blocks;
    const int64_t rows = p.rows * (block + 1) / blocks - first_row;
    float values[block_rows * width], copy[deepest * width];
    const int64_t begin = panel * width, end = p.columns < begin + width ? p.columns : begin + width;
    for (int64_t first = begin; first < end;) {
      const int64_t there = end - first, full = there / lanes;
      const int64_t vectors = panel_vectors(packed ? (there + lanes - 1) / lanes : full ? full : 1);
      float *c = turned ? values : p.result.at + first_row * p.result.row_stride + first;
      const int64_t stride = turned ? width : p.result.row_stride;
      auto run = vectors == 4 ? run_tiles<4> : vectors == 2 ? run_tiles<2> : run_tiles<1>;
      run(*this, first_row, rows, first, c, stride, copy, begin_depth, p.depth < end_depth ? p.depth : end_depth);
      const int64_t columns = there < vectors * lanes ? there : vectors * lanes;
      if (turned)
        for (int64_t j = 0; j < columns; ++j) {
          float *target = p.result.at + (first + j) * p.result.row_stride + first_row;
          for (int64_t i = 0; i < rows; ++i) target[i] = values[i * width + j];
        }
      first += vectors * lanes;
    }
  }

  template <int VECTORS>
  static void run_tiles(const ThinProduct &product, int64_t first_row, int64_t rows, int64_t first, float *c,
                        int64_t stride, float *copy, int64_t begin_depth, int64_t end_depth) {
    const MatrixProduct &p = product.p;
    const float *right = p.right.at + first;
    int64_t right_stride = p.right.row_stride;
    if (product.packed)
      right = product.packed + first * p.depth, right_stride = VECTORS * lanes;
    else if (p.columns - first < lanes)
      right = product.tail, right_stride = lanes;
    for (int64_t k = begin_depth; k < end_depth; k += deepest) {
      const float *left = p.left.at + first_row * p.left.row_stride + k * p.left.column_stride;
      auto left_of = [&](int64_t row, int64_t) {
        return Left<float>{left + row * p.left.row_stride, p.left.row_stride, p.left.column_stride};
      };
      const int64_t depth = end_depth - k < deepest ? end_depth - k : deepest;
      const float *panel = right + k * right_stride;
      int64_t panel_stride = right_stride;
      if (right_stride > far_apart && product.is_far()) {
        panel_stride = VECTORS * lanes;
        for (int64_t i = 0; i < depth; ++i)
          std::memcpy(copy + i * panel_stride, panel + i * right_stride, panel_stride * sizeof(float));
        panel = copy;
      }
      tiles<float, VECTORS>(rows, left_of, panel, panel_stride, depth, c, stride, p.columns - first, k ? c : nullptr,
                            stride);
    }
  }

  static bool run(const MatrixProduct *product, ParallelFor parallel) {
    if (LittleProduct::suits(product->rows, product->columns, product->depth))
      return LittleProduct::run(product, parallel);
    const bool by_columns = product->right.column_stride != 1;
    const bool turned = by_columns && product->rows < product->columns && product->rows <= product->depth;
    ThinProduct thin = {*product, turned, nullptr, nullptr};
    MatrixProduct &p = thin.p;
    if (thin.turned) {
      const Matrix left = p.left, right = p.right;
      p.left = {right.at, right.column_stride, right.row_stride};
      p.right = {left.at, left.column_stride, left.row_stride};
      p.rows = product->columns, p.columns = product->rows;
    }
    float *memory = nullptr;
    if (p.right.column_stride != 1) {
      thin.packed = memory = allocate<float>(p.depth * padded<float>(p.columns));
      if (!memory) return false;
      pack(p.right.at, p.right.row_stride, p.right.column_stride, p.depth, p.columns, memory);
    } else if (p.columns % lanes) {
      thin.tail = memory = allocate<float>(p.depth * lanes);
      if (!memory) return false;
      const int64_t there = p.columns % lanes;
      pack(p.right.at + p.columns - there, p.right.row_stride, int64_t(1), p.depth, there, memory);
    }
    const int64_t grain = 1 + WORK_OF_A_THREAD / (block_rows * width * p.depth);
    const bool done = for_all(parallel, thin.blocks() * thin.panels(), grain, task, &thin);
    free(memory);
    return done;
  }
};
