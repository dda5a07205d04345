// The interface of products of two matrices that are used once, as in training. Of float32.
#pragma once

#include "parallel.h"

extern "C" {

// Values, "row_stride" and "column_stride" apart; one of both is 1.
struct Matrix {
  float *at;
  int64_t row_stride, column_stride;
};

// result (rows, columns) = left (rows, depth) times right (depth, columns). The result lies row by row.
struct MatrixProduct {
  int64_t rows, columns, depth;
  Matrix left, right, result;
};

// Whether an instruction set computes a product of this size sooner than others do.
EXPORT int32_t bigdl_suits(int64_t rows, int64_t columns, int64_t depth, int32_t set);

// Returns 0, or 1 where memory or threads are short. Nothing depends on the number of threads.
EXPORT int32_t bigdl_multiply(const MatrixProduct *product, int32_t set, ParallelFor parallel);
}
