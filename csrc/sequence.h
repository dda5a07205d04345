// The interface of the kernels of recurrent layers.
#pragma once

#include "parallel.h"

extern "C" {

enum Cell : int32_t { SIMPLE_RNN, GRU, LSTM };

// Keras's activations whose derivative follows from their value.
enum Activation : int32_t { LINEAR, RELU, TANH, SIGMOID, HARD_SIGMOID, SOFTSIGN };

// One call over a batch of sequences. Arrays are row-major and without gaps; "gates" gates of "units" units each lie side
// by side. Those of the forward pass that are marked (kept) are written for the backward pass only: all null, or none.
struct Sequence {
  int64_t batch, steps, inputs, units;
  Cell cell;
  Activation activation, inner_activation;
  int32_t backwards;           // whether the last step is processed first
  int32_t input_sets;          // dropout masks of x: 0, 1, or one for each gate
  int32_t state_sets;          // dropout masks of h: the same
  const void *x;               // (batch, steps, inputs)
  const void *input_weight;    // W: (gates * units, inputs)
  const void *bias;            // b: (gates * units,)
  const void *weight;          // U: (gates * units, units)
  const void *input_dropout;   // (input_sets, batch, inputs), null for 0
  const void *state_dropout;   // (state_sets, batch, units), null for 0
  const uint8_t *valid;        // (batch, steps): 0 where the state stays as it was; null where all steps count
  void *h, *c;                 // (batch, units): the state, the first one then the last; c of an LSTM only
  void *outputs;               // (batch, steps, units) in the order of processing; null if not wanted
  void *gates;                 // (kept) (batch, steps, gates * units): the activated gates
  void *previous_h;            // (kept) (batch, steps, units): h before each step
  void *memory;                // (kept) (batch, steps, units): c before each step (LSTM), r * h (GRU); null (SimpleRNN)
  const void *grad_outputs;    // backward: (batch, steps, units), null for 0
  const void *grad_h;          // backward: (batch, units), of the last h; null for 0
  void *grad_gates;            // backward: (batch, steps, gates * units), of the gates' sums; may be "gates" itself
  void *grad_x;                // backward: (batch, steps, inputs); null if not wanted
};

// The gradient of a weight (outputs, inputs): the transpose of "out" times "in", whose rows are so far apart as told.
struct Product {
  int64_t rows, outputs, inputs;
  const void *out; // (rows, outputs): the gradient of what the weight was multiplied into
  int64_t out_stride;
  const void *in; // (rows, inputs): what it was multiplied with
  int64_t in_stride;
  void *gradient;     // (outputs, inputs), without gaps
  void *out_total;    // (outputs,): the sum of the rows of "out"; null if not wanted
};

// Each returns 0, or 1 where memory or threads are short. "set" is the number of an instruction set. Without "parallel"
// all rows are done by the calling thread.
EXPORT int32_t bigdl_sequence_forward(const Sequence *sequence, int32_t is_double, int32_t set, ParallelFor parallel);
EXPORT int32_t bigdl_sequence_backward(const Sequence *sequence, int32_t is_double, int32_t set, ParallelFor parallel);
EXPORT int32_t bigdl_weight_gradient(const Product *product, int32_t is_double, int32_t set, ParallelFor parallel);
}
