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
    constexpr int64_t at_once = 16; // rows whose values lie side by side, if the matrix is the transpose of one with rows
    for (int64_t k0 = 0; k0 < rows; k0 += at_once) {
      const int64_t count = rows - k0 < at_once ? rows - k0 : at_once;
      const T *corner = source + k0 * row_stride + first * column_stride;
      for (int64_t j = 0; j < width; ++j)
        for (int64_t k = 0; k < count; ++k)
          packed[k * width + j] = j < there ? corner[k * row_stride + j * column_stride] : T(0);
      packed += count * width;
    }
    first += width;
  }
}

// A matrix of which a tile reads a few rows: the value in row r and column k is at[r * row_stride + k * column_stride].
template <typename T> struct Left {
  const T *at;
  int64_t row_stride, column_stride;
};

// Brings what is read later nearer, into the second cache: a line with each row of what is read now; or does nothing.
template <bool WANTED> struct Ahead {
  static constexpr int64_t line = 64;
  const char *at = nullptr;

  Ahead() = default;
  ALWAYS_INLINE Ahead(const void *later, int64_t rows) : at(static_cast<const char *>(later)) { skip(rows); }

  ALWAYS_INLINE void row(int64_t k) const {
    if constexpr (WANTED) __builtin_prefetch(at + k * line, 0, 2);
  }
  ALWAYS_INLINE void skip(int64_t rows) {
    if constexpr (WANTED) at += rows * line;
  }
};

// How many of the first tiles bring a matrix nearer whose rows are as long as a tile's: all of it, if there are enough.
template <typename T, int VECTORS> ALWAYS_INLINE int64_t tiles_ahead(const T *later, int64_t tiles) {
  constexpr int64_t lines = VECTORS * sizeof(V<T>) / Ahead<true>::line, enough = lines < 1 ? 1 : lines;
  return !later ? 0 : enough < tiles ? enough : tiles;
}

// c (ROWS x VECTORS vectors) = left times right, plus what "addend" points to, if not null; the rows of right, c and
// addend are as far apart as their strides tell. Each value is summed up in the order of depth whatever ROWS is, so that
// no row depends on how rows are grouped.
template <typename T, int ROWS, int VECTORS, bool AHEAD = false>
ALWAYS_INLINE void tile(Left<T> left, const T *right, int64_t right_stride, int64_t depth, T *c, int64_t c_stride,
                        int64_t columns, const T *addend, int64_t addend_stride, Ahead<AHEAD> ahead = {}) {
  constexpr int64_t width = Vector<T>::width;
  const int64_t there = columns < VECTORS * width ? columns : VECTORS * width;
  V<T> sum[ROWS][VECTORS] = {};
#pragma GCC unroll 4
  for (int64_t k = 0; k < depth; ++k) {
    ahead.row(k);
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
  if (there == VECTORS * width) { // straight from the registers
#pragma GCC unroll 8
    for (int r = 0; r < ROWS; ++r, c += c_stride, addend += addend ? addend_stride : 0)
#pragma GCC unroll 8
      for (int v = 0; v < VECTORS; ++v)
        store(c + v * width, addend ? load(addend + v * width) + sum[r][v] : sum[r][v]);
    return;
  }
  T sums[ROWS][VECTORS * width];
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < VECTORS; ++v) store(&sums[r][v * width], sum[r][v]);
  for (int r = 0; r < ROWS; ++r, c += c_stride, addend += addend ? addend_stride : 0)
    each_vector<T>(there, [&](int64_t j, auto lanes) {
      V<T> value = load(&sums[r][j]);
      lanes.store(c + j, addend ? lanes.load(addend + j) + value : value);
    });
}

// The same for the tiles of some rows, which are of nearly equal height, from one tile to another.
template <typename T, int VECTORS, bool AHEAD, typename LeftOf>
ALWAYS_INLINE void tiles_between(int64_t begin, int64_t end, int64_t rows, LeftOf left_of, const T *right,
                                 int64_t right_stride, int64_t depth, T *c, int64_t c_stride, int64_t columns,
                                 const T *addend, int64_t addend_stride, const T *later) {
  const int64_t count = (rows + TILE_ROWS - 1) / TILE_ROWS;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t height = rows / count + (i < rows % count);
    const int64_t row = rows / count * i + (i < rows % count ? i : rows % count);
    const Ahead<AHEAD> ahead(later, i * depth);
    const Left<T> left = left_of(row, height);
    T *target = c + row * c_stride;
    const T *added = addend ? addend + row * addend_stride : nullptr;
    switch (height) {
#define HEIGHT(N)                                                                                                      \
  case N:                                                                                                              \
    tile<T, N, VECTORS>(left, right, right_stride, depth, target, c_stride, columns, added, addend_stride, ahead);     \
    break;
      HEIGHT(1) HEIGHT(2) HEIGHT(3) HEIGHT(4) HEIGHT(5) HEIGHT(6)
#undef HEIGHT
    }
  }
}

// The same for all tiles. While the first ones are computed, what is read after them ("later", a matrix like "right" with
// rows without gaps) is brought nearer, if it is not null.
template <typename T, int VECTORS, typename LeftOf>
ALWAYS_INLINE void tiles(int64_t rows, LeftOf left_of, const T *right, int64_t right_stride, int64_t depth, T *c,
                         int64_t c_stride, int64_t columns, const T *addend, int64_t addend_stride,
                         const T *later = nullptr) {
  const int64_t count = (rows + TILE_ROWS - 1) / TILE_ROWS, first = tiles_ahead<T, VECTORS>(later, count);
  tiles_between<T, VECTORS, true>(0, first, rows, left_of, right, right_stride, depth, c, c_stride, columns, addend,
                                  addend_stride, later);
  tiles_between<T, VECTORS, false>(first, count, rows, left_of, right, right_stride, depth, c, c_stride, columns, addend,
                                   addend_stride, nullptr);
}

// Rows of one or more groups (the samples), which are apart from each other as the rows of a group (the steps) are.
template <typename T> struct Grouped {
  T *at;
  int64_t stride, group_stride;
};

template <typename T, int VECTORS>
void multiply_panel(int64_t groups, int64_t rows, Grouped<const T> a, const T *panel, int64_t depth, Grouped<T> c,
                    int64_t columns, Grouped<const T> addend) {
  for (int64_t group = 0; group < groups; ++group) {
    auto left_of = [&](int64_t row, int64_t) { return Left<T>{a.at + row * a.stride, a.stride, 1}; };
    tiles<T, VECTORS>(rows, left_of, panel, VECTORS * Vector<T>::width, depth, c.at, c.stride, columns, addend.at,
                      addend.stride);
    a.at += a.group_stride;
    c.at += c.group_stride;
    addend.at += addend.at ? addend.group_stride : 0;
  }
}

constexpr int64_t deepest = 512; // of a panel, so that it stays in the cache from tile to tile

// c (groups x rows x columns) = a (groups x rows x depth) times the packed matrix, plus the addend, if that is not null.
template <typename T>
void multiply(int64_t groups, int64_t rows, Grouped<const T> a, const T *packed, int64_t depth, int64_t columns,
              Grouped<T> c, Grouped<const T> addend) {
  for (int64_t first = 0; first < columns;) {
    const int64_t vectors = panel_vectors((padded<T>(columns) - first) / Vector<T>::width);
    const int64_t width = vectors * Vector<T>::width;
    auto panel = vectors == 4 ? multiply_panel<T, 4> : vectors == 2 ? multiply_panel<T, 2> : multiply_panel<T, 1>;
    const Grouped<T> target = {c.at + first, c.stride, c.group_stride};
    for (int64_t k = 0; k < depth; k += deepest) {
      Grouped<const T> added = {addend.at ? addend.at + first : nullptr, addend.stride, addend.group_stride};
      if (k > 0) added = {target.at, target.stride, target.group_stride};
      panel(groups, rows, {a.at + k, a.stride, a.group_stride}, packed + k * width,
            depth - k < deepest ? depth - k : deepest, target, columns - first, added);
    }
    packed += depth * width;
    first += width;
  }
}
