// The interface of the kernels for networks over images and rows, of float32.
#pragma once

#include "parallel.h"
#include "recurrence.h"

extern "C" {

// A convolution of images, channels last, and what is done to its result while it is at hand: the bias and "other" are
// added, the largest of each window is taken, then what is below 0 becomes 0. Arrays are without gaps.
struct Convolution {
  int64_t images, rows, columns, channels;
  int64_t filters, kernel_rows, kernel_columns;
  int64_t row_stride, column_stride, row_dilation, column_dilation;
  int64_t top, left;               // zeros before the first row and column; behind the last ones there are enough
  int64_t out_rows, out_columns;   // positions of the kernel
  int64_t pool_rows, pool_columns; // of the windows, which lie side by side; 1 for none
  int32_t relu, transformed;
  const float *x;      // (images, rows, columns, channels)
  const float *weight; // (filters, kernel_rows, kernel_columns, channels), packed; of Kernel3x3, if transformed
  const float *tiles;  // instead of it, for a kernel of 1 x 1 without zeros around; null for none
  const float *bias;   // (filters,), null for 0
  const float *other;  // of y's shape, null for 0; only without windows
  float *y;            // (images, out_rows / pool_rows, out_columns / pool_columns, filters)
};

// The values of a kernel of 3 x 3, and how far they are apart.
struct Kernel3x3 {
  int64_t filters, channels;
  int64_t filter_stride, channel_stride, row_stride, column_stride;
  float *at;
};

// y = x times the transpose of the weight, plus the bias; then what is below 0 becomes 0, if that is wanted.
struct Dense {
  int64_t rows, inputs, outputs; // rows: in a step of a network those of one of its rows
  int32_t relu, backwards; // backwards: weights that are used once are read from the last one to the first
  const float *x;      // (rows, inputs)
  const float *weight; // (outputs, inputs), packed
  const float *tiles;  // beside it, for many rows; null for none
  const float *bias;   // (outputs,), null for 0
  float *y;            // (rows, outputs)
};

// The largest values of windows of images, channels last, or the means. What is outside of an image does not count; no
// window is outside.
struct Pooling {
  int64_t images, rows, columns, channels;
  int64_t window_rows, window_columns, row_stride, column_stride;
  int64_t top, left; // how far the first windows reach over the first row and column
  int64_t out_rows, out_columns;
  int32_t average;
  const float *x; // (images, rows, columns, channels)
  float *y;       // (images, out_rows, out_columns, channels)
};

// A convolution of each channel by itself, channels last, plus the bias; then what is below 0 becomes 0, if that is wanted.
struct Depthwise {
  int64_t images, rows, columns, channels;
  int64_t kernel_rows, kernel_columns, row_stride, column_stride;
  int64_t top, left; // zeros before the first row and column
  int64_t out_rows, out_columns;
  int32_t relu;
  const float *x;      // (images, rows, columns, channels)
  const float *weight; // (kernel_rows, kernel_columns, channels)
  const float *bias;   // (channels,), null for 0
  float *y;            // (images, out_rows, out_columns, channels)
};

// Images, channels last, put into others: each row and column repeated, zeros around, other channels beside; or, without
// repeating, a part of them.
struct Placing {
  int64_t images, rows, columns, channels;
  int64_t row_times, column_times;
  int64_t top, left, first; // the row, the column and the channel that the first value has; below 0: what is left out
  int64_t out_rows, out_columns, out_channels;
  int32_t zeros;  // whether the result is 0 elsewhere, else it is left as it was
  const float *x; // (images, rows, columns, channels)
  float *y;       // (images, out_rows, out_columns, out_channels)
};

// The rows of a table that some numbers tell; of fractions the whole part counts.
struct Lookup {
  int64_t count, size, rows; // of the numbers; of a row; of the table
  int32_t of_floats;         // whether x is of float, else of int32_t
  const float *table;        // (rows, size)
  const void *x;             // (count,)
  float *y;                  // (count, size)
  int32_t *missing;          // 1 after there was no row of a number; y is not changed there
};

// Which steps of sequences hold another value than this one, as 1 and 0 (MARK); or the values, times these numbers (SHADE).
struct Marking {
  int64_t count, size;  // of all steps; of a step's values
  int32_t kind;
  int32_t of_floats;    // whether x is of float, else of int32_t
  float value;
  const void *x;        // (count, size)
  const float *marks;   // (count,): of SHADE
  float *y;             // (count,); of SHADE: (count, size)
};

// What is done to each value by itself: the sum of two (ADD), their product (TIMES), the larger one (LARGER), the second
// one times what the first one lacks of 1 (REST); or the sum of it and a summand, after a factor (SCALE); or what is not
// above 0 by another function, the value times a factor (LEAK), or e to it, less 1, times one (BEND). Factors and summands
// are those of "columns" values, which follow each other.
struct Elements {
  int64_t count, columns;
  int32_t kind, relu;            // relu: whether what is below 0 becomes 0 in the end
  const float *factor, *summand; // (columns,)
  const float *x, *other;        // (count,)
  float *y;                      // (count,)
};

// Recurrent layers over the same sequences, whose results lie side by side.
struct Recurrences {
  int64_t count; // 1 or 2
  const Recurrence *all;
};

enum StepKind : int32_t {
  CONVOLVE, MULTIPLY, ADD, ACTIVATE, POOL, DEPTHWISE, PLACE, SCALE, LEAK, BEND, LOOK_UP, TIMES, LARGER, RECUR, MARK, SHADE,
  REST
};

constexpr int32_t SOFTMAX = 100; // beside the kinds of Activation

// One step of a network. Values are known by their numbers; -1 stands for none.
struct Step {
  int32_t kind, activation;
  int64_t input, other, output;
  int64_t columns;  // of ACTIVATE: over how many values SOFTMAX goes
  const void *call; // the structure of its kind, if there is one, without the number of rows and the addresses of values
};

enum Keeping : int32_t { OUTSIDE, ACROSS, INSIDE };

// A value: an array from outside; or kept for all rows from one phase to another; or for the rows of a group only.
struct Value {
  int32_t keeping;
  int64_t size;  // values in a row
  int64_t place; // the number of the array, or where the value begins among those of one row that are kept alike
};

// Steps that are run for a group of rows at a time, so that what they hand on stays in the cache; or for all rows at once.
struct Phase {
  int64_t steps; // their number
  int64_t group; // the most rows at a time; 0 for all of them
  int64_t kept;  // values of one row that are kept inside
};

struct Network {
  int64_t phase_count, across; // across: values of one row that are kept from phase to phase
  int64_t has_short_steps;     // whether there are recurrent layers
  const Phase *phases;
  const Step *steps; // of all phases
  const Value *values;
};

// One run of a network. Nothing that others may run at the same time is changed.
struct NetworkCall {
  const Network *network;
  int64_t rows, threads;  // 1: the calling thread alone
  int32_t little;         // whether the work takes no longer than waking threads does, step by step
  int32_t backwards;      // of Dense; best if it changes from call to call, so that what was read last is read first
  int32_t *missing;     // 1 after a number had no row in a table: what was computed is of no use
  float *const *arrays; // those from outside
  float *memory;        // (rows, across + the most that a phase keeps); null to have it allocated
};

// Values of an array, a stride apart.
struct Sample {
  const float *at;
  int64_t stride, count;
};

// How many values a matrix (columns, depth) has when it is packed, and the packing.
EXPORT int64_t bigdl_packed_size(int64_t columns, int64_t depth, int32_t set);
EXPORT void bigdl_pack(const float *matrix, int64_t columns, int64_t depth, float *packed, int32_t set);

// The same as tiles; 0 where the instruction set has none.
EXPORT int64_t bigdl_tiles_size(int64_t columns, int64_t depth, int32_t set);
EXPORT void bigdl_pack_tiles(const float *matrix, int64_t columns, int64_t depth, float *packed, int32_t set);

// The same for a kernel of 3 x 3, for convolutions that are "transformed": in steps of 1, without windows or with those
// of 2 x 2.
EXPORT int64_t bigdl_winograd_size(int64_t filters, int64_t channels, int32_t set);
EXPORT void bigdl_pack_winograd(const Kernel3x3 *kernel, float *packed, int32_t set);

// A transformed convolution by itself, and the gradient of its kernel, given that of its result in "y".
EXPORT int32_t bigdl_winograd(const Convolution *convolution, int32_t set, ParallelFor parallel);
EXPORT int32_t bigdl_winograd_gradient(const Convolution *convolution, const Kernel3x3 *gradient, int32_t set,
                                       ParallelFor parallel);

// A convolution by itself, with a kernel that is used once, as in training, and is not packed.
EXPORT int32_t bigdl_convolve(const Convolution *convolution, int32_t set, ParallelFor parallel);

// The gradient of its kernel (filters, kernel_rows, kernel_columns, channels), given that of its result in "y"; for images
// of few channels.
EXPORT int32_t bigdl_window_gradient(const Convolution *convolution, float *gradient, int32_t set, ParallelFor parallel);

// Returns 0, or 1 where memory or threads are short. "set" is the number of an instruction set. Without "parallel" all is
// done by the calling thread.
EXPORT int32_t bigdl_run_network(const NetworkCall *call, int32_t set, ParallelFor parallel);
EXPORT int32_t bigdl_look_up(const Lookup *lookup, int32_t set, ParallelFor parallel);

// Whether samples, one after the other, are bit for bit the values given.
EXPORT int32_t bigdl_are_same(const Sample *samples, int64_t count, const float *values);
}
