// The sides of a product as tiles have them: in parts, on the right in pairs. Included once, after tiles.h.

// A matrix on the left, of rows, or on the right, of columns: lines of values, one of each for every step of depth.
struct Side {
  const float *at;
  int64_t stride, depth_stride; // from line to line, and from value to value of a line; one of both is 1

  bool has_lines() const { return depth_stride == 1; } // without gaps
  Side from(int64_t line, int64_t k) const { return {at + line * stride + k * depth_stride, stride, depth_stride}; }
};

// 32 values, the parts apart.
struct Split {
  __m512i part[PARTS];
};

// x as a bfloat16, rounded, the lower bits zeros.
inline __m512i leading(__m512 x) {
  const __m512i rounded = _mm512_add_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(0x8000));
  return _mm512_and_si512(rounded, _mm512_set1_epi32(int(0xffff0000)));
}

// The values of a, then those of b.
inline __m512i one_after_the_other(__m512i a, __m512i b) {
  alignas(64) static constexpr int16_t upper[32] = {1,  3,  5,  7,  9,  11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31,
                                                    33, 35, 37, 39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63};
  return _mm512_permutex2var_epi16(a, _mm512_load_si512(upper), b);
}

// Those of a and b in turn.
inline __m512i in_pairs(__m512i a, __m512i b) { return _mm512_or_si512(_mm512_srli_epi32(a, 16), b); }

template <bool PAIRS> inline Split split(__m512 a, __m512 b) {
  Split result;
  for (int i = 0; i < PARTS; ++i) {
    const __m512i of_a = leading(a), of_b = leading(b);
    result.part[i] = PAIRS ? in_pairs(of_a, of_b) : one_after_the_other(of_a, of_b);
    a = _mm512_sub_ps(a, _mm512_castsi512_ps(of_a));
    b = _mm512_sub_ps(b, _mm512_castsi512_ps(of_b));
  }
  return result;
}

// Transposes 16 rows of 16 values.
inline void transpose(__m512i (&rows)[EDGE]) {
  __m512i t[EDGE];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    t[2 * i] = _mm512_unpacklo_epi32(rows[2 * i], rows[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_epi32(rows[2 * i], rows[2 * i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i)
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      rows[4 * i + 2 * j] = _mm512_unpacklo_epi64(t[4 * i + j], t[4 * i + j + 2]);
      rows[4 * i + 2 * j + 1] = _mm512_unpackhi_epi64(t[4 * i + j], t[4 * i + j + 2]);
    }
  // Now row 4 i + j has the columns j, j + 4, j + 8, j + 12 of the rows 4 i to 4 i + 3.
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    const __m512i a = _mm512_shuffle_i32x4(rows[j], rows[4 + j], 0x88);
    const __m512i b = _mm512_shuffle_i32x4(rows[j], rows[4 + j], 0xdd);
    const __m512i c = _mm512_shuffle_i32x4(rows[8 + j], rows[12 + j], 0x88);
    const __m512i d = _mm512_shuffle_i32x4(rows[8 + j], rows[12 + j], 0xdd);
    t[j] = _mm512_shuffle_i32x4(a, c, 0x88);
    t[j + 4] = _mm512_shuffle_i32x4(b, d, 0x88);
    t[j + 8] = _mm512_shuffle_i32x4(a, c, 0xdd);
    t[j + 12] = _mm512_shuffle_i32x4(b, d, 0xdd);
  }
#pragma GCC unroll 16
  for (int i = 0; i < EDGE; ++i)
    rows[i] = t[i];
}

// The first lanes of a vector, where "there" values are left.
inline __mmask16 lanes(int64_t there) { return there >= EDGE ? 0xffff : there > 0 ? (1 << there) - 1 : 0; }

// Splits 16 lines, zeros behind the last one and behind the depth. Lines with gaps are read side by side; their totals
// are written on request, or added to those that are there.
template <bool LEFT, bool LINES>
void split_tiles(Side side, int64_t lines, int64_t depth, uint16_t *tiles, float *total, bool add) {
  constexpr bool turned = LEFT != LINES;
  __m512 sum = _mm512_setzero_ps();
  for (int64_t k = 0; k < depth; k += DEPTH, tiles += TILES) {
    const __mmask16 masks[2] = {lanes(LINES ? depth - k : lines), lanes(LINES ? depth - k - EDGE : lines)};
    __m512i parts[PARTS][EDGE];
    __m512 few = _mm512_setzero_ps(); // sums of sums lose fewer digits
#pragma GCC unroll 16
    for (int64_t i = 0; i < EDGE; ++i) {
      const float *at = LINES ? side.at + i * side.stride + k : side.at + (k + 2 * i) * side.depth_stride;
      const bool is_first = LINES ? i < lines : k + 2 * i < depth,
                 is_second = LINES ? i < lines : k + 2 * i + 1 < depth;
      const __mmask16 first = is_first ? masks[0] : 0, second = is_second ? masks[1] : 0;
      const __m512 a = _mm512_maskz_loadu_ps(first, at);
      const __m512 b = _mm512_maskz_loadu_ps(second, at + (LINES ? EDGE : side.depth_stride));
      if (!LINES && total)
        few = _mm512_add_ps(few, _mm512_add_ps(a, b));
      const Split values = split<!LINES>(a, b);
      for (int part = 0; part < PARTS; ++part)
        if (turned)
          parts[part][i] = values.part[part];
        else
          _mm512_store_si512(tiles + part * TILE + i * DEPTH, values.part[part]);
    }
    sum = _mm512_add_ps(sum, few);
    for (int part = 0; turned && part < PARTS; ++part) {
      transpose(parts[part]);
#pragma GCC unroll 16
      for (int64_t i = 0; i < EDGE; ++i)
        _mm512_store_si512(tiles + part * TILE + i * DEPTH, parts[part][i]);
    }
  }
  if (LINES || !total)
    return;
  if (add)
    sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(lanes(lines), total));
  _mm512_mask_storeu_ps(total, lanes(lines), sum);
}

constexpr int64_t DEEPEST = 512; // of a block, whose panels stay in the cache; blocks are added up in their order

inline int64_t panels_of(int64_t lines) { return (lines + WIDTH - 1) / WIDTH; }

// How many bfloat16 the tiles of two times 16 lines have.
inline int64_t panel_size(int64_t depth) { return 2 * ((depth + DEPTH - 1) / DEPTH) * TILES; }

template <bool LEFT> void split_edge(Side side, int64_t lines, int64_t depth, uint16_t *tiles, float *total, bool add) {
  (side.has_lines() ? split_tiles<LEFT, true> : split_tiles<LEFT, false>)(side, lines, depth, tiles, total, add);
}

// Splits two times 16 lines, some depth of them.
template <bool LEFT>
void split_panel(Side side, int64_t lines, int64_t depth, uint16_t *tiles, float *total = nullptr, bool add = false) {
  for (int64_t line = 0; line < WIDTH; line += EDGE, tiles += panel_size(depth) / 2)
    split_edge<LEFT>(side.from(line, 0), lines - line, depth, tiles, total ? total + line : nullptr, add);
}
