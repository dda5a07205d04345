// The cells, forward and backward, for some rows of the batch over all steps. Rows do not depend on each other, so that
// threads need not wait for each other. Included once for each instruction set, inside its namespace.

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
  T *scratch; // room for a product's masked input or its result: (rows, block, inputs) or (rows, units)
  T *sums;    // room for the sums of a block's steps, where the gates are not kept: (rows, block, gates * units)
  T *spare;   // (rows, units)
  T *dh, *dc; // backward: the gradients of the state after the step at hand, then before it: (rows, units)

  // The number of values of scratch memory for one row.
  static int64_t scratch_size(const Sequence &s) {
    const int64_t block = steps_at_once(s), widest = s.inputs * block > s.units ? s.inputs * block : s.units;
    return widest + block * gate_count(s.cell) * s.units + 3 * s.units;
  }

  Rows(const Sequence &s, const Pieces<T> &of_inputs, const Pieces<T> &of_states, int64_t first, int64_t count,
       T *memory)
      : s(s), of_inputs(of_inputs), of_states(of_states), first(first), count(count), units(s.units),
        gates(gate_count(s.cell)), block(steps_at_once(s)) {
    sums = memory;
    spare = sums + count * block * gates * units;
    dh = spare + count * units;
    dc = dh + count * units;
    scratch = dc + count * units;
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

template <typename T> struct Forward : Rows<T> {
  T *x, *h, *c, *outputs, *gates_kept, *previous_h, *memory;
  Grouped<T> gates_now; // of the block at hand

  explicit Forward(const Rows<T> &rows) : Rows<T>(rows) {
    x = this->from(this->s.x, this->inputs_stride());
    h = this->from(this->s.h, this->units);
    c = this->from(this->s.c, this->units);
    outputs = this->from(this->s.outputs, this->states_stride());
    gates_kept = this->from(this->s.gates, this->gates_stride());
    previous_h = this->from(this->s.previous_h, this->states_stride());
    memory = this->from(this->s.memory, this->states_stride());
  }

  void run() {
    for (int64_t step = 0; step < this->s.steps; step += this->block) {
      const int64_t n = this->s.steps - step < this->block ? this->s.steps - step : this->block;
      const int64_t start = this->block_time(step, n);
      project(start, n);
      for (int64_t i = step; i < step + n; ++i) run_step(i, this->time(i), this->time(i) - start);
    }
  }

  // Multiplies the inputs of n steps by W.
  void project(int64_t start, int64_t n) {
    const int64_t width = this->gates * this->units, inputs = this->s.inputs;
    gates_now = gates_kept ? Grouped<T>{gates_kept + start * width, width, this->gates_stride()}
                           : Grouped<T>{this->sums, width, n * width};
    for (int64_t i = 0; i < this->of_inputs.count; ++i) {
      const Piece<T> &piece = this->of_inputs.all[i];
      const Grouped<const T> steps = {x + start * inputs, inputs, this->inputs_stride()};
      const int64_t offset = piece.first * this->units;
      multiply<T>(this->count, n, this->masked(this->of_inputs, i, steps, n, inputs), piece.packed, inputs,
                  piece.gates * this->units, {gates_now.at + offset, gates_now.stride, gates_now.group_stride},
                  {static_cast<const T *>(this->s.bias) + offset, 0, 0});
    }
  }

  void run_step(int64_t step, int64_t t, int64_t step_of_block) {
    if (previous_h) copy_rows(previous_h + t * this->units, h);
    switch (this->s.cell) {
    case LSTM:
      lstm(t, step_of_block);
      break;
    case GRU:
      gru(t, step_of_block);
      break;
    default:
      simple_rnn(t, step_of_block);
    }
    if (outputs) copy_rows(outputs + step * this->units, h);
  }

  void copy_rows(T *target, const T *source) {
    for (int64_t row = 0; row < this->count; ++row)
      std::memcpy(target + row * this->states_stride(), source + row * this->units, this->units * sizeof(T));
  }

  T *gates_of(int64_t row, int64_t step) const {
    return gates_now.at + row * gates_now.group_stride + step * gates_now.stride;
  }

  // Adds the product of the states a with a piece of U to the projected inputs.
  void add_product(int64_t i, int64_t step, const T *a, int64_t a_stride) {
    const Piece<T> &piece = this->of_states.all[i];
    T *target = gates_of(0, step) + piece.first * this->units;
    // One group, whose rows are the samples.
    Grouped<const T> states = this->masked(this->of_states, i, {a, 0, a_stride}, 1, this->units);
    states = {states.at, states.group_stride, 0};
    const Grouped<T> c = {target, gates_now.group_stride, 0};
    multiply<T>(1, this->count, states, piece.packed, this->units, piece.gates * this->units, c, {c.at, c.stride, 0});
  }

  void simple_rnn(int64_t t, int64_t step) {
    add_product(0, step, h, this->units);
    for (int64_t row = 0; row < this->count; ++row) {
      if (!this->valid(row, t)) continue;
      T *y = gates_of(row, step);
      activate_row(this->s.activation, y, y, this->units);
      std::memcpy(h + row * this->units, y, this->units * sizeof(T));
    }
  }

  void lstm(int64_t t, int64_t step) {
    const int64_t units = this->units;
    for (int64_t i = 0; i < this->of_states.count; ++i) add_product(i, step, h, units);
    if (memory) copy_rows(memory + t * units, c);
    for (int64_t row = 0; row < this->count; ++row) {
      if (!this->valid(row, t)) continue;
      T *i = gates_of(row, step), *f = i + units, *g = f + units, *o = g + units;
      T *state = h + row * units, *cell = c + row * units;
      activate_row(this->s.inner_activation, i, i, 2 * units);
      activate_row(this->s.activation, g, g, units);
      activate_row(this->s.inner_activation, o, o, units);
      each_vector<T>(units, [&](int64_t j, auto lanes) {
        lanes.store(cell + j, lanes.load(f + j) * lanes.load(cell + j) + lanes.load(i + j) * lanes.load(g + j));
      });
      activate_row(this->s.activation, cell, state, units);
      each_vector<T>(units, [&](int64_t j, auto lanes) {
        lanes.store(state + j, lanes.load(o + j) * lanes.load(state + j));
      });
    }
  }

  void gru(int64_t t, int64_t step) {
    const int64_t units = this->units, last = this->of_states.count - 1;
    for (int64_t i = 0; i < last; ++i) add_product(i, step, h, units);
    T *reset = memory ? memory + t * units : this->spare; // r * h
    const int64_t stride = memory ? this->states_stride() : units;
    for (int64_t row = 0; row < this->count; ++row) {
      T *z = gates_of(row, step), *r = z + units, *target = reset + row * stride;
      const T *state = h + row * units;
      activate_row(this->s.inner_activation, z, z, 2 * units);
      each_vector<T>(units, [&](int64_t j, auto lanes) {
        lanes.store(target + j, lanes.load(r + j) * lanes.load(state + j));
      });
    }
    add_product(last, step, reset, stride);
    for (int64_t row = 0; row < this->count; ++row) {
      if (!this->valid(row, t)) continue;
      T *z = gates_of(row, step), *g = z + 2 * units, *state = h + row * units;
      activate_row(this->s.activation, g, g, units);
      each_vector<T>(units, [&](int64_t j, auto lanes) {
        V<T> g_ = lanes.load(g + j);
        lanes.store(state + j, g_ + lanes.load(z + j) * (lanes.load(state + j) - g_));
      });
    }
  }
};

template <typename T> struct Backward : Rows<T> {
  const T *gates_kept, *previous_h, *memory, *grad_outputs;
  T *grad_gates, *grad_x;

  explicit Backward(const Rows<T> &rows) : Rows<T>(rows) {
    gates_kept = this->from(this->s.gates, this->gates_stride());
    previous_h = this->from(this->s.previous_h, this->states_stride());
    memory = this->from(this->s.memory, this->states_stride());
    grad_outputs = this->from(this->s.grad_outputs, this->states_stride());
    grad_gates = this->from(this->s.grad_gates, this->gates_stride());
    grad_x = this->from(this->s.grad_x, this->inputs_stride());
  }

  void run() {
    const T *grad_h = this->from(this->s.grad_h, this->units);
    for (int64_t j = 0; j < this->count * this->units; ++j) {
      this->dh[j] = grad_h ? grad_h[j] : T(0);
      this->dc[j] = 0;
    }
    for (int64_t end = this->s.steps; end > 0; end -= this->block) {
      const int64_t n = end < this->block ? end : this->block;
      for (int64_t step = end - 1; step >= end - n; --step) run_step(step, this->time(step));
      if (grad_x) back_project(this->block_time(end - n, n), n);
    }
  }

  void run_step(int64_t step, int64_t t) {
    if (grad_outputs) add_grad_outputs(step);
    switch (this->s.cell) {
    case LSTM:
      lstm(t);
      break;
    case GRU:
      gru(t);
      break;
    default:
      simple_rnn(t);
    }
  }

  int64_t at(int64_t row, int64_t t) const { return row * this->gates_stride() + t * this->gates * this->units; }

  // Multiplies the gradients of the sums of n steps by W: the gradient of the inputs.
  void back_project(int64_t start, int64_t n) {
    const int64_t inputs = this->s.inputs, width = this->gates * this->units;
    const Grouped<T> target = {grad_x + start * inputs, inputs, this->inputs_stride()};
    for (int64_t i = 0; i < this->of_inputs.count; ++i) {
      const Piece<T> &piece = this->of_inputs.all[i];
      const T *sums = grad_gates + start * width + piece.first * this->units;
      const Grouped<T> product = this->of_inputs.masks ? Grouped<T>{this->scratch, inputs, n * inputs} : target;
      multiply<T>(this->count, n, {sums, width, this->gates_stride()}, piece.packed, piece.gates * this->units, inputs,
                  product, {nullptr, 0, 0});
      if (this->of_inputs.masks) add_masked(this->of_inputs, i, product, n, target, i > 0);
    }
  }

  // The same with U: adds the gradient of a piece's input to "target" (rows, units), or writes it there.
  void back_product(int64_t i, int64_t t, T *target, bool add) {
    const int64_t units = this->units;
    const Piece<T> &piece = this->of_states.all[i];
    const T *sums = grad_gates + (t * this->gates + piece.first) * units;
    T *product = this->of_states.masks ? this->scratch : target;
    multiply<T>(1, this->count, {sums, this->gates_stride(), 0}, piece.packed, piece.gates * units, units,
                {product, units, 0}, {add && !this->of_states.masks ? target : nullptr, units, 0});
    if (this->of_states.masks) add_masked(this->of_states, i, {product, 0, units}, 1, {target, 0, units}, add);
  }

  // Adds the masked product (rows, steps, inputs) to the target, or writes it there.
  void add_masked(const Pieces<T> &pieces, int64_t i, Grouped<T> product, int64_t steps, Grouped<T> target, bool add) {
    for (int64_t row = 0; row < this->count; ++row) {
      const T *mask = pieces.mask(i, this->first + row);
      for (int64_t t = 0; t < steps; ++t) {
        const T *source = product.at + row * product.group_stride + t * product.stride;
        T *sum = target.at + row * target.group_stride + t * target.stride;
        for (int64_t j = 0; j < pieces.inputs; ++j) sum[j] = (add ? sum[j] : T(0)) + source[j] * mask[j];
      }
    }
  }

  void add_grad_outputs(int64_t step) {
    for (int64_t row = 0; row < this->count; ++row) {
      const T *grad = grad_outputs + row * this->states_stride() + step * this->units;
      for (int64_t j = 0; j < this->units; ++j) this->dh[row * this->units + j] += grad[j];
    }
  }

  // A step that does not count hands the gradients of the state on as they are.
  bool skipped(int64_t row, int64_t t) {
    if (this->valid(row, t)) return false;
    std::memset(grad_gates + at(row, t), 0, this->gates * this->units * sizeof(T));
    return true;
  }

  void simple_rnn(int64_t t) {
    for (int64_t row = 0; row < this->count; ++row) {
      if (skipped(row, t)) continue;
      const T *y = gates_kept + at(row, t);
      T *sum = grad_gates + at(row, t), *d_h = this->dh + row * this->units;
      each_vector<T>(this->units, [&](int64_t j, auto lanes) {
        lanes.store(sum + j, lanes.load(d_h + j) * slope<T>(this->s.activation, lanes.load(y + j)));
        lanes.store(d_h + j, V<T>{});
      });
    }
    back_product(0, t, this->dh, true);
  }

  void lstm(int64_t t) {
    const int64_t units = this->units;
    const Activation inner = this->s.inner_activation, outer = this->s.activation;
    for (int64_t row = 0; row < this->count; ++row) {
      if (skipped(row, t)) continue;
      const T *gate = gates_kept + at(row, t), *before = memory + row * this->states_stride() + t * units;
      T *sum = grad_gates + at(row, t), *d_h = this->dh + row * units, *d_c = this->dc + row * units;
      T *active = this->spare; // the activation of c
      each_vector<T>(units, [&](int64_t j, auto lanes) {
        lanes.store(active + j, lanes.load(gate + units + j) * lanes.load(before + j) +
                                    lanes.load(gate + j) * lanes.load(gate + 2 * units + j));
      });
      activate_row(outer, active, active, units);
      each_vector<T>(units, [&](int64_t j, auto lanes) {
        V<T> i = lanes.load(gate + j), f = lanes.load(gate + units + j);
        V<T> g = lanes.load(gate + 2 * units + j), o = lanes.load(gate + 3 * units + j);
        V<T> c = lanes.load(before + j), y = lanes.load(active + j);
        V<T> grad_h = lanes.load(d_h + j), grad_c = lanes.load(d_c + j) + grad_h * o * slope<T>(outer, y);
        lanes.store(sum + j, grad_c * g * slope<T>(inner, i));
        lanes.store(sum + units + j, grad_c * c * slope<T>(inner, f));
        lanes.store(sum + 2 * units + j, grad_c * i * slope<T>(outer, g));
        lanes.store(sum + 3 * units + j, grad_h * y * slope<T>(inner, o));
        lanes.store(d_c + j, grad_c * f);
        lanes.store(d_h + j, V<T>{});
      });
    }
    for (int64_t i = 0; i < this->of_states.count; ++i) back_product(i, t, this->dh, true);
  }

  void gru(int64_t t) {
    const int64_t units = this->units, last = this->of_states.count - 1;
    const Activation inner = this->s.inner_activation, outer = this->s.activation;
    for (int64_t row = 0; row < this->count; ++row) {
      if (skipped(row, t)) continue;
      const T *z = gates_kept + at(row, t), *g = z + 2 * units;
      const T *before = previous_h + row * this->states_stride() + t * units;
      T *sum = grad_gates + at(row, t), *d_h = this->dh + row * units;
      each_vector<T>(units, [&](int64_t j, auto lanes) {
        V<T> z_ = lanes.load(z + j), g_ = lanes.load(g + j), grad = lanes.load(d_h + j);
        lanes.store(sum + j, grad * (lanes.load(before + j) - g_) * slope<T>(inner, z_));
        lanes.store(sum + 2 * units + j, grad * (T(1) - z_) * slope<T>(outer, g_));
        lanes.store(d_h + j, grad * z_);
      });
    }
    T *grad_reset = this->spare; // of r * h
    back_product(last, t, grad_reset, false);
    for (int64_t row = 0; row < this->count; ++row) {
      if (!this->valid(row, t)) continue;
      const T *r = gates_kept + at(row, t) + units;
      const T *before = previous_h + row * this->states_stride() + t * units, *grad = grad_reset + row * units;
      T *sum = grad_gates + at(row, t) + units, *d_h = this->dh + row * units;
      each_vector<T>(units, [&](int64_t j, auto lanes) {
        V<T> r_ = lanes.load(r + j), grad_ = lanes.load(grad + j);
        lanes.store(sum + j, grad_ * lanes.load(before + j) * slope<T>(inner, r_));
        lanes.store(d_h + j, lanes.load(d_h + j) + grad_ * r_);
      });
    }
    for (int64_t i = 0; i < last; ++i) back_product(i, t, this->dh, true);
  }
};
