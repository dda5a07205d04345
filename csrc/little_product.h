// Products of two matrices so small that nothing pays but multiplying them as they are. Included once for each
// instruction set, inside its namespace.

struct LittleProduct {
  static constexpr int64_t lanes = Vector<float>::width;
  static constexpr int64_t most = 1 << 20; // products; the time of a few calls

  static bool suits(int64_t rows, int64_t columns, int64_t depth) { return rows * columns * depth <= most; }

  // The columns from "first" on, as many as VECTORS have.
  template <int VECTORS>
  static void run_panel(const MatrixProduct &p, int64_t first, const float *panel, int64_t stride) {
    auto left_of = [&](int64_t row, int64_t) {
      return Left<float>{p.left.at + row * p.left.row_stride, p.left.row_stride, p.left.column_stride};
    };
    tiles<float, VECTORS>(p.rows, left_of, panel, stride, p.depth, p.result.at + first, p.result.row_stride,
                          p.columns - first, nullptr, 0);
  }

  // The result lies row by row.
  static bool run(const MatrixProduct *product, ParallelFor) {
    FlushDenormals flush;
    const MatrixProduct &p = *product;
    float *packed = allocate<float>(p.depth * PANEL_VECTORS * lanes);
    for (int64_t first = 0; packed && first < p.columns;) {
      const int64_t vectors = panel_vectors((padded<float>(p.columns) - first) / lanes), width = vectors * lanes;
      const float *panel = p.right.at + first * p.right.column_stride;
      int64_t stride = p.right.row_stride;
      if (p.right.column_stride != 1 || p.columns - first < width) {
        const int64_t there = p.columns - first < width ? p.columns - first : width;
        pack(panel, p.right.row_stride, p.right.column_stride, p.depth, there, packed);
        panel = packed, stride = width;
      }
      auto run = vectors == 4 ? run_panel<4> : vectors == 2 ? run_panel<2> : run_panel<1>;
      run(p, first, panel, stride);
      first += width;
    }
    free(packed);
    return packed;
  }
};
