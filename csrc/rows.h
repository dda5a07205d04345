// Some rows of the batch over all steps, as the forward and the backward pass see them. Rows do not depend on each other,
// so that threads need not wait for each other. Included once for each instruction set, inside its namespace.

constexpr int64_t gate_count(Cell cell) { return cell == LSTM ? 4 : cell == GRU ? 3 : 1; }

// A part of W or U that is multiplied at once: neighbouring gates that have their input, masked or not, in common.
template <typename T> struct Piece {
  int64_t first, gates;
  const T *packed;
};

// All of W or U, and the dropout masks of what it is multiplied with.
template <typename T> struct Pieces {
  Piece<T> all[4];
  int64_t count;
  const T *masks; // (sets, batch, inputs), or null
  int64_t sets, batch, inputs;

  const T *mask(int64_t piece, int64_t row) const {
    return masks ? masks + ((sets > 1 ? piece : 0) * batch + row) * inputs : nullptr;
  }
};

// The number of steps whose sums are computed before the first of them is run: few enough to stay in the cache, but
// enough to fill tiles.
inline int64_t steps_at_once(const Sequence &s) {
  constexpr int64_t values = 1 << 18;
  const int64_t rows = s.batch < ROWS_AT_ONCE ? s.batch : ROWS_AT_ONCE;
  const int64_t tiles = values / (rows * gate_count(s.cell) * s.units * TILE_ROWS);
  const int64_t steps = (tiles < 1 ? 1 : tiles) * TILE_ROWS;
  return steps > s.steps ? s.steps : steps;
}

// What both directions have in common: the arrays, from the first of the rows on.
template <typename T> struct Rows {
  const Sequence &s;
  const Pieces<T> &of_inputs, &of_states;
  const int64_t first, count; // of the rows
  const int64_t units, gates, block;
  T *spare;   // (rows, units)
  T *dh, *dc; // backward: the gradients of the state after the step at hand, then before it: (rows, units)
  T *sums;    // the sums of a block's steps, where the gates are not kept: (rows, block, gates * units)
  T *scratch; // a product's masked input or its result: (rows, block, inputs) or (rows, units)

  // The number of values of scratch memory for one row.
  static int64_t scratch_size(const Sequence &s) {
    const int64_t block = steps_at_once(s), inputs = s.input_sets ? s.inputs * block : 0;
    const int64_t sums = s.gates ? 0 : block * gate_count(s.cell) * s.units;
    return (inputs > s.units ? inputs : s.units) + sums + 3 * s.units;
  }

  Rows(const Sequence &s, const Pieces<T> &of_inputs, const Pieces<T> &of_states, int64_t first, int64_t count,
       T *memory)
      : s(s), of_inputs(of_inputs), of_states(of_states), first(first), count(count), units(s.units),
        gates(gate_count(s.cell)), block(steps_at_once(s)) {
    spare = memory;
    dh = spare + count * units;
    dc = dh + count * units;
    sums = dc + count * units;
    scratch = sums + (s.gates ? 0 : count * block * gates * units);
  }

  // An array's first value of these rows.
  T *from(const void *array, int64_t row_size) const {
    return array ? static_cast<T *>(const_cast<void *>(array)) + first * row_size : nullptr;
  }

  int64_t gates_stride() const { return s.steps * gates * units; }
  int64_t states_stride() const { return s.steps * units; }
  int64_t inputs_stride() const { return s.steps * s.inputs; }
  int64_t time(int64_t step) const { return s.backwards ? s.steps - 1 - step : step; }
  bool valid(int64_t row, int64_t t) const { return !s.valid || s.valid[(first + row) * s.steps + t]; }

  // The first time of the block of n steps that starts with this one.
  int64_t block_time(int64_t step, int64_t n) const { return s.backwards ? s.steps - step - n : step; }

  // Writes a masked copy of (rows, steps, width) to "scratch" and returns it; the matrix itself where there is no mask.
  Grouped<const T> masked(const Pieces<T> &pieces, int64_t piece, Grouped<const T> a, int64_t steps, int64_t width) {
    if (!pieces.masks) return a;
    for (int64_t row = 0; row < count; ++row) {
      const T *mask = pieces.mask(piece, first + row);
      for (int64_t t = 0; t < steps; ++t) {
        const T *source = a.at + row * a.group_stride + t * a.stride;
        T *target = scratch + (row * steps + t) * width;
        for (int64_t j = 0; j < width; ++j) target[j] = source[j] * mask[j];
      }
    }
    return {scratch, width, steps * width};
  }
};
