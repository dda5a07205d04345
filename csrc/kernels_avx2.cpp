// For x86 processors with AVX2 and FMA: 16 registers of 32 bytes.
#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#define ISA avx2
#define BYTES 32
#define PANEL_VECTORS 2
#include "instruction_set.h"

#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
