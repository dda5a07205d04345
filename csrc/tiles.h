// Products of float32 on the tiles of AMX, which multiply numbers of bfloat16.
//
// A number of float32 is the sum of three of bfloat16, exactly: x = x0 + x1 + x2, each with 8 of its 24 bits. Of the nine
// products of the parts of two numbers the six largest are taken (Henry, Tang and Heinecke 2019, "Leveraging the bfloat16
// Artificial Intelligence Datatype For Higher-Precision Computations"); the others are about what float32 rounds off. Parts
// below 1e-38 count as 0, so that numbers below 1e-33 have fewer digits. Where a value is not finite, no sum is that it is
// in; an infinite one makes them NaN.
//
// A tile has 16 rows of 64 bytes: 16 sums, or 32 bfloat16. On the right, neighbouring rows of the matrix lie in pairs.
// Included once, inside the namespace of what uses it.
constexpr int PARTS = 3;
constexpr int64_t EDGE = 16;            // rows and columns of a tile of sums
constexpr int64_t DEPTH = 32;           // products that are added up at once
constexpr int64_t TILE = 512;           // bfloat16 in a tile
constexpr int64_t TILES = PARTS * TILE; // of all parts

// Two rows of 16 values as they lie in tiles: in pairs, the parts apart.
struct Pairs {
  __m512i part[PARTS];
};

// x as a bfloat16, rounded, the lower bits zeros.
inline __m512i leading(__m512 x) {
  const __m512i rounded = _mm512_add_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(0x8000));
  return _mm512_and_si512(rounded, _mm512_set1_epi32(int(0xffff0000)));
}

inline Pairs split(__m512 even, __m512 odd) {
  Pairs pairs;
  for (int i = 0; i < PARTS; ++i) {
    const __m512i low = leading(even), high = leading(odd);
    pairs.part[i] = _mm512_or_si512(_mm512_srli_epi32(low, 16), high);
    even = _mm512_sub_ps(even, _mm512_castsi512_ps(low));
    odd = _mm512_sub_ps(odd, _mm512_castsi512_ps(high));
  }
  return pairs;
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
  for (int i = 0; i < EDGE; ++i) rows[i] = t[i];
}

// How tiles are used while it lives: all of them whole.
struct TileSettings {
  TileSettings() {
    struct {
      uint8_t palette = 1, start = 0, reserved[14] = {};
      uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } settings;
    _tile_loadconfig(&settings);
  }
  ~TileSettings() { _tile_release(); }
};

// sums (32 x 32, in four tiles) = left times right, each two tiles high or wide and "depth" tiles deep. Every next product
// has a part in common with the one before it; the largest comes last.
inline void multiply_tiles(const uint16_t *left, const uint16_t *right, int64_t depth, float *sums) {
  const int64_t next = depth * TILES; // the second tile's way from the first
#define LOAD_LEFT(PART)                                                                                                \
  _tile_loadd(4, left + PART * TILE, 64);                                                                              \
  _tile_loadd(5, left + next + PART * TILE, 64);
#define LOAD_RIGHT(PART)                                                                                               \
  _tile_loadd(6, right + PART * TILE, 64);                                                                             \
  _tile_loadd(7, right + next + PART * TILE, 64);
#define ADD_PRODUCTS                                                                                                   \
  _tile_dpbf16ps(0, 4, 6);                                                                                             \
  _tile_dpbf16ps(1, 4, 7);                                                                                             \
  _tile_dpbf16ps(2, 5, 6);                                                                                             \
  _tile_dpbf16ps(3, 5, 7);
  asm volatile("" ::: "memory"); // not every compiler knows that tiles are read from memory
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int64_t k = 0; k < depth; ++k, left += TILES, right += TILES) {
    LOAD_LEFT(2) LOAD_RIGHT(0) ADD_PRODUCTS
    LOAD_LEFT(1) ADD_PRODUCTS
    LOAD_RIGHT(1) ADD_PRODUCTS
    LOAD_LEFT(0) ADD_PRODUCTS
    LOAD_RIGHT(2) ADD_PRODUCTS
    LOAD_RIGHT(0) ADD_PRODUCTS
  }
#undef LOAD_LEFT
#undef LOAD_RIGHT
#undef ADD_PRODUCTS
  _tile_stored(0, sums, 128);
  _tile_stored(1, sums + EDGE, 128);
  _tile_stored(2, sums + 32 * EDGE, 128);
  _tile_stored(3, sums + 33 * EDGE, 128);
  asm volatile("" ::: "memory");
}
