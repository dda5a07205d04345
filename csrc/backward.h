// The cells, backward: the formulas of forward.h differentiated by hand, the last step first. Included once for each
// instruction set, inside its namespace.

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
    const int64_t next = this->time(step > 0 ? step - 1 : step);
    if (grad_outputs) add_grad_outputs(step);
    switch (this->s.cell) {
    case LSTM:
      lstm(t, next);
      break;
    case GRU:
      gru(t, next);
      break;
    default:
      simple_rnn(t, next);
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

  // Brings what another step reads of a row nearer: rows lie too far apart for the processor to guess it.
  void bring(int64_t row, int64_t t, const T *states) const {
    const auto bring_values = [](const T *values, int64_t count) {
      for (int64_t j = 0; j < count; j += 64 / sizeof(T)) __builtin_prefetch(values + j, 0, 2); // a line each
    };
    bring_values(gates_kept + at(row, t), this->gates * this->units);
    if (states) bring_values(states + row * this->states_stride() + t * this->units, this->units);
  }

  // A step that does not count hands the gradients of the state on as they are.
  bool skipped(int64_t row, int64_t t) {
    if (this->valid(row, t)) return false;
    std::memset(grad_gates + at(row, t), 0, this->gates * this->units * sizeof(T));
    return true;
  }

  void simple_rnn(int64_t t, int64_t next) {
    for (int64_t row = 0; row < this->count; ++row) {
      if (skipped(row, t)) continue;
      const T *y = gates_kept + at(row, t);
      bring(row, next, nullptr);
      T *sum = grad_gates + at(row, t), *d_h = this->dh + row * this->units;
      each_vector<T>(this->units, [&](int64_t j, auto lanes) {
        lanes.store(sum + j, lanes.load(d_h + j) * slope<T>(this->s.activation, lanes.load(y + j)));
        lanes.store(d_h + j, V<T>{});
      });
    }
    back_product(0, t, this->dh, true);
  }

  void lstm(int64_t t, int64_t next) {
    const int64_t units = this->units;
    const Activation inner = this->s.inner_activation, outer = this->s.activation;
    for (int64_t row = 0; row < this->count; ++row) {
      if (skipped(row, t)) continue;
      const T *gate = gates_kept + at(row, t), *before = memory + row * this->states_stride() + t * units;
      T *sum = grad_gates + at(row, t), *d_h = this->dh + row * units, *d_c = this->dc + row * units;
      T *active = this->spare; // the activation of c
      bring(row, next, memory);
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

  void gru(int64_t t, int64_t next) {
    const int64_t units = this->units, last = this->of_states.count - 1;
    const Activation inner = this->s.inner_activation, outer = this->s.activation;
    for (int64_t row = 0; row < this->count; ++row) {
      if (skipped(row, t)) continue;
      const T *z = gates_kept + at(row, t), *g = z + 2 * units;
      const T *before = previous_h + row * this->states_stride() + t * units;
      T *sum = grad_gates + at(row, t), *d_h = this->dh + row * units;
      bring(row, next, previous_h);
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
