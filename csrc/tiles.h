// Products of float32 on the tiles of AMX, which multiply numbers of bfloat16.
//
// A number of float32 is the sum of three of bfloat16, exactly: x = x0 + x1 + x2, each with 8 of its 24 bits. Of the
// nine products of the parts of two numbers the six largest are taken (Henry, Tang and Heinecke 2019, "Leveraging the
// bfloat16 Artificial Intelligence Datatype For Higher-Precision Computations"); the others are about what float32
// rounds off. Parts below 1e-38 count as 0, so that numbers below 1e-33 have fewer digits. Where a value is not finite,
// no sum is that it is in; an infinite one makes them NaN.
//
// A tile has 16 rows of 64 bytes: 16 sums, or 32 bfloat16. On the right, neighbouring rows of the matrix lie in pairs.
// Included once, inside the namespace of what uses it.
constexpr int PARTS = 3;
constexpr int64_t EDGE = 16;            // rows and columns of a tile of sums
constexpr int64_t DEPTH = 32;           // products that are added up at once
constexpr int64_t TILE = 512;           // bfloat16 in a tile
constexpr int64_t TILES = PARTS * TILE; // of all parts
constexpr int64_t SUMS = EDGE * EDGE;   // in a tile of sums
constexpr int64_t WIDTH = 2 * EDGE;     // tiles are multiplied two by two

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

// sums = left times right, each two tiles high (or one, if it is not TALL) or wide and "depth" tiles deep. On the
// right, tiles of all parts lie one behind the other. On the left, left_at(k) is the first tile at a depth; the other
// parts and the lower tile are so far behind it as told. The sums are four tiles of 16 x 16, the upper ones first.
// Every next product has a part in common with the one before it; the largest comes last.
template <bool TALL, typename LeftAt>
inline void add_up_tiles(LeftAt left_at, int64_t part, int64_t lower, const uint16_t *right, int64_t depth,
                         float *sums) {
  const int64_t next = depth * TILES; // the second tile's way from the first
#define LOAD_LEFT(PART)                                                                                                \
  _tile_loadd(4, left + PART * part, 64);                                                                              \
  if (TALL) _tile_loadd(5, left + lower + PART * part, 64);
#define LOAD_RIGHT(PART)                                                                                               \
  _tile_loadd(6, right + PART * TILE, 64);                                                                             \
  _tile_loadd(7, right + next + PART * TILE, 64);
#define ADD_PRODUCTS                                                                                                   \
  _tile_dpbf16ps(0, 4, 6);                                                                                             \
  _tile_dpbf16ps(1, 4, 7);                                                                                             \
  if (TALL) _tile_dpbf16ps(2, 5, 6);                                                                                   \
  if (TALL) _tile_dpbf16ps(3, 5, 7);
#define ZERO_SUM(I) _tile_zero(I);
#define STORE_SUM(I) _tile_stored(I, sums + I * SUMS, 64);
#define EACH_SUM(DO) DO(0) DO(1) DO(2) DO(3)
  asm volatile("" ::: "memory"); // not every compiler knows that tiles are read from memory
  EACH_SUM(ZERO_SUM)
  for (int64_t k = 0; k < depth; ++k, right += TILES) {
    const uint16_t *left = left_at(k);
    LOAD_LEFT(2) LOAD_RIGHT(0) ADD_PRODUCTS
    LOAD_LEFT(1) ADD_PRODUCTS
    LOAD_RIGHT(1) ADD_PRODUCTS
    LOAD_LEFT(0) ADD_PRODUCTS
    LOAD_RIGHT(2) ADD_PRODUCTS
    LOAD_RIGHT(0) ADD_PRODUCTS
  }
  EACH_SUM(STORE_SUM)
  asm volatile("" ::: "memory");
#undef LOAD_LEFT
#undef LOAD_RIGHT
#undef ADD_PRODUCTS
#undef EACH_SUM
#undef ZERO_SUM
#undef STORE_SUM
}

// The same where the left tiles lie as the right ones do.
template <bool TALL = true>
inline void multiply_tiles(const uint16_t *left, const uint16_t *right, int64_t depth, float *sums) {
  add_up_tiles<TALL>([=](int64_t k) { return left + k * TILES; }, TILE, depth * TILES, right, depth, sums);
}

// Adds the sums of another block of depth.
inline void add_sums(float *sums, const float *more) {
  for (int64_t i = 0; i < 4 * SUMS; i += EDGE)
    _mm512_store_ps(sums + i, _mm512_add_ps(_mm512_load_ps(sums + i), _mm512_load_ps(more + i)));
}

// Where 16 sums of a row lie among those of multiply_tiles.
inline int64_t sums_at(int64_t row, int64_t column) {
  return (row / EDGE * 2 + column / EDGE) * SUMS + row % EDGE * EDGE;
}
