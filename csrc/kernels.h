// What each instruction set offers.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "chain.h"
#include "denormals.h"
#include "finish.h"
#include "largest.h"
#include "matrices.h"
#include "moves.h"
#include "network.h"
#include "normalization.h"
#include "recurrence.h"
#include "sequence.h"
#include "team.h"

#define ALWAYS_INLINE inline __attribute__((always_inline))
#define ALWAYS_INLINE_LAMBDA __attribute__((always_inline)) // behind a lambda's parameters

// Each returns false where memory is short.
struct KernelOf {
  bool (*sequence)(const Sequence *, bool backward, ParallelFor);
  bool (*weight_gradient)(const Product *, ParallelFor);
};

struct NetworkKernels {
  int64_t (*tiles_size)(int64_t columns, int64_t depth); // null without tiles
  void (*pack_tiles)(const float *matrix, int64_t columns, int64_t depth, float *packed);
  int64_t (*packed_size)(int64_t columns, int64_t depth);
  void (*pack)(const float *matrix, int64_t columns, int64_t depth, float *packed);
  bool (*run)(const NetworkCall *, ParallelFor);
  bool (*look_up)(const Lookup *, ParallelFor);
};

// y = the activation of x; or, of SOFTMAX, the result, the gradient of x, from that of y.
struct Activated {
  int64_t rows, columns;
  int32_t activation; // SOFTMAX or of Activation
  const float *x;
  float *y; // all of them (rows, columns)
  const float *gradient;
  float *result;
};

struct TrainingKernels {
  bool (*finish)(const Finish *, ParallelFor);
  bool (*finish_gradient)(const FinishGradient *, ParallelFor);
  bool (*activate)(const Activated *, bool gradient, ParallelFor);
  bool (*entropy)(const Entropy *, ParallelFor);
  bool (*pool)(const Windows *, bool gradient, ParallelFor);
  bool (*normalize)(const Normalization *, const NormalizationGradient *, ParallelFor); // forward without a gradient
};

struct LargestKernels {
  bool (*find)(const Largest *, ParallelFor);
  bool (*gradient)(const LargestGradient *, ParallelFor);
  bool (*convolution_gradient)(const LargestConvolutionGradient *, ParallelFor);
};

struct WinogradKernels {
  int64_t (*size)(int64_t filters, int64_t channels);
  void (*pack)(const Kernel3x3 *, float *packed);
  bool (*run)(const Convolution *, ParallelFor);
  bool (*gradient)(const Convolution *, const Kernel3x3 *, ParallelFor);
};

struct MatrixKernels {
  bool (*suits)(int64_t rows, int64_t columns, int64_t depth);
  bool (*multiply)(const MatrixProduct *, ParallelFor);
  bool (*convolve)(const Convolution *, ParallelFor);
  bool (*window_gradient)(const Convolution *, float *gradient, ParallelFor);
};

struct RecurrenceKernels {
  int64_t lanes;
  bool (*run)(const Recurrence *all, int64_t count, int64_t threads, ParallelFor);
};

struct KernelTable {
  KernelOf of_float, of_double;
  NetworkKernels network;
  TrainingKernels training;
  LargestKernels largest;
  WinogradKernels winograd;
  bool (*move)(const Move *, ParallelFor);
  MatrixKernels matrices;
  RecurrenceKernels recurrence;
};

// See chain.h.
bool suits_chain(const Chain &, const KernelTable &);
bool run_chain(const Chain &, const KernelTable &, ParallelFor);
bool run_chain_gradient(const Chain &, const KernelTable &, ParallelFor);

namespace baseline {
extern const KernelTable table;
}
namespace avx2 {
extern const KernelTable table;
}
namespace avx512 {
extern const KernelTable table;
}

// Compilers and systems that know AMX.
#if defined(__x86_64__) && defined(__linux__) && (defined(__clang__) ? __clang_major__ >= 12 : __GNUC__ >= 11)
#define HAS_TILES
// y = the product of rows with a matrix of which there are tiles, plus the bias and "other"; then what is below 0 becomes 0,
// if that is wanted. Rows lie in lines, and lines in images: of a convolution by 1 x 1, its positions.
struct TiledProduct {
  int64_t rows, depth, columns;
  int64_t line, lines;                       // rows in a line, lines in an image
  int64_t stride, line_stride, image_stride; // of x
  const float *x, *tiles, *bias, *other;     // bias, other: null for 0
  float *y;                                  // (rows, columns)
  bool relu;
};

namespace amx {
bool weight_gradient(const Product *, ParallelFor); // of float; the rest is that of avx512
bool suits(int64_t rows, int64_t columns, int64_t depth);
bool multiply(const MatrixProduct *, ParallelFor);
int64_t tiles_size(int64_t columns, int64_t depth); // in values of float
void pack_tiles(const float *matrix, int64_t columns, int64_t depth, float *packed);
bool multiply_packed(const TiledProduct *, ParallelFor);
bool convolve(const Convolution *, ParallelFor);
}
#endif
