// The cells, forward and backward, for some rows of the batch over all steps. Rows do not depend on each other, so that
// threads need not wait for each other. Included once for each instruction set, inside its namespace.

constexpr int64_t gate_count(Cell cell) { return cell == LSTM ? 4 : cell == GRU ? 3 : 1; }

// The part of U that is multiplied at once: neighbouring gates that have their input, h or its masked copy, in common.
template <typename T> struct Piece {
  int64_t first, gates;
  T *packed;
};

// How U is cut into pieces. A GRU's candidate is the last one: its input r * h is known after the other gates only.
struct Pieces {
  int64_t count, gates[4];
};

inline Pieces pieces_of(const Sequence &s) {
  if (s.cell != SIMPLE_RNN && s.dropout_sets > 1) return {gate_count(s.cell), {1, 1, 1, 1}};
  if (s.cell == GRU) return {2, {2, 1}};
  return {1, {gate_count(s.cell)}};
}

// What both directions have in common: the arrays, from the first of the rows on.
template <typename T> struct Rows {
  const Sequence &s;
  const Piece<T> *pieces;
  int64_t piece_count, first, count, units, gates;
  T *scratch; // (rows, units)

  template <typename Void> T *from(Void *p, int64_t row_size) const {
    return p ? static_cast<T *>(const_cast<void *>(static_cast<const void *>(p))) + first * row_size : nullptr;
  }

  int64_t gates_stride() const { return s.steps * gates * units; }
  int64_t states_stride() const { return s.steps * units; }
  int64_t time(int64_t step) const { return s.backwards ? s.steps - 1 - step : step; }
  bool valid(int64_t row, int64_t t) const { return !s.valid || s.valid[(first + row) * s.steps + t]; }

  // The dropout mask of a piece's input, or null.
  const T *mask(int64_t piece) const {
    if (!s.dropout_sets) return nullptr;
    return from(s.dropout, units) + (s.dropout_sets > 1 ? piece : 0) * s.batch * units;
  }
};

template <typename T> struct Forward : Rows<T> {
  T *inputs, *h, *c, *outputs, *previous_h, *memory;
  T *reset; // r * h of a GRU, as "memory" if that is kept: (rows, units), rows "reset_stride" apart

  explicit Forward(const Rows<T> &rows, T *reset_scratch) : Rows<T>(rows) {
    inputs = this->from(this->s.gates, this->gates_stride());
    h = this->from(this->s.h, this->units);
    c = this->from(this->s.c, this->units);
    outputs = this->from(this->s.outputs, this->states_stride());
    previous_h = this->from(this->s.previous_h, this->states_stride());
    memory = this->from(this->s.memory, this->states_stride());
    reset = reset_scratch;
  }

  // Adds the product of a piece's input a with U to the projected inputs.
  void add_product(int64_t piece, int64_t t, const T *a, int64_t stride) {
    const int64_t units = this->units;
    if (const T *mask = this->mask(piece)) {
      for (int64_t row = 0; row < this->count; ++row)
        for (int64_t j = 0; j < units; ++j) this->scratch[row * units + j] = a[row * stride + j] * mask[row * units + j];
      a = this->scratch;
      stride = units;
    }
    const Piece<T> &p = this->pieces[piece];
    T *sums = inputs + (t * this->gates + p.first) * units;
    multiply<T>(this->count, a, stride, p.packed, units, p.gates * units, sums, this->gates_stride(), true);
  }

  void run() {
    for (int64_t step = 0; step < this->s.steps; ++step) {
      const int64_t t = this->time(step);
      if (previous_h) copy_rows(previous_h + t * this->units, h);
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
      if (outputs) copy_rows(outputs + step * this->units, h);
    }
  }

  void copy_rows(T *target, const T *source) {
    for (int64_t row = 0; row < this->count; ++row)
      std::memcpy(target + row * this->states_stride(), source + row * this->units, this->units * sizeof(T));
  }

  T *gates_of(int64_t row, int64_t t) const {
    return inputs + row * this->gates_stride() + t * this->gates * this->units;
  }

  void simple_rnn(int64_t t) {
    add_product(0, t, h, this->units);
    for (int64_t row = 0; row < this->count; ++row) {
      if (!this->valid(row, t)) continue;
      T *y = gates_of(row, t);
      activate_row(this->s.activation, y, y, this->units);
      std::memcpy(h + row * this->units, y, this->units * sizeof(T));
    }
  }

  void lstm(int64_t t) {
    for (int64_t piece = 0; piece < this->piece_count; ++piece) add_product(piece, t, h, this->units);
    if (memory) copy_rows(memory + t * this->units, c);
    const int64_t units = this->units;
    for (int64_t row = 0; row < this->count; ++row) {
      if (!this->valid(row, t)) continue;
      T *i = gates_of(row, t), *f = i + units, *g = f + units, *o = g + units;
      T *state = h + row * units, *cell = c + row * units;
      activate_row(this->s.inner_activation, i, i, 2 * units);
      activate_row(this->s.activation, g, g, units);
      activate_row(this->s.inner_activation, o, o, units);
      each_vector<T>(units, [&](int64_t j, auto lanes) {
        lanes.store(cell + j, lanes.load(f + j) * lanes.load(cell + j) + lanes.load(i + j) * lanes.load(g + j));
      });
      activate_row(this->s.activation, cell, state, units);
      each_vector<T>(units, [&](int64_t j, auto lanes) { lanes.store(state + j, lanes.load(o + j) * lanes.load(state + j)); });
    }
  }

  void gru(int64_t t) {
    const int64_t units = this->units, last = this->piece_count - 1;
    for (int64_t piece = 0; piece < last; ++piece) add_product(piece, t, h, units);
    T *product = memory ? memory + t * units : reset;
    const int64_t stride = memory ? this->states_stride() : units;
    for (int64_t row = 0; row < this->count; ++row) {
      T *z = gates_of(row, t), *r = z + units, *target = product + row * stride;
      const T *state = h + row * units;
      activate_row(this->s.inner_activation, z, z, 2 * units);
      each_vector<T>(units, [&](int64_t j, auto lanes) { lanes.store(target + j, lanes.load(r + j) * lanes.load(state + j)); });
    }
    add_product(last, t, product, stride);
    for (int64_t row = 0; row < this->count; ++row) {
      if (!this->valid(row, t)) continue;
      T *z = gates_of(row, t), *g = z + 2 * units, *state = h + row * units;
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
  T *grad_gates;
  T *dh, *dc; // the gradients of the state after the step at hand, then before it

  explicit Backward(const Rows<T> &rows, T *dh, T *dc) : Rows<T>(rows), dh(dh), dc(dc) {
    gates_kept = this->from(this->s.gates, this->gates_stride());
    previous_h = this->from(this->s.previous_h, this->states_stride());
    memory = this->from(this->s.memory, this->states_stride());
    grad_outputs = this->from(this->s.grad_outputs, this->states_stride());
    grad_gates = this->from(this->s.grad_gates, this->gates_stride());
  }

  int64_t at(int64_t row, int64_t t) const { return row * this->gates_stride() + t * this->gates * this->units; }

  // Multiplies the gradients of a piece's sums by U: the gradient of its input, added to "target" or written there.
  void back_product(int64_t piece, int64_t t, T *target, bool add) {
    const int64_t units = this->units;
    const Piece<T> &p = this->pieces[piece];
    const T *sums = grad_gates + (t * this->gates + p.first) * units, *mask = this->mask(piece);
    T *product = mask ? this->scratch : target;
    multiply<T>(this->count, sums, this->gates_stride(), p.packed, p.gates * units, units, product, units, add && !mask);
    if (!mask) return;
    for (int64_t j = 0; j < this->count * units; ++j)
      target[j] = (add ? target[j] : T(0)) + this->scratch[j] * mask[j];
  }

  void run() {
    const T *grad_h = this->from(this->s.grad_h, this->units);
    for (int64_t j = 0; j < this->count * this->units; ++j) {
      dh[j] = grad_h ? grad_h[j] : T(0);
      dc[j] = 0;
    }
    for (int64_t step = this->s.steps - 1; step >= 0; --step) {
      const int64_t t = this->time(step);
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
  }

  void add_grad_outputs(int64_t step) {
    for (int64_t row = 0; row < this->count; ++row) {
      const T *grad = grad_outputs + row * this->states_stride() + step * this->units;
      for (int64_t j = 0; j < this->units; ++j) dh[row * this->units + j] += grad[j];
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
      T *sum = grad_gates + at(row, t), *d = dh + row * this->units;
      each_vector<T>(this->units, [&](int64_t j, auto lanes) {
        lanes.store(sum + j, lanes.load(d + j) * slope<T>(this->s.activation, lanes.load(y + j)));
        lanes.store(d + j, V<T>{});
      });
    }
    back_product(0, t, dh, true);
  }

  void lstm(int64_t t) {
    const int64_t units = this->units;
    const Activation inner = this->s.inner_activation, outer = this->s.activation;
    for (int64_t row = 0; row < this->count; ++row) {
      if (skipped(row, t)) continue;
      const T *gate = gates_kept + at(row, t), *before = memory + row * this->states_stride() + t * units;
      T *sum = grad_gates + at(row, t), *d_h = dh + row * units, *d_c = dc + row * units, *active = this->scratch;
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
    for (int64_t piece = 0; piece < this->piece_count; ++piece) back_product(piece, t, dh, true);
  }

  void gru(int64_t t) {
    const int64_t units = this->units, last = this->piece_count - 1;
    const Activation inner = this->s.inner_activation, outer = this->s.activation;
    for (int64_t row = 0; row < this->count; ++row) {
      if (skipped(row, t)) continue;
      const T *z = gates_kept + at(row, t), *g = z + 2 * units;
      const T *before = previous_h + row * this->states_stride() + t * units;
      T *sum = grad_gates + at(row, t), *d_h = dh + row * units;
      each_vector<T>(units, [&](int64_t j, auto lanes) {
        V<T> z_ = lanes.load(z + j), g_ = lanes.load(g + j), grad = lanes.load(d_h + j);
        lanes.store(sum + j, grad * (lanes.load(before + j) - g_) * slope<T>(inner, z_));
        lanes.store(sum + 2 * units + j, grad * (T(1) - z_) * slope<T>(outer, g_));
        lanes.store(d_h + j, grad * z_);
      });
    }
    T *grad_reset = dc; // a GRU has no c
    back_product(last, t, grad_reset, false);
    for (int64_t row = 0; row < this->count; ++row) {
      if (!this->valid(row, t)) continue;
      const T *r = gates_kept + at(row, t) + units;
      const T *before = previous_h + row * this->states_stride() + t * units, *grad = grad_reset + row * units;
      T *sum = grad_gates + at(row, t) + units, *d_h = dh + row * units;
      each_vector<T>(units, [&](int64_t j, auto lanes) {
        V<T> r_ = lanes.load(r + j), grad_ = lanes.load(grad + j);
        lanes.store(sum + j, grad_ * lanes.load(before + j) * slope<T>(inner, r_));
        lanes.store(d_h + j, lanes.load(d_h + j) + grad_ * r_);
      });
    }
    for (int64_t piece = 0; piece < last; ++piece) back_product(piece, t, dh, true);
  }
};
