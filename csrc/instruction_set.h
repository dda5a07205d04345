// The kernels for one instruction set. A source file defines ISA (the namespace), BYTES (the size of a vector) and
// PANEL_VECTORS, switches the instruction set on, and includes this. Nothing of the standard library is used as a
// template here: it would be compiled for this instruction set, and might be linked for all.

namespace ISA {

constexpr int TILE_ROWS = 6;
constexpr int64_t ROWS_AT_ONCE = 48;        // samples that a thread runs side by side
constexpr int64_t WORK_OF_A_THREAD = 1 << 21; // products and sums: some 50 microseconds

template <typename T> T *allocate(int64_t values) {
  return static_cast<T *>(aligned_alloc(64, (values * sizeof(T) + 63) / 64 * 64));
}

#include "for_all.h"
#include "vector.h"
#include "product.h"
#include "rows.h"
#include "forward.h"
#include "backward.h"
#include "frame.h"
#include "few_filters.h"
#include "convolution_tiles.h"
#include "convolution.h"
#include "window_gradient.h"
#include "winograd.h"
#include "winograd_gradient.h"
#include "dense.h"
#include "little_product.h"
#include "thin_product.h"
#include "gradient.h"
#include "pooling.h"
#include "depthwise.h"
#include "placing.h"
#include "lookup.h"
#include "marking.h"
#include "activation_values.h"
#include "element_values.h"
#include "recurrent_rows.h"
#include "run_recurrence.h"
#include "run_network.h"
#include "move_values.h"
#include "finish_values.h"
#include "entropy_values.h"
#include "largest_values.h"
#include "normalization_values.h"

// Runs a call: packs the weights, then divides the rows among the threads.
template <typename T> struct SequenceKernel {
  struct Call {
    const Sequence *s;
    Pieces<T> of_inputs, of_states;
    bool backward;
    T *scratch; // of all rows
  };

  // How many gates each piece of a weight has. A GRU's candidate has a piece of U for itself: its input r * h is known
  // after the other gates only.
  static int64_t gates_of(const Sequence &s, bool states, int64_t piece) {
    if ((states ? s.state_sets : s.input_sets) > 1) return 1;
    if (states && s.cell == GRU) return piece == 0 ? 2 : 1;
    return gate_count(s.cell);
  }

  static Pieces<T> packed_pieces(const Sequence &s, bool states, bool backward, T *&packed) {
    Pieces<T> pieces = {};
    pieces.masks = static_cast<const T *>(states ? s.state_dropout : s.input_dropout);
    pieces.sets = states ? s.state_sets : s.input_sets;
    pieces.batch = s.batch;
    pieces.inputs = states ? s.units : s.inputs;
    const T *weight = static_cast<const T *>(states ? s.weight : s.input_weight);
    for (int64_t first = 0; first < gate_count(s.cell); ++pieces.count) {
      const int64_t gates = gates_of(s, states, pieces.count), rows = gates * s.units;
      pieces.all[pieces.count] = {first, gates, packed};
      if (backward) {
        pack(weight, pieces.inputs, 1, rows, pieces.inputs, packed);
        packed += rows * padded<T>(pieces.inputs);
      } else {
        pack(weight, 1, pieces.inputs, pieces.inputs, rows, packed);
        packed += pieces.inputs * padded<T>(rows);
      }
      weight += rows * pieces.inputs;
      first += gates;
    }
    return pieces;
  }

  static int64_t scratch_size(const Sequence &s) {
    const int64_t more = Vector<T>::width, rows = gate_count(s.cell) * (s.units + more);
    return rows * (s.inputs + more + s.units + more) + s.batch * Rows<T>::scratch_size(s);
  }

  static void run_rows(int64_t begin, int64_t end, void *context) {
    const Call &call = *static_cast<Call *>(context);
    const int64_t parts = (end - begin + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE;
    for (int64_t part = 0, first = begin; part < parts; ++part) {
      const int64_t count = (end - begin) / parts + (part < (end - begin) % parts);
      const Rows<T> rows(*call.s, call.of_inputs, call.of_states, first, count,
                         call.scratch + first * Rows<T>::scratch_size(*call.s));
      if (call.backward)
        Backward<T>(rows).run();
      else
        Forward<T>(rows).run();
      first += count;
    }
  }

  static bool run(const Sequence *s, bool backward, ParallelFor parallel) {
    T *scratch = allocate<T>(scratch_size(*s));
    if (!scratch) return false;
    T *next = scratch;
    Call call = {s, {}, {}, backward, nullptr};
    if (!backward || s->grad_x) call.of_inputs = packed_pieces(*s, false, backward, next);
    call.of_states = packed_pieces(*s, true, backward, next);
    call.scratch = next;
    // So many rows that waking another thread for them pays.
    const int64_t work = s->steps * gate_count(s->cell) * s->units * (s->inputs + s->units);
    const bool done = for_all(parallel, s->batch, 1 + WORK_OF_A_THREAD / work, run_rows, &call);
    free(scratch);
    return done;
  }
};

extern const KernelTable table = {
    {SequenceKernel<float>::run, WeightGradient<float>::run},
    {SequenceKernel<double>::run, WeightGradient<double>::run},
    {nullptr, nullptr, packed_size, pack_matrix, NetworkKernel::run, LookupKernel::run},
    {FinishKernel::run, FinishGradientKernel::run, ActivatedKernel::run, EntropyKernel::run, PoolKernel::run,
     NormalizationKernel::run},
    {LargestKernel::run, LargestGradientKernel::run, LargestConvolutionKernel::run},
    {winograd_size, pack_winograd, WinogradKernel::run, WinogradGradient::run},
    MoveKernel::run,
    {ThinProduct::suits, ThinProduct::run, ConvolutionKernel::pack_and_run, WindowGradient::run},
    {Vector<float>::width, RecurrenceKernel::run_by_team},
};

} // namespace ISA
