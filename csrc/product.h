// Products with a matrix that is packed once for all steps. Included once for each instruction set, inside its namespace.
//
// The packed matrix is cut into panels of PANEL_VECTORS vectors of columns (the last ones narrower, the end filled with
// zeros); a panel holds its rows one after the other, in the order in which a tile of the product reads them.

template <typename T> constexpr int64_t padded(int64_t n) {
  return (n + Vector<T>::width - 1) / Vector<T>::width * Vector<T>::width;
}

// The number of vectors of the panel that starts where "vectors" are left: a power of two.
ALWAYS_INLINE int64_t panel_vectors(int64_t vectors) {
  int64_t n = PANEL_VECTORS;
  while (n > vectors) n /= 2;
  return n;
}

// Packs the matrix whose value in row k and column n is source[k * row_stride + n * column_stride].
template <typename T>
void pack(const T *source, int64_t row_stride, int64_t column_stride, int64_t rows, int64_t columns, T *packed) {
  for (int64_t first = 0; first < columns;) {
    int64_t width = panel_vectors((padded<T>(columns) - first) / Vector<T>::width) * Vector<T>::width;
    int64_t there = columns - first < width ? columns - first : width;
    for (int64_t k = 0; k < rows; ++k, packed += width) {
      const T *row = source + k * row_stride + first * column_stride;
      for (int64_t j = 0; j < there; ++j) packed[j] = row[j * column_stride];
      for (int64_t j = there; j < width; ++j) packed[j] = 0;
    }
    first += width;
  }
}

// A matrix of which a tile reads a few rows: the value in row r and column k is at[r * row_stride + k * column_stride].
template <typename T> struct Left {
  const T *at;
  int64_t row_stride, column_stride;
};

// c (ROWS x VECTORS vectors) = left times right, plus c itself if "add"; the rows of right and c are "right_stride" and
// "c_stride" apart. Each value is summed up in the order of depth whatever ROWS is, so that no row depends on how rows
// are grouped.
template <typename T, int ROWS, int VECTORS>
ALWAYS_INLINE void tile(Left<T> left, const T *right, int64_t right_stride, int64_t depth, T *c, int64_t c_stride,
                        int64_t columns, bool add) {
  constexpr int64_t width = Vector<T>::width;
  const int64_t there = columns < VECTORS * width ? columns : VECTORS * width;
  V<T> sum[ROWS][VECTORS] = {};
  for (int64_t k = 0; k < depth; ++k) {
    V<T> b[VECTORS];
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; ++v) b[v] = load(right + k * right_stride + v * width);
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; ++r) {
      V<T> x = splat(left.at[r * left.row_stride + k * left.column_stride]);
#pragma GCC unroll 8
      for (int v = 0; v < VECTORS; ++v) sum[r][v] += x * b[v];
    }
  }
  T sums[ROWS][VECTORS * width];
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; ++v) store(&sums[r][v * width], sum[r][v]);
  for (int r = 0; r < ROWS; ++r, c += c_stride)
    each_vector<T>(there, [&](int64_t j, auto lanes) {
      V<T> value = load(&sums[r][j]);
      lanes.store(c + j, add ? lanes.load(c + j) + value : value);
    });
}

// The same for all tiles of some rows, which are of nearly equal height.
template <typename T, int VECTORS, typename LeftOf>
ALWAYS_INLINE void tiles(int64_t rows, LeftOf left_of, const T *right, int64_t right_stride, int64_t depth, T *c,
                         int64_t c_stride, int64_t columns, bool add) {
  const int64_t count = (rows + TILE_ROWS - 1) / TILE_ROWS;
  for (int64_t i = 0, row = 0; i < count; ++i) {
    const int64_t height = rows / count + (i < rows % count);
    const Left<T> left = left_of(row, height);
    T *target = c + row * c_stride;
    switch (height) {
#define HEIGHT(N)                                                                                                      \
  case N:                                                                                                              \
    tile<T, N, VECTORS>(left, right, right_stride, depth, target, c_stride, columns, add);                             \
    break;
      HEIGHT(1) HEIGHT(2) HEIGHT(3) HEIGHT(4) HEIGHT(5) HEIGHT(6)
#undef HEIGHT
    }
    row += height;
  }
}

template <typename T, int VECTORS>
void multiply_panel(int64_t rows, const T *a, int64_t a_stride, const T *panel, int64_t depth, T *c, int64_t c_stride,
                    int64_t columns, bool add) {
  auto left_of = [&](int64_t row, int64_t) { return Left<T>{a + row * a_stride, a_stride, 1}; };
  tiles<T, VECTORS>(rows, left_of, panel, VECTORS * Vector<T>::width, depth, c, c_stride, columns, add);
}

// c (rows x columns) = a (rows x depth) times the packed matrix, plus c itself if "add".
template <typename T>
void multiply(int64_t rows, const T *a, int64_t a_stride, const T *packed, int64_t depth, int64_t columns, T *c,
              int64_t c_stride, bool add) {
  for (int64_t first = 0; first < columns;) {
    int64_t vectors = panel_vectors((padded<T>(columns) - first) / Vector<T>::width);
    auto panel = vectors == 4 ? multiply_panel<T, 4> : vectors == 2 ? multiply_panel<T, 2> : multiply_panel<T, 1>;
    panel(rows, a, a_stride, packed, depth, c + first, c_stride, columns - first, add);
    packed += depth * vectors * Vector<T>::width;
    first += vectors * Vector<T>::width;
  }
}
