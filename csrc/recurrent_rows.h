// Some rows of a recurrent layer in prediction, over all steps or a part of the units at a time. Included once for each
// instruction set, inside its namespace.

template <Activation KIND> struct Chosen {
  static constexpr Activation kind = KIND;
};

// Calls body with an activation that the compiler knows: the choice stands outside of its loops.
template <typename Body> ALWAYS_INLINE void with_activation(Activation kind, Body body) {
#define CASE(KIND)                                                                                                     \
  case KIND:                                                                                                           \
    body(Chosen<KIND>{});                                                                                              \
    break;
  switch (kind) { CASE(LINEAR) CASE(RELU) CASE(TANH) CASE(SIGMOID) CASE(HARD_SIGMOID) CASE(SOFTSIGN) }
#undef CASE
}

// Adds a row of "depth" values, times a packed matrix, to c. Panels are multiplied side by side, as the sums of one
// alone would wait for each other; each is the sum that "multiply" gives.
inline void add_row_product(const float *a, const float *packed, int64_t depth, int64_t columns, float *c) {
  constexpr int64_t lanes = Vector<float>::width, width = PANEL_VECTORS * lanes;
  constexpr int together = 8 / PANEL_VECTORS;
  const int64_t panel = depth * width;
  for (; columns >= together * width; columns -= together * width, c += together * width, packed += together * panel)
    for (int64_t first = 0; first < depth; first += deepest) {
      V<float> sums[together][PANEL_VECTORS] = {};
      const int64_t last = depth - first < deepest ? depth : first + deepest;
#pragma GCC unroll 2
      for (int64_t k = first; k < last; ++k) {
        const V<float> x = splat(a[k]);
#pragma GCC unroll 8
        for (int p = 0; p < together; ++p)
#pragma GCC unroll 8
          for (int v = 0; v < PANEL_VECTORS; ++v) sums[p][v] += x * load(packed + p * panel + k * width + v * lanes);
      }
      for (int p = 0; p < together; ++p)
        for (int v = 0; v < PANEL_VECTORS; ++v) {
          float *target = c + (p * PANEL_VECTORS + v) * lanes;
          store(target, load(target) + sums[p][v]);
        }
    }
  if (columns > 0) multiply<float>(1, 1, {a, 0, 0}, packed, depth, columns, {c, 0, 0}, {c, 0, 0});
}

// Some rows of a layer. All arrays have whole vectors of units, so that no vector is in part.
struct RecurrentRows {
  static constexpr int64_t lanes = Vector<float>::width;
  static constexpr int64_t sums_at_once = 1 << 17; // values that stay in the cache
  static constexpr int64_t fewest_for_tiles = 40;  // rows times steps
  static constexpr int64_t fill_tiles = 2 * 16;    // rows times steps, at once

  const Recurrence &r;
  const int64_t first, rows;
  const int64_t units, width, block; // block: steps whose inputs are multiplied at once
  float *h, *next, *c, *reset;       // (rows, units): the state before and after a step; c of an LSTM; r * h of a GRU
  float *sums;                       // of the steps of a block: (rows, block, width)
  int64_t step = 0, start = 0, count = 0; // of processing; the first time of the block, and its steps

  static int64_t block_of(const Recurrence &r, int64_t rows) {
    const int64_t width = gate_count(r.cell) * padded<float>(r.units), enough = (fill_tiles + rows - 1) / rows;
    const int64_t steps = sums_at_once / (rows * width), block = steps > enough ? steps : enough;
    return block < r.steps ? block : r.steps;
  }

  static int64_t scratch_size(const Recurrence &r, int64_t rows) {
    return rows * padded<float>(r.units) * (4 + block_of(r, rows) * gate_count(r.cell));
  }

  RecurrentRows(const Recurrence &r, int64_t first, int64_t rows, float *scratch)
      : r(r), first(first), rows(rows), units(padded<float>(r.units)), width(gate_count(r.cell) * units),
        block(block_of(r, rows)) {
    h = scratch, next = h + rows * units, c = next + rows * units, reset = c + rows * units,
    sums = reset + rows * units;
    std::memset(h, 0, rows * units * sizeof(float));
    std::memset(c, 0, rows * units * sizeof(float));
  }

  // The gates that are multiplied by h, without a GRU's candidate.
  int64_t first_gates() const { return r.cell == GRU ? 2 : gate_count(r.cell); }
  int64_t vectors() const { return units / lanes; }
  int64_t time() const { return r.backwards ? r.steps - 1 - step : step; }
  float *sums_of(int64_t row) const { return sums + (row * count + time() - start) * width; }

  // Sets out for the steps from this one on.
  void begin_block() {
    count = r.steps - step < block ? r.steps - step : block;
    start = r.backwards ? r.steps - step - count : step;
  }

  bool by_tiles() const { return r.input_tiles && r.whole_batch * r.steps >= fewest_for_tiles; }

  // The sums of a block: the inputs times W, plus b; of all units, by tiles.
  bool project(ParallelFor parallel) const {
#ifdef HAS_TILES
    const int64_t sequence = r.steps * r.inputs;
    const float *x = r.x + first * sequence + start * r.inputs;
    const TiledProduct product = {rows * count, r.inputs, width,  count,   1,    r.inputs, 0, sequence, x,
                                  r.input_tiles, r.bias,  nullptr, sums, false};
    return amx::multiply_packed(&product, parallel);
#else
    return false;
#endif
  }

  // The same of the units from begin to end, in vectors.
  void project(int64_t begin, int64_t end) const {
    project(begin, end, 0, first_gates());
    if (r.cell == GRU) project(begin, end, 2, 1);
  }

  void project(int64_t begin, int64_t end, int64_t first_gate, int64_t gates) const {
    const int64_t at = first_gate * units + begin * gates * lanes;
    Grouped<const float> x = {r.x + (first * r.steps + start) * r.inputs, r.inputs, r.steps * r.inputs};
    Grouped<float> y = {sums + at, width, count * width};
    const bool by_step = rows > count; // tiles are of rows or of steps
    if (by_step) x = {x.at, x.group_stride, x.stride}, y = {y.at, y.group_stride, y.stride};
    multiply<float>(by_step ? count : rows, by_step ? rows : count, x, r.input_weight + at * r.inputs, r.inputs,
                    (end - begin) * gates * lanes, y, {r.bias + at, 0, 0});
  }

  // Adds the products of some gates' inputs with U to their sums.
  void add_product(int64_t begin, int64_t end, int64_t first_gate, int64_t gates, const float *a) const {
    const int64_t at = first_gate * units + begin * gates * lanes;
    const float *weight = r.weight + at * r.units;
    const int64_t columns = (end - begin) * gates * lanes;
    const Grouped<float> y = {sums_of(0) + at, count * width, 0};
    if (rows == 1)
      add_row_product(a, weight, r.units, columns, y.at);
    else
      multiply<float>(1, rows, {a, units, 0}, weight, r.units, columns, y, {y.at, y.stride, 0});
  }

  // Whether a row's state changes in this step, and whether any does.
  bool counts(int64_t row) const { return !r.valid || r.valid[(first + row) * r.steps + time()] != 0.0f; }
  bool anything_counts() const {
    int64_t row = 0;
    while (row < rows && !counts(row)) ++row;
    return row < rows;
  }

  // The state of a row, or of all, stays as it was.
  void keep(int64_t row, int64_t begin, int64_t end) const {
    const int64_t at = row * units + begin * lanes;
    std::memcpy(next + at, h + at, (end - begin) * lanes * sizeof(float));
  }
  void keep(int64_t begin, int64_t end) const {
    for (int64_t row = 0; row < rows; ++row) keep(row, begin, end);
    hand_out(begin, end);
  }

  // A step of the units from begin to end, in vectors; of a GRU up to the candidate.
  void run_step(int64_t begin, int64_t end) const {
    if (!anything_counts()) return r.cell == GRU ? void() : keep(begin, end);
    add_product(begin, end, 0, first_gates(), h);
    if (r.cell == LSTM)
      lstm(begin, end);
    else if (r.cell == GRU)
      gru(begin, end);
    else
      simple_rnn(begin, end);
  }

  void run_candidate(int64_t begin, int64_t end) const {
    if (!anything_counts()) return keep(begin, end);
    add_product(begin, end, 2, 1, reset);
    with_activation(r.activation, [&](auto activation) ALWAYS_INLINE_LAMBDA {
      each_that_counts(begin, end, [&](int64_t row, int64_t at) ALWAYS_INLINE_LAMBDA {
        const float *gates = sums_of(row);
        const V<float> z = load(gates + 2 * at), before = load(h + row * units + at);
        const V<float> g = activate<float>(activation.kind, load(gates + 2 * units + at));
        store(next + row * units + at, g + z * (before - g));
      });
    });
    hand_out(begin, end);
  }

  void end_step() {
    float *before = h;
    h = next, next = before;
    ++step;
  }

  // Calls body(row, unit) for the vectors of units.
  template <typename Body> ALWAYS_INLINE void each(int64_t begin, int64_t end, Body body) const {
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t at = begin * lanes; at < end * lanes; at += lanes) body(row, at);
  }

  // The same for those whose state changes; that of the others is kept.
  template <typename Body> ALWAYS_INLINE void each_that_counts(int64_t begin, int64_t end, Body body) const {
    for (int64_t row = 0; row < rows; ++row)
      if (!counts(row))
        keep(row, begin, end);
      else
        for (int64_t at = begin * lanes; at < end * lanes; at += lanes) body(row, at);
  }

  void simple_rnn(int64_t begin, int64_t end) const {
    with_activation(r.activation, [&](auto activation) ALWAYS_INLINE_LAMBDA {
      each_that_counts(begin, end, [&](int64_t row, int64_t at) ALWAYS_INLINE_LAMBDA {
        store(next + row * units + at, activate<float>(activation.kind, load(sums_of(row) + at)));
      });
    });
    hand_out(begin, end);
  }

  void gru(int64_t begin, int64_t end) const {
    with_activation(r.inner_activation, [&](auto activation) ALWAYS_INLINE_LAMBDA {
      each(begin, end, [&](int64_t row, int64_t at) ALWAYS_INLINE_LAMBDA {
        float *gates = sums_of(row) + 2 * at;
        store(gates, activate<float>(activation.kind, load(gates)));
        const V<float> reset_gate = activate<float>(activation.kind, load(gates + lanes));
        store(reset + row * units + at, reset_gate * load(h + row * units + at));
      });
    });
  }

  void lstm(int64_t begin, int64_t end) const {
    with_activation(r.inner_activation, [&](auto activation) ALWAYS_INLINE_LAMBDA {
      each(begin, end, [&](int64_t row, int64_t at) ALWAYS_INLINE_LAMBDA {
        float *i = sums_of(row) + 4 * at, *f = i + lanes, *o = f + 2 * lanes;
        store(i, activate<float>(activation.kind, load(i)));
        store(f, activate<float>(activation.kind, load(f)));
        store(o, activate<float>(activation.kind, load(o)));
      });
    });
    with_activation(r.activation, [&](auto activation) ALWAYS_INLINE_LAMBDA {
      each_that_counts(begin, end, [&](int64_t row, int64_t at) ALWAYS_INLINE_LAMBDA {
        const float *i = sums_of(row) + 4 * at, *f = i + lanes, *g = f + lanes, *o = g + lanes;
        float *cell = c + row * units + at;
        const V<float> now = load(f) * load(cell) + load(i) * activate<float>(activation.kind, load(g));
        store(cell, now);
        store(next + row * units + at, load(o) * activate<float>(activation.kind, now));
      });
    });
    hand_out(begin, end);
  }

  // Copies the units' states to the output, where they are wanted.
  void hand_out(int64_t begin, int64_t end) const {
    if (!r.sequences && step + 1 < r.steps) return;
    const int64_t at = begin * lanes, last = end * lanes < r.units ? end * lanes : r.units;
    const int64_t place = r.sequences ? (r.flipped ? r.steps - 1 - step : step) * r.y_stride : 0;
    const int64_t row_stride = r.sequences ? r.steps * r.y_stride : r.y_stride;
    for (int64_t row = 0; row < rows && at < last; ++row)
      std::memcpy(r.y + (first + row) * row_stride + place + at, next + row * units + at, (last - at) * sizeof(float));
  }

  // All steps of all units.
  bool run() {
    while (step < r.steps) {
      begin_block();
      if (!by_tiles())
        project(0, vectors());
      else if (!project(nullptr))
        return false;
      for (int64_t i = 0; i < count; ++i, end_step()) {
        run_step(0, vectors());
        if (r.cell == GRU) run_candidate(0, vectors());
      }
    }
    return true;
  }
};
