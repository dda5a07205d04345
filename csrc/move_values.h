// Steps of optimizers, value by value. Included once for each instruction set, inside its namespace.

struct MoveKernel {
  // Which of its gradient's rows each row of a table adds up: the first one, and the next one behind each; -1 for none.
  struct Uses {
    int32_t *first, *next;

    static int64_t size(const Moved &table) { return table.width ? table.count / table.width + table.used : 0; }

    Uses(const Moved &table, int32_t *memory) : first(memory), next(memory + table.count / table.width) {}

    void write(const Moved &table) {
      for (int32_t *row = first; row < next; ++row) *row = -1;
      for (int64_t use = table.used - 1; use >= 0; --use) { // so that each row has them in their order
        int32_t &use_of_row = first[table.rows[use]];
        next[use] = use_of_row;
        use_of_row = static_cast<int32_t>(use);
      }
    }
  };

  struct Call {
    const Move &move;
    int32_t *uses; // of all tables
  };

  // The values from begin to end, counted through all pieces.
  static void task(int64_t begin, int64_t end, void *context) {
    const Call &call = *static_cast<const Call *>(context);
    int32_t *uses = call.uses;
    for (const Moved *piece = call.move.pieces; begin < end; ++piece) {
      const int64_t there = piece->count < end ? piece->count : end;
      if (begin < there && piece->width)
        move_table(call.move, *piece, Uses(*piece, uses), begin, there);
      else if (begin < there)
        move_values<true>(call.move, *piece, begin, there, piece->g + begin);
      begin = begin > piece->count ? begin - piece->count : 0;
      end -= piece->count;
      uses += Uses::size(*piece);
    }
  }

  // Moves values of a table; those between two rows that were used in one go.
  static void move_table(const Move &move, const Moved &table, const Uses &uses, int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end;) {
      int64_t row = at / table.width;
      const bool used = uses.first[row] >= 0;
      do
        ++row;
      while (!used && row * table.width < end && uses.first[row] < 0);
      const int64_t stop = row * table.width < end ? row * table.width : end;
      if (used)
        move_used_row(move, table, uses, at, stop);
      else
        move_values<false>(move, table, at, stop, nullptr);
      at = stop;
    }
  }

  static void move_used_row(const Move &move, const Moved &table, const Uses &uses, int64_t begin, int64_t end) {
    constexpr int64_t at_once = 256;
    const int64_t row = begin / table.width;
    float sum[at_once];
    for (int64_t start = begin; start < end; start += at_once) {
      const int64_t stop = end - start < at_once ? end : start + at_once;
      for (int64_t i = 0; i < stop - start; ++i) sum[i] = 0;
      for (int32_t use = uses.first[row]; use >= 0; use = uses.next[use]) {
        const float *g = table.g + (use - row) * table.width + start;
        for (int64_t i = 0; i < stop - start; ++i) sum[i] += g[i];
      }
      move_values<true>(move, table, start, stop, sum);
    }
  }

  // Moves the values from begin to end by their gradients, or by gradients of 0.
  template <bool THERE>
  static void move_values(const Move &move, const Moved &piece, int64_t begin, int64_t end, const float *gradients) {
    const float rate = move.rate, kept = move.kept, added = move.added, epsilon = move.epsilon;
    const float mean_kept = move.mean_kept, mean_added = move.mean_added;
    float *__restrict p = piece.p + begin, *__restrict a = piece.first + begin;
    float *__restrict d = piece.second ? piece.second + begin : nullptr;
    const float *__restrict given = gradients;
    const float decay = move.decay;
    const auto g = [given, decay, p](int64_t i) { return THERE ? given[i] + decay * p[i] : 0.0f; };
    const int64_t count = end - begin;
    switch (move.rule) {
    case SGD:
      for (int64_t i = 0; i < count; ++i) {
        a[i] = kept * a[i] - rate * g(i);
        p[i] += a[i];
      }
      break;
    case NESTEROV:
      for (int64_t i = 0; i < count; ++i) {
        const float slope = g(i);
        a[i] = kept * a[i] - rate * slope;
        p[i] += kept * a[i] - rate * slope;
      }
      break;
    case DAMPED:
      for (int64_t i = 0; i < count; ++i) {
        a[i] = kept * a[i] + added * g(i);
        p[i] -= rate * a[i];
      }
      break;
    case DAMPED_NESTEROV:
      for (int64_t i = 0; i < count; ++i) {
        const float slope = g(i);
        a[i] = kept * a[i] + added * slope;
        p[i] -= rate * (slope + kept * a[i]);
      }
      break;
    case RMSPROP:
    case ADAGRAD: // keeps all of the past
      for (int64_t i = 0; i < count; ++i) {
        const float slope = g(i);
        a[i] = kept * a[i] + added * (slope * slope);
        p[i] -= rate * slope / (__builtin_sqrtf(a[i]) + epsilon);
      }
      break;
    case ADADELTA:
      for (int64_t i = 0; i < count; ++i) {
        const float slope = g(i);
        a[i] = kept * a[i] + added * (slope * slope);
        const float change = slope * (__builtin_sqrtf(d[i] + epsilon) / __builtin_sqrtf(a[i] + epsilon));
        p[i] -= rate * change;
        d[i] = kept * d[i] + added * (change * change);
      }
      break;
    default: // ADAM
      for (int64_t i = 0; i < count; ++i) {
        const float slope = g(i);
        a[i] = mean_kept * a[i] + mean_added * slope;
        d[i] = kept * d[i] + added * (slope * slope);
        p[i] -= rate * a[i] / (__builtin_sqrtf(d[i]) + epsilon);
      }
    }
  }

  static bool run(const Move *move, ParallelFor parallel) {
    constexpr int64_t values_of_a_thread = 1 << 15;
    int64_t count = 0, size = 0;
    for (int64_t i = 0; i < move->piece_count; ++i) {
      count += move->pieces[i].count;
      size += Uses::size(move->pieces[i]);
    }
    Call call{*move, size ? allocate<int32_t>(size) : nullptr};
    if (size && !call.uses) return false;
    int32_t *uses = call.uses;
    for (const Moved *piece = move->pieces; piece < move->pieces + move->piece_count; ++piece) {
      if (piece->width) Uses(*piece, uses).write(*piece);
      uses += Uses::size(*piece);
    }
    const bool done = for_all(parallel, count, values_of_a_thread, task, &call);
    free(call.uses);
    return done;
  }
};
