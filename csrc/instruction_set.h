// The kernels for one instruction set. A source file defines ISA (the namespace), BYTES (the size of a vector) and
// PANEL_VECTORS, switches the instruction set on, and includes this. Nothing of the standard library is used as a
// template here: it would be compiled for this instruction set, and might be linked for all.

namespace ISA {

constexpr int TILE_ROWS = 6;
constexpr int64_t WORK_OF_A_THREAD = 1 << 21; // products and sums: some 50 microseconds

#include "vector.h"
#include "product.h"
#include "cells.h"
#include "gradient.h"

template <typename T> struct Kernel {
  // The number of values that all of a call's scratch memory takes.
  static int64_t scratch_size(const Sequence *s) {
    int64_t packed = gate_count(s->cell) * (s->units + PANEL_VECTORS * Vector<T>::width) * (s->units + Vector<T>::width);
    return packed + 3 * s->batch * s->units;
  }

  struct Call {
    const Sequence *s;
    T *parts; // 3 of (batch, units), scratch memory of the rows
    Piece<T> pieces[4];
    int64_t piece_count;
  };

  static Call call(const Sequence *s, T *scratch, bool backward) {
    const Pieces pieces = pieces_of(*s);
    Call call{s, nullptr, {}, pieces.count};
    const T *weight = static_cast<const T *>(s->weight);
    T *packed = scratch;
    int64_t first = 0;
    for (int64_t i = 0; i < pieces.count; ++i) {
      const int64_t units = s->units, rows = pieces.gates[i] * units;
      call.pieces[i] = {first, pieces.gates[i], packed};
      if (backward) {
        pack(weight + first * units * units, units, 1, rows, units, packed);
        packed += rows * padded<T>(units);
      } else {
        pack(weight + first * units * units, 1, units, units, rows, packed);
        packed += units * padded<T>(rows);
      }
      first += pieces.gates[i];
    }
    call.parts = packed;
    return call;
  }

  static Rows<T> rows(const Call &call, int64_t begin, int64_t end) {
    const int64_t units = call.s->units;
    return {*call.s, call.pieces, call.piece_count, begin, end - begin, units, gate_count(call.s->cell),
            call.parts + begin * units};
  }

  static void forward_rows(int64_t begin, int64_t end, void *context) {
    FlushDenormals flush;
    const Call &call = *static_cast<Call *>(context);
    Forward<T>(rows(call, begin, end), call.parts + (call.s->batch + begin) * call.s->units).run();
  }

  static void backward_rows(int64_t begin, int64_t end, void *context) {
    FlushDenormals flush;
    const Call &call = *static_cast<Call *>(context);
    const int64_t batch = call.s->batch, units = call.s->units;
    Backward<T>(rows(call, begin, end), call.parts + (batch + begin) * units,
                call.parts + (2 * batch + begin) * units)
        .run();
  }

  static void run(const Sequence *s, bool backward, void *scratch, ParallelFor parallel) {
    Call call = Kernel::call(s, static_cast<T *>(scratch), backward);
    Task task = backward ? backward_rows : forward_rows;
    // So many rows that waking another thread for them pays.
    const int64_t grain = 1 + WORK_OF_A_THREAD / (s->steps * gate_count(s->cell) * s->units * s->units);
    if (!parallel || parallel(0, s->batch, grain, task, &call)) task(0, s->batch, &call);
  }
};

template <typename T> struct GradientKernel {
  struct Call {
    const Product *product;
    bool failed;
  };

  static constexpr int64_t width = WeightGradient<T>::width;

  // Computes the panels from begin to end.
  static void panels(int64_t begin, int64_t end, void *context) {
    FlushDenormals flush;
    Call &call = *static_cast<Call *>(context);
    const Product &p = *call.product;
    const int64_t first = begin * width, last = end * width < p.outputs ? end * width : p.outputs;
    const size_t bytes = WeightGradient<T>::scratch_size(p, last - first) * sizeof(T);
    T *scratch = static_cast<T *>(aligned_alloc(64, (bytes + 63) / 64 * 64));
    if (!scratch) {
      __atomic_store_n(&call.failed, true, __ATOMIC_RELAXED);
      return;
    }
    WeightGradient<T>(p, first, last - first, scratch).run();
    free(scratch);
  }

  static bool run(const Product *product, ParallelFor parallel) {
    Call call{product, false};
    const int64_t count = (product->outputs + width - 1) / width;
    const int64_t grain = 1 + WORK_OF_A_THREAD / (product->rows * product->inputs * width);
    if (!parallel || parallel(0, count, grain, panels, &call)) panels(0, count, &call);
    return !call.failed;
  }
};

extern const KernelTable table = {
    {Kernel<float>::scratch_size, Kernel<float>::run, GradientKernel<float>::run},
    {Kernel<double>::scratch_size, Kernel<double>::run, GradientKernel<double>::run},
};

} // namespace ISA
