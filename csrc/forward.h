// The cells, forward. Included once for each instruction set, inside its namespace.

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
