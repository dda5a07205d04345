// The interface of recurrent layers for prediction: weights that are packed once, of float32.
#pragma once

#include "parallel.h"
#include "sequence.h"

extern "C" {

// One layer over a batch of sequences, from a state of zeros. The gates of its weights are interleaved: after a
// vector's lanes of units of one gate come those of the next one; zeros stand behind the last unit. A GRU's candidate
// is a matrix of its own, behind that of the other gates.
struct Recurrence {
  int64_t batch, steps, inputs, units;
  int64_t whole_batch; // of which the batch may be a part: how sums are made depends on it, not on the part
  int64_t y_stride; // between neighbouring steps of y; between rows, if only the last step is wanted
  Cell cell;
  Activation activation, inner_activation;
  int32_t backwards;         // whether the last step is processed first
  int32_t sequences;         // whether all steps are wanted
  int32_t flipped;           // whether the step that is processed first is the last one of y
  const float *x;            // (batch, steps, inputs)
  const float *valid;        // (batch, steps): 0 where the state stays as it was; null where all steps count
  const float *input_weight; // W, packed
  const float *input_tiles;  // beside it, all gates as one matrix, for many rows; null for none
  const float *bias;         // b
  const float *weight;       // U, packed
  float *y;                  // (batch, steps, units), the last axis with gaps; or (batch, units)
};

// How many lanes a vector has.
EXPORT int64_t bigdl_lanes(int32_t set);

// Runs layers, such as the two directions of one, with batches of one size. Returns 0, or 1 where memory or threads are
// short. "set" is the number of an instruction set. Without "parallel" all is done by the calling thread.
EXPORT int32_t bigdl_recur(const Recurrence *all, int64_t count, int64_t threads, int32_t set, ParallelFor parallel);
}
