// Products of rows with a matrix that is packed once, in parts. Included once, after tile_sides.h.
//
// The packed matrix is cut into blocks of depth, each a panel of columns after the other, two tiles wide.

// How many bfloat16 a panel has, all blocks together.
inline int64_t size_of_blocks(int64_t depth) {
  return depth / DEEPEST * panel_size(DEEPEST) + panel_size(depth % DEEPEST);
}

int64_t tiles_size(int64_t columns, int64_t depth) {
  return panels_of(columns) * size_of_blocks(depth) * int64_t(sizeof(uint16_t)) / int64_t(sizeof(float));
}

void pack_tiles(const float *matrix, int64_t columns, int64_t depth, float *packed) {
  uint16_t *tiles = reinterpret_cast<uint16_t *>(packed);
  for (int64_t k = 0; k < depth; k += DEEPEST)
    for (int64_t first = 0; first < columns; first += WIDTH) {
      const int64_t deep = least(depth - k, DEEPEST);
      split_panel<false>({matrix + first * depth + k, depth, 1}, columns - first, deep, tiles);
      tiles += panel_size(deep);
    }
}

struct PackedProduct {
  static constexpr int64_t values_at_once = 1 << 16; // that are split by a thread and stay in its cache
  static constexpr int64_t lines_in_cache = 1 << 14; // of packed weights

  const TiledProduct &p;
  uint16_t *split; // all rows, if they are divided by columns
  bool failed;

  int64_t blocks() const { return (p.depth + DEEPEST - 1) / DEEPEST; }
  int64_t deep(int64_t block) const { return least(p.depth - block * DEEPEST, DEEPEST); }
  int64_t size_of_rows() const { return size_of_blocks(p.depth); }

  const uint16_t *weights(int64_t block, int64_t panel) const {
    return reinterpret_cast<const uint16_t *>(p.tiles) + block * panels_of(p.columns) * panel_size(DEEPEST) +
           panel * panel_size(deep(block));
  }

  const float *row(int64_t i) const {
    const int64_t line = i / p.line;
    return p.x + line / p.lines * p.image_stride + line % p.lines * p.line_stride + i % p.line * p.stride;
  }

  // Splits up to two tiles' height of rows, of which "there" are left. Those with gaps between lines are copied before.
  void split_rows(int64_t first, int64_t there, uint16_t *tiles, float *copy) const {
    const int64_t count = least(there, WIDTH);
    Side side = {row(first), p.stride, 1};
    if (row(first + count - 1) != side.at + (count - 1) * p.stride) {
      for (int64_t i = 0; i < count; ++i)
        std::memcpy(copy + i * p.depth, row(first + i), p.depth * sizeof(float));
      side = {copy, p.depth, 1};
    }
    for (int64_t block = 0; block < blocks(); ++block)
      split_panel<true>(side.from(0, block * DEEPEST), count, deep(block), tiles + block * panel_size(DEEPEST));
  }

  // Multiplies rows that are split with panels of the weights.
  void multiply(int64_t first, int64_t count, const uint16_t *rows, int64_t begin, int64_t end) const {
    alignas(64) float sums[2][4 * SUMS];
    const bool kept = tiles_size(p.columns, p.depth) <= lines_in_cache * EDGE;
    const int64_t heights = panels_of(count);
    for (int64_t panel = begin; panel < end; ++panel)
      for (int64_t i = 0; i < heights; ++i) {
        const bool tall = count - i * WIDTH > EDGE;
        for (int64_t block = 0; block < blocks(); ++block) {
          if (!kept)
            fetch(block, panel + 1, i, heights);
          (tall ? multiply_tiles<true> : multiply_tiles<false>)(rows + i * size_of_rows() + block * panel_size(DEEPEST),
                                                                weights(block, panel),
                                                                panel_size(deep(block)) / (2 * TILES), sums[block > 0]);
          if (block)
            add_sums(sums[0], sums[1]);
        }
        write(sums[0], first + i * WIDTH, count - i * WIDTH, panel * WIDTH);
      }
  }

  // Asks for the i-th of "parts" of a panel.
  void fetch(int64_t block, int64_t panel, int64_t i, int64_t parts) const {
    if (panel >= panels_of(p.columns))
      return;
    const int64_t size = panel_size(deep(block)), line = 64 / sizeof(uint16_t);
    for (int64_t at = size / line * i / parts; at < size / line * (i + 1) / parts; ++at)
      __builtin_prefetch(weights(block, panel) + at * line, 0, 2);
  }

  void write(const float *sums, int64_t row, int64_t rows, int64_t column) const {
    const __m512 zero = _mm512_setzero_ps();
    for (int64_t j = 0; j < WIDTH; j += EDGE) {
      const __mmask16 there = lanes(p.columns - column - j);
      const __m512 bias = p.bias ? _mm512_maskz_loadu_ps(there, p.bias + column + j) : zero;
      for (int64_t i = 0; i < WIDTH && i < rows; ++i) {
        const int64_t at = (row + i) * p.columns + column + j;
        __m512 y = _mm512_add_ps(_mm512_load_ps(sums + sums_at(i, j)), bias);
        if (p.other)
          y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(there, p.other + at));
        if (p.relu)
          y = _mm512_mask_blend_ps(_mm512_cmp_ps_mask(y, zero, _CMP_LT_OQ), y, zero); // NaN stays NaN
        _mm512_mask_storeu_ps(p.y + at, there, y);
      }
    }
  }

  // Rows that a thread splits and multiplies with all weights.
  int64_t rows_at_once() const {
    const int64_t fitting = values_at_once / p.depth / WIDTH * WIDTH;
    return fitting < WIDTH ? WIDTH : least(fitting, 8 * WIDTH);
  }

  static void multiply_rows(int64_t begin, int64_t end, void *context) {
    TileSettings settings;
    PackedProduct &k = *static_cast<PackedProduct *>(context);
    const int64_t last = least(end * WIDTH, k.p.rows), most = least(k.rows_at_once(), last - begin * WIDTH);
    const int64_t size = panels_of(most) * k.size_of_rows() * sizeof(uint16_t);
    char *scratch = static_cast<char *>(aligned_alloc(64, size + WIDTH * ((k.p.depth + EDGE) / EDGE * 64)));
    if (!scratch) {
      __atomic_store_n(&k.failed, true, __ATOMIC_RELAXED);
      return;
    }
    uint16_t *tiles = reinterpret_cast<uint16_t *>(scratch);
    for (int64_t first = begin * WIDTH; first < last; first += most) {
      const int64_t count = least(last - first, most);
      for (int64_t i = 0; i < count; i += WIDTH)
        k.split_rows(first + i, count - i, tiles + i / WIDTH * k.size_of_rows(),
                     reinterpret_cast<float *>(scratch + size));
      k.multiply(first, count, tiles, 0, panels_of(k.p.columns));
    }
    free(scratch);
  }

  static void split_all(int64_t begin, int64_t end, void *context) {
    PackedProduct &k = *static_cast<PackedProduct *>(context);
    float *copy = static_cast<float *>(malloc(WIDTH * k.p.depth * sizeof(float)));
    if (!copy)
      __atomic_store_n(&k.failed, true, __ATOMIC_RELAXED);
    for (int64_t i = begin; copy && i < end; ++i)
      k.split_rows(i * WIDTH, k.p.rows - i * WIDTH, k.split + i * k.size_of_rows(), copy);
    free(copy);
  }

  static void multiply_columns(int64_t begin, int64_t end, void *context) {
    TileSettings settings;
    const PackedProduct &k = *static_cast<PackedProduct *>(context);
    k.multiply(0, k.p.rows, k.split, begin, end);
  }

  // Threads divide rows; or columns where there are more of these, so that no weight is read by several.
  bool run(ParallelFor parallel) {
    const int64_t work = WIDTH * p.depth, of_split = SPLITTING * WIDTH * p.depth;
    if (p.rows >= p.columns || !parallel)
      return for_all(parallel, panels_of(p.rows), 1 + WORK_OF_A_THREAD / (work * p.columns), multiply_rows, this) &&
             !failed;
    split = static_cast<uint16_t *>(aligned_alloc(64, panels_of(p.rows) * size_of_rows() * sizeof(uint16_t)));
    if (!split)
      return false;
    const bool done =
        for_all(parallel, panels_of(p.rows), 1 + WORK_OF_A_THREAD / of_split, split_all, this) && !failed &&
        for_all(parallel, panels_of(p.columns), 1 + WORK_OF_A_THREAD / (work * p.rows), multiply_columns, this);
    free(split);
    return done;
  }
};

bool multiply_packed(const TiledProduct *p, ParallelFor parallel) {
  return PackedProduct{*p, nullptr, false}.run(parallel);
}
