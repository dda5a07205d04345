// The interface of the kernels for what training does beside products: to their results while they are at hand, and to
// gradients on the way back. Of float32; arrays are without gaps.
#pragma once

#include "sequence.h"

extern "C" {

// y = the activation of (x + bias), of which some is dropped then, if it is LINEAR or RELU. Each value has 16 bits of the
// random numbers that follow from the seed by SplitMix64 (Steele, Lea and Flood 2014), four values one number.
struct Finish {
  int64_t rows, columns;
  uint64_t seed;
  Activation activation;
  int32_t drops;
  int32_t limit;     // a value stays, times the scale, where its bits are less than this; else it becomes 0
  float scale;
  const float *bias; // (columns,), null for 0
  const float *x;       // (rows, columns); may be y
  float *y;
};

// The gradient before an activation, from the one behind. Behind RELU and dropping it is times the scale where y is above
// 0, else 0; the scale is that of RELU only. Of LINEAR only the sums are written, those of the gradient as it is.
struct FinishGradient {
  int64_t rows, columns;
  Activation activation;
  float scale;
  const float *gradient, *y; // (rows, columns); y is what came out
  float *result;             // (rows, columns)
  float *sums;               // (columns,): of the result's rows; null if not wanted
};

// The largest values of windows that lie side by side, and the way back.
struct Windows {
  int64_t images, rows, columns, channels; // of x
  int64_t window_rows, window_columns;     // at most 256 cells
  float *x;                                // (images, rows, columns, channels)
  float *y;                                // (images, rows / window_rows, columns / window_columns, channels)
  uint8_t *where;                          // of y's shape: the number of the cell that is the largest, the first of them
};

// The scores -sum(t log(p / sum(p))) of rows, with the shares p / sum(p) clipped; or the means of
// -t log(p) - (1 - t) log(1 - p), with p clipped.
struct Entropy {
  int64_t rows, classes;
  int32_t binary;
  float least, most, factor;           // of a share; of the gradient
  const float *targets, *probabilities; // (rows, classes)
  float *scores;                       // (rows,)
  float *gradient;                     // (rows, classes): of each row's score, times the factor; null if not wanted
};

// Each returns 0, or 1 where memory or threads are short. Nothing depends on the number of threads.
EXPORT int32_t bigdl_finish(const Finish *finish, int32_t set, ParallelFor parallel);
EXPORT int32_t bigdl_finish_gradient(const FinishGradient *gradient, int32_t set, ParallelFor parallel);

EXPORT int32_t bigdl_entropy(const Entropy *entropy, int32_t set, ParallelFor parallel);

// Writes y and where.
EXPORT int32_t bigdl_pool(const Windows *windows, int32_t set, ParallelFor parallel);

// Writes x, the gradient of the images, from y, that of the largest values.
EXPORT int32_t bigdl_pool_gradient(const Windows *windows, int32_t set, ParallelFor parallel);
}
