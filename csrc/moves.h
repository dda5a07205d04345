// The interface of the kernels of optimizers: one pass over parameters, of float32.
#pragma once

#include "parallel.h"

extern "C" {

enum Rule : int32_t { SGD, NESTEROV, DAMPED, DAMPED_NESTEROV, RMSPROP, ADAGRAD, ADADELTA, ADAM };

// Parameters, one array of them.
struct Moved {
  int64_t count;
  float *p;              // the parameters
  const float *g;        // their gradients
  float *first, *second; // what is kept beside the parameters; second: of ADADELTA and ADAM only
  // The gradients of a table of which a step has used some rows: g (used, width) is to be added up in the rows of these
  // numbers, and is 0 elsewhere. For others "width" is 0.
  const int64_t *rows;
  int64_t used, width;
};

// One step of an optimizer. What the numbers are depends on the rule; see move_values.h.
struct Move {
  int32_t rule;
  float rate, kept, added, epsilon;
  float mean_kept, mean_added; // of ADAM only
  float decay;                 // the share of each parameter that is added to its gradient; 0 where there are tables
  int64_t piece_count;
  const Moved *pieces;
};

// Returns 0, or 1 where memory or threads are short. Each value is moved by itself, so that nothing depends on the
// threads.
EXPORT int32_t bigdl_move(const Move *move, int32_t set, ParallelFor parallel);
}
