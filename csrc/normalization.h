// The interface of the kernels for batch normalization in training (Ioffe and Szegedy 2015). Of float32; arrays are
// without gaps.
#pragma once

#include "parallel.h"

extern "C" {

// y = gamma (x - mean) / sqrt(variance + epsilon) + beta, with mean and biased variance of each column over all rows;
// then what is below 0 becomes 0, if that is wanted.
struct Normalization {
  int64_t rows, columns;
  int32_t relu;
  float epsilon;
  const float *x;            // (rows, columns)
  const float *gamma, *beta; // (columns,)
  float *mean, *variance;    // (columns,): written
  float *y;                  // (rows, columns)
};

// Gradients, from that of y.
struct NormalizationGradient {
  const Normalization *normalization; // y is not read
  const float *gradient;              // (rows, columns)
  float *of_x;                        // (rows, columns); null if not wanted
  float *of_gamma, *of_beta;          // (columns,); null if not wanted
};

// Each returns 0, or 1 where memory or threads are short. Nothing depends on the number of threads.
EXPORT int32_t bigdl_normalize(const Normalization *normalization, int32_t set, ParallelFor parallel);
EXPORT int32_t bigdl_normalize_gradient(const NormalizationGradient *gradient, int32_t set, ParallelFor parallel);
}
