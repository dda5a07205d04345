// Products of two matrices, each split into parts on the way. Included once, after tile_sides.h.
//
// One side is shared: it is split first, by all threads. The other one is divided: a thread splits a group of panels of
// it, each two tiles wide, and multiplies them with all of the shared side. Blocks of depth are summed up by
// themselves, and then in their order.
struct TileProduct {
  static constexpr int64_t most = 4, at_least = 8; // panels in a group, and groups, if there are so many panels

  int64_t rows, columns, depth;
  Side left, right;
  Matrix result;
  bool by_rows;         // whether the left side is divided
  int64_t group_panels; // how many are split together
  uint16_t *shared;     // blocks of depth, each a panel after the other
  bool failed;

  explicit TileProduct(const MatrixProduct &p)
      : rows(p.rows), columns(p.columns), depth(p.depth), left{p.left.at, p.left.row_stride, p.left.column_stride},
        right{p.right.at, p.right.column_stride, p.right.row_stride}, result(p.result), by_rows(true), group_panels(1),
        shared(nullptr), failed(false) {
    // Lines on the right have to be turned, others on the left: the transposed product may have fewer.
    if (turned(left, right, rows, columns) > turned(right, left, columns, rows)) {
      rows = p.columns, columns = p.rows;
      const Side first = left;
      left = right, right = first;
      result = {p.result.at, p.result.column_stride, p.result.row_stride};
    }
    // Neighbouring results are best written by one thread, if there is enough for all.
    const bool lines = result.column_stride == 1;
    by_rows = lines ? 2 * rows >= columns : rows > 2 * columns;
    const int64_t fitting = panels_of(divided_lines()) / at_least;
    group_panels = fitting < 1 ? 1 : least(fitting, most);
  }

  static int64_t turned(Side left, Side right, int64_t rows, int64_t columns) {
    return (left.has_lines() ? 0 : rows) + (right.has_lines() ? columns : 0);
  }

  int64_t blocks() const { return (depth + DEEPEST - 1) / DEEPEST; }
  int64_t deep(int64_t block) const { return least(depth - block * DEEPEST, DEEPEST); }
  int64_t shared_lines() const { return by_rows ? columns : rows; }
  int64_t divided_lines() const { return by_rows ? rows : columns; }

  uint16_t *shared_panel(int64_t block, int64_t panel) const {
    return shared + block * panels_of(shared_lines()) * panel_size(DEEPEST) + panel * panel_size(deep(block));
  }

  int64_t shared_size() const { return blocks() * panels_of(shared_lines()) * panel_size(least(DEEPEST, depth)); }

  static void split_shared(int64_t begin, int64_t end, void *context) {
    const TileProduct &p = *static_cast<TileProduct *>(context);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t panels = panels_of(p.shared_lines()), block = i / panels, panel = i % panels, line = panel * WIDTH;
      const Side side = (p.by_rows ? p.right : p.left).from(line, block * DEEPEST);
      (p.by_rows ? split_panel<false> : split_panel<true>)(side, p.shared_lines() - line, p.deep(block),
                                                           p.shared_panel(block, panel), nullptr, false);
    }
  }

  static void multiply(int64_t begin, int64_t end, void *context) {
    TileSettings settings;
    TileProduct &p = *static_cast<TileProduct *>(context);
    const int64_t own = p.group_panels * panel_size(least(DEEPEST, p.depth)) * sizeof(uint16_t);
    const int64_t results = p.group_panels * panels_of(p.shared_lines()) + 1;
    void *scratch = aligned_alloc(64, own + results * 4 * SUMS * sizeof(float));
    if (!scratch) {
      __atomic_store_n(&p.failed, true, __ATOMIC_RELAXED);
      return;
    }
    float *sums = reinterpret_cast<float *>(static_cast<char *>(scratch) + own);
    for (int64_t i = begin; i < end; ++i)
      p.run_group(i, static_cast<uint16_t *>(scratch), sums);
    free(scratch);
  }

  void run_group(int64_t group, uint16_t *tiles, float *sums) const {
    const int64_t line = group * group_panels * WIDTH,
                  count = panels_of(least(divided_lines() - line, group_panels * WIDTH));
    for (int64_t block = 0; block < blocks(); ++block) {
      const int64_t size = panel_size(deep(block));
      split_divided(line, count, block, tiles);
      for (int64_t i = 0; i < panels_of(shared_lines()); ++i)
        for (int64_t j = 0; j < count; ++j) {
          const uint16_t *own = tiles + j * size, *other = shared_panel(block, i);
          float *sum = sums + (i * count + j) * 4 * SUMS;
          float *of_block = block ? sums + count * panels_of(shared_lines()) * 4 * SUMS : sum;
          multiply_tiles(by_rows ? own : other, by_rows ? other : own, size / (2 * TILES), of_block);
          if (block) add_sums(sum, of_block);
          const int64_t divided = line + j * WIDTH, shared = i * WIDTH;
          if (block + 1 == blocks())
            write(sum, by_rows ? divided : shared, by_rows ? shared : divided);
        }
    }
  }

  // Lines with gaps lie side by side, so that as many are read as there are before going on to the next value of each.
  void split_divided(int64_t line, int64_t count, int64_t block, uint16_t *tiles) const {
    const Side side = (by_rows ? left : right).from(line, block * DEEPEST);
    const int64_t lines = divided_lines() - line, depth = deep(block), step = side.has_lines() ? depth : DEPTH;
    const auto split = by_rows ? split_edge<true> : split_edge<false>;
    for (int64_t k = 0; k < depth; k += step)
      for (int64_t edge = 0; edge < 2 * count; ++edge)
        split(side.from(edge * EDGE, k), lines - edge * EDGE, least(depth - k, step),
              tiles + edge * panel_size(depth) / 2 + k / DEPTH * TILES, nullptr, false);
  }

  void write(const float *sums, int64_t row, int64_t column) const {
    const bool lines = result.column_stride == 1;
    const int64_t stride = lines ? result.row_stride : result.column_stride;
    float *at = result.at + row * result.row_stride + column * result.column_stride;
    for (int64_t i = 0; i < WIDTH; i += EDGE)
      for (int64_t j = 0; j < WIDTH; j += EDGE)
        lines
            ? write_tile<true>(sums + sums_at(i, j), at + i * stride + j, stride, rows - row - i, columns - column - j)
            : write_tile<false>(sums + sums_at(i, j), at + j * stride + i, stride, columns - column - j,
                                rows - row - i);
  }

  // Writes some lines, which are the rows of a tile or its columns.
  template <bool ROWS>
  static void write_tile(const float *sums, float *at, int64_t stride, int64_t lines, int64_t values) {
    __m512i line[EDGE];
#pragma GCC unroll 16
    for (int64_t i = 0; i < EDGE; ++i)
      line[i] = _mm512_load_si512(sums + i * EDGE);
    if (!ROWS)
      transpose(line);
#pragma GCC unroll 16
    for (int64_t i = 0; i < EDGE; ++i)
      if (i < lines)
        _mm512_mask_storeu_ps(at + i * stride, lanes(values), _mm512_castsi512_ps(line[i]));
  }

  bool run(ParallelFor parallel) {
    shared = static_cast<uint16_t *>(aligned_alloc(64, shared_size() * sizeof(uint16_t)));
    if (!shared)
      return false;
    const int64_t width = group_panels * WIDTH, groups = (divided_lines() + width - 1) / width;
    const int64_t of_group = shared_lines() * depth * width, of_split = SPLITTING * WIDTH * least(depth, DEEPEST);
    const bool done =
        for_all(parallel, blocks() * panels_of(shared_lines()), 1 + WORK_OF_A_THREAD / of_split, split_shared, this) &&
        for_all(parallel, groups, 1 + WORK_OF_A_THREAD / of_group, multiply, this);
    free(shared);
    return done && !failed;
  }
};

static bool suits_tiles(int64_t rows, int64_t columns, int64_t depth) {
  return rows * columns * depth > LITTLE && rows * columns >= SPLITTING * (rows + columns);
}

bool suits(int64_t rows, int64_t columns, int64_t depth) {
  return suits_tiles(rows, columns, depth) || avx512::table.matrices.suits(rows, columns, depth);
}

bool multiply(const MatrixProduct *p, ParallelFor parallel) {
  return suits_tiles(p->rows, p->columns, p->depth) ? TileProduct(*p).run(parallel)
                                                    : avx512::table.matrices.multiply(p, parallel);
}
