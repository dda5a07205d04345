// For x86 processors with AVX-512: 32 registers of 64 bytes.
#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")
#endif

#define ISA avx512
#define BYTES 64
#define PANEL_VECTORS 4
#include "instruction_set.h"

#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
