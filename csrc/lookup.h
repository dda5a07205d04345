// Rows of a table, by number. Included once for each instruction set, inside its namespace.

struct LookupKernel {
  static constexpr int64_t values_of_a_thread = 1 << 15;

  static void task(int64_t begin, int64_t end, void *context) {
    const Lookup &l = *static_cast<const Lookup *>(context);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t number = l.of_floats ? whole(static_cast<const float *>(l.x)[i]) : static_cast<const int32_t *>(l.x)[i];
      if (number >= 0 && number < l.rows)
        std::memcpy(l.y + i * l.size, l.table + number * l.size, l.size * sizeof(float));
      else
        __atomic_store_n(l.missing, 1, __ATOMIC_RELAXED);
    }
  }

  static int64_t whole(float x) { return x > -1.0f && x < 2147483648.0f ? static_cast<int64_t>(x) : -1; } // NaN too

  static bool run(const Lookup *l, ParallelFor parallel) {
    return for_all(parallel, l->count, 1 + values_of_a_thread / (l->size + 1), task, const_cast<Lookup *>(l));
  }
};
