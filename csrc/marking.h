// Which steps of sequences count. Included once for each instruction set, inside its namespace.

struct MarkingKernel {
  static constexpr int64_t values_of_a_thread = 1 << 15;

  template <typename T> static bool differs(const Marking &m, int64_t step) {
    const T *x = static_cast<const T *>(m.x) + step * m.size;
    for (int64_t i = 0; i < m.size; ++i)
      if (static_cast<float>(x[i]) != m.value) return true;
    return false;
  }

  static void task(int64_t begin, int64_t end, void *context) {
    const Marking &m = *static_cast<const Marking *>(context);
    for (int64_t step = begin; step < end; ++step)
      if (m.kind == MARK)
        m.y[step] = (m.of_floats ? differs<float>(m, step) : differs<int32_t>(m, step)) ? 1.0f : 0.0f;
      else
        for (int64_t i = step * m.size; i < (step + 1) * m.size; ++i)
          m.y[i] = static_cast<const float *>(m.x)[i] * m.marks[step];
  }

  static bool run(const Marking *m, ParallelFor parallel) {
    return for_all(parallel, m->count, 1 + values_of_a_thread / (m->size + 1), task, const_cast<Marking *>(m));
  }
};
