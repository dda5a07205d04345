// For x86 processors with AMX: what is faster on its tiles than by AVX-512.
#include "kernels.h"

#ifdef HAS_TILES
#include <immintrin.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("amx-tile,amx-bf16,avx512f,avx512vl,avx512dq,avx512bw"))),          \
                             apply_to = function)
#else
#pragma GCC target("amx-tile,amx-bf16,avx512f,avx512vl,avx512dq,avx512bw")
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized" // in GCC's own header
#endif

namespace amx {

constexpr int64_t WORK_OF_A_THREAD = 1 << 22; // products and sums: some 50 microseconds
constexpr int64_t LITTLE = 1 << 20;           // products that are done before tiles are set up
constexpr int64_t SPLITTING = 48;             // a value takes as long as so many products

inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// In the order in which they rest on each other.
// clang-format off
#include "for_all.h"
#include "tiles.h"
#include "tile_sides.h"
#include "tile_gradient.h"
#include "tile_product.h"
#include "tile_packed.h"
#include "tile_convolution.h"
// clang-format on

} // namespace amx

#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
