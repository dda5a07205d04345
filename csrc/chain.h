// The interface of dense layers that follow each other, in training, with what may stand between them. Of float32; arrays
// are without gaps.
#pragma once

#include "parallel.h"

extern "C" {

enum ChainKind : int32_t { PRODUCT, NORMALIZATION, DROPPING };

// x being the y before:
// PRODUCT: y = the activation of (x times the transpose of the weight, plus the bias). Behind RELU some of it is dropped,
//   as in Finish.
// NORMALIZATION: y = the activation of (gamma (x - mean) / sqrt(variance + epsilon) + beta), as in Normalization.
// DROPPING: y = x, of which some is dropped.
struct ChainLayer {
  int64_t outputs;
  uint64_t seed;
  ChainKind kind;
  int32_t activation, drops, limit; // SOFTMAX or of Activation; SOFTMAX only behind products
  float scale;                      // 1, if nothing is dropped
  float epsilon;
  const float *weight;              // (outputs, inputs), or gamma: (outputs,); null for DROPPING
  const float *bias;                // (outputs,): the bias or beta; null for 0
  float *y;                         // (rows, outputs)
  float *weight_gradient, *bias_gradient; // of the weight's and the bias's shape, null if not wanted
  float *mean, *variance;           // (outputs,): written by NORMALIZATION
};

struct Chain {
  int64_t rows, inputs, count;
  const ChainLayer *layers;
  const float *x;        // (rows, inputs)
  const float *gradient; // of the last y
  float *x_gradient;     // of x's shape, null if not wanted
};

// Whether an instruction set computes all of the products sooner than others do.
EXPORT int32_t bigdl_suits_chain(const Chain *chain, int32_t set);

// Each returns 0, or 1 where memory or threads are short. Nothing depends on the number of threads. The first one
// writes each y, the second one the gradients.
EXPORT int32_t bigdl_chain(const Chain *chain, int32_t set, ParallelFor parallel);
EXPORT int32_t bigdl_chain_gradient(const Chain *chain, int32_t set, ParallelFor parallel);
}
