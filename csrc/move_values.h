// Steps of optimizers, value by value. Included once for each instruction set, inside its namespace.

struct MoveKernel {
  // The values from begin to end, counted through all pieces.
  static void task(int64_t begin, int64_t end, void *context) {
    FlushDenormals flush;
    const Move &move = *static_cast<const Move *>(context);
    for (const Moved *piece = move.pieces; begin < end; ++piece) {
      const int64_t there = piece->count < end ? piece->count : end;
      if (begin < there) run(move, *piece, begin, there);
      begin = begin > piece->count ? begin - piece->count : 0;
      end -= piece->count;
    }
  }

  static void run(const Move &move, const Moved &piece, int64_t begin, int64_t end) {
    const float rate = move.rate, kept = move.kept, added = move.added, epsilon = move.epsilon;
    float *__restrict p = piece.p, *__restrict a = piece.first, *__restrict d = piece.second;
    const float *__restrict g = piece.g;
    switch (move.rule) {
    case SGD:
      for (int64_t i = begin; i < end; ++i) {
        a[i] = kept * a[i] - rate * g[i];
        p[i] += a[i];
      }
      break;
    case NESTEROV:
      for (int64_t i = begin; i < end; ++i) {
        a[i] = kept * a[i] - rate * g[i];
        p[i] += kept * a[i] - rate * g[i];
      }
      break;
    case RMSPROP:
    case ADAGRAD: // keeps all of the past
      for (int64_t i = begin; i < end; ++i) {
        a[i] = kept * a[i] + added * (g[i] * g[i]);
        p[i] -= rate * g[i] / (__builtin_sqrtf(a[i]) + epsilon);
      }
      break;
    default:
      for (int64_t i = begin; i < end; ++i) {
        a[i] = kept * a[i] + added * (g[i] * g[i]);
        const float change = g[i] * (__builtin_sqrtf(d[i] + epsilon) / __builtin_sqrtf(a[i] + epsilon));
        p[i] -= rate * change;
        d[i] = kept * d[i] + added * (change * change);
      }
    }
  }

  static bool run(const Move *move, ParallelFor parallel) {
    constexpr int64_t values_of_a_thread = 1 << 15;
    int64_t count = 0;
    for (int64_t i = 0; i < move->piece_count; ++i) count += move->pieces[i].count;
    return for_all(parallel, count, values_of_a_thread, task, const_cast<Move *>(move));
  }
};
