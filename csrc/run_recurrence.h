// Recurrent layers in prediction, divided among threads. Included once for each instruction set, inside its namespace.

// Runs layers: the rows are divided among the threads, or the units, step by step. A sum is the same in any case.
struct RecurrenceKernel {
  static constexpr int64_t few = 4;             // rows take as long as one, for which the weights are read as well
  static constexpr int64_t in_cache = 3 << 17;  // values of U that stay in the cache of a core
  static constexpr int64_t waiting = 160 << 10; // products and sums in the time in which threads wait for each other

  const Recurrence *all;
  int64_t parts, parts_of_layer;
  RecurrentRows *divided; // where the units are
  bool failed;

  // Units are divided by as many vectors as a panel of the packed weights has.
  static int64_t vectors_at_once(const Recurrence &r) {
    return r.cell == LSTM ? (PANEL_VECTORS + 3) / 4 : PANEL_VECTORS;
  }

  static int64_t unit_parts(const Recurrence &r) {
    const int64_t at_once = vectors_at_once(r) * Vector<float>::width;
    return (r.units + at_once - 1) / at_once;
  }

  static int64_t weights_of(const Recurrence &r) { return gate_count(r.cell) * padded<float>(r.units) * r.units; }

  static bool divides_units(const Recurrence &r, int64_t count, int64_t threads) {
    if (threads < 2 || unit_parts(r) < 2 || r.batch > threads * ROWS_AT_ONCE) return false;
    const int64_t weights = weights_of(r), rows = (count * r.batch + threads - 1) / threads;
    const int64_t sharing = threads < unit_parts(r) ? threads : unit_parts(r);
    const int64_t by_rows = (rows > few ? rows : few) + (weights > in_cache ? few : 0);
    const int64_t by_units = count * (r.batch > few ? r.batch : few) / sharing;
    return (by_rows - by_units) * weights > count * waiting * (r.cell == GRU ? 2 : 1);
  }

  static void rows_task(int64_t begin, int64_t end, void *context) {
    RecurrenceKernel &kernel = *static_cast<RecurrenceKernel *>(context);
    for (int64_t part = begin; part < end; ++part) {
      const Recurrence &r = kernel.all[part / kernel.parts_of_layer];
      const int64_t i = part % kernel.parts_of_layer, n = kernel.parts_of_layer;
      const int64_t first = r.batch * i / n, rows = r.batch * (i + 1) / n - first;
      float *scratch = allocate<float>(RecurrentRows::scratch_size(r, rows));
      if (!scratch || !RecurrentRows(r, first, rows, scratch).run())
        __atomic_store_n(&kernel.failed, true, __ATOMIC_RELAXED);
      free(scratch);
    }
  }

  bool divide_rows(int64_t count, int64_t threads, ParallelFor parallel) {
    const Recurrence &r = *all;
    const int64_t least = (r.batch + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE; // in each layer
    const int64_t wanted = ((least * count + threads - 1) / threads * threads + count - 1) / count;
    parts_of_layer = wanted < r.batch ? wanted : r.batch;
    parts = count * parts_of_layer;
    const int64_t work = r.steps * gate_count(r.cell) * r.units * (r.inputs + r.units) *
                         ((r.batch + parts_of_layer - 1) / parts_of_layer);
    return for_all(parallel, parts, 1 + WORK_OF_A_THREAD / work, rows_task, this) && !failed;
  }

  // A task for the units of some parts.
  template <typename Body> static void of_units(int64_t begin, int64_t end, void *context, Body body) {
    const RecurrenceKernel &kernel = *static_cast<RecurrenceKernel *>(context);
    const RecurrentRows &rows = *kernel.divided;
    const int64_t at_once = vectors_at_once(rows.r), all = unit_parts(rows.r),
                  last = all * end / kernel.parts * at_once;
    body(rows, all * begin / kernel.parts * at_once, last < rows.vectors() ? last : rows.vectors());
  }

  static void project_task(int64_t begin, int64_t end, void *context) {
    of_units(begin, end, context, [](const RecurrentRows &rows, int64_t a, int64_t b) { rows.project(a, b); });
  }
  static void step_task(int64_t begin, int64_t end, void *context) {
    of_units(begin, end, context, [](const RecurrentRows &rows, int64_t a, int64_t b) { rows.run_step(a, b); });
  }
  static void candidate_task(int64_t begin, int64_t end, void *context) {
    of_units(begin, end, context, [](const RecurrentRows &rows, int64_t a, int64_t b) { rows.run_candidate(a, b); });
  }

  bool divide_units(const Recurrence &r, int64_t threads, ParallelFor parallel) {
    float *scratch = allocate<float>(RecurrentRows::scratch_size(r, r.batch));
    if (!scratch) return false;
    RecurrentRows rows(r, 0, r.batch, scratch);
    divided = &rows;
    parts = threads < unit_parts(r) ? threads : unit_parts(r);
    // Threads are woken where all steps take long enough.
    const int64_t grain = r.steps * r.batch * weights_of(r) > WORK_OF_A_THREAD ? 1 : parts;
    bool done = true;
    while (done && rows.step < r.steps) {
      rows.begin_block();
      done = rows.by_tiles() ? rows.project(parallel) : for_all(parallel, parts, grain, project_task, this);
      for (int64_t i = 0; done && i < rows.count; ++i, rows.end_step()) {
        done = for_all(parallel, parts, grain, step_task, this);
        if (done && r.cell == GRU) done = for_all(parallel, parts, grain, candidate_task, this);
      }
    }
    free(scratch);
    return done;
  }

  // "parallel" uses so many threads.
  static bool run(const Recurrence *all, int64_t count, int64_t threads, ParallelFor parallel) {
    FlushDenormals flush;
    RecurrenceKernel kernel = {all, 0, 0, nullptr, false};
    if (!parallel) threads = 1;
    if (!divides_units(*all, count, threads)) return kernel.divide_rows(count, threads, parallel);
    for (int64_t i = 0; i < count; ++i)
      if (!kernel.divide_units(all[i], threads, parallel)) return false;
    return true;
  }

  static bool run_by_team(const Recurrence *all, int64_t count, int64_t threads, ParallelFor parallel) {
    const TeamTurn turn(parallel ? threads : 1, divides_units(*all, count, threads));
    return run(all, count, threads, turn.parallel());
  }
};
