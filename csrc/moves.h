// The interface of the kernels of optimizers: one pass over parameters, of float32.
#pragma once

#include "parallel.h"

extern "C" {

enum Rule : int32_t { SGD, NESTEROV, RMSPROP, ADAGRAD, ADADELTA };

// Parameters, one array of them.
struct Moved {
  int64_t count;
  float *p;              // the parameters
  const float *g;        // their gradients
  float *first, *second; // what is kept beside the parameters; second: of ADADELTA only
};

// One step of an optimizer. What the numbers are depends on the rule; see move_values.h.
struct Move {
  int32_t rule;
  float rate, kept, added, epsilon;
  int64_t piece_count;
  const Moved *pieces;
};

// Returns 0, or 1 where threads are short. Each value is moved by itself, so that nothing depends on the threads.
EXPORT int32_t bigdl_move(const Move *move, int32_t set, ParallelFor parallel);
}
