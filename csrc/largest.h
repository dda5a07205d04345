// The interface of the kernels for the largest values over all positions, and for convolutions of which only these are
// taken. Of float32; arrays are without gaps.
#pragma once

#include "network.h"

extern "C" {

// Where a channel is as large as anywhere, and the part of the gradient that this place has: one of all such places.
struct Place {
  int32_t position, channel;
  float share;
};

// The largest values of each channel over all positions of an image, and their places. Of a channel with NaN, these are
// the largest.
struct Largest {
  int64_t images, positions, channels;
  int64_t most;    // places that there is room for, of each image; as many as channels, or more
  const float *x;  // (images, positions, channels)
  float *y;        // (images, channels)
  Place *places;   // (images, most), in the order of memory
  int64_t *counts; // (images,): how many places there are; where they find no room, none is written that does not
};

// Gradients, from that of the largest values, which have found room for their places.
struct LargestGradient {
  const Largest *largest;
  const float *gradient; // of "y"
  float *of_x;           // of "x"; null if not wanted
};

// The same where "x" is the result of a convolution, without windows, whose kernel is not packed.
struct LargestConvolutionGradient {
  const Largest *largest;
  const Convolution *convolution; // of "x", "y", "bias" and "other" nothing is read but "x"
  const float *gradient;          // of the largest values
  float *of_x;                    // of the convolution's "x"; null if not wanted
  float *of_weight;               // of its kernel; null if not wanted
};

// Each returns 0, or 1 where memory or threads are short. Nothing depends on the number of threads.
EXPORT int32_t bigdl_largest(const Largest *largest, int32_t set, ParallelFor parallel);
EXPORT int32_t bigdl_largest_gradient(const LargestGradient *gradient, int32_t set, ParallelFor parallel);
EXPORT int32_t bigdl_largest_convolution_gradient(const LargestConvolutionGradient *gradient, int32_t set,
                                                  ParallelFor parallel);
}
