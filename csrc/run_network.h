// Runs the steps of a network. Included once for each instruction set, inside its namespace.

constexpr int64_t JOINED_AT_ONCE = 1 << 12;

// The values of some rows.
struct RowsOfNetwork {
  const NetworkCall &call;
  int64_t first, count;
  float *across, *inside; // the memory

  float *at(int64_t number) const {
    if (number < 0) return nullptr;
    const Value &value = call.network->values[number];
    if (value.keeping == OUTSIDE) return call.arrays[value.place] + first * value.size;
    return value.keeping == ACROSS ? across + value.place * call.rows + first * value.size : inside + value.place * count;
  }

  bool run(const Step *steps, int64_t step_count, ParallelFor parallel) const {
    for (int64_t i = 0; i < step_count; ++i)
      if (!run(steps[i], parallel)) return false;
    return true;
  }

#ifdef HAS_TILES
  static bool by_tiles(const Convolution &c, ParallelFor parallel) {
    const int64_t row = c.columns * c.channels;
    const TiledProduct product = {c.images * c.out_rows * c.out_columns, c.channels, c.filters, c.out_columns, c.out_rows,
                                  c.column_stride * c.channels, c.row_stride * row, c.rows * row, c.x, c.tiles, c.bias,
                                  c.other, c.y, c.relu != 0};
    return amx::multiply_packed(&product, parallel);
  }
#endif

  bool run(const Step &step, ParallelFor parallel) const {
    const float *x = at(step.input), *other = at(step.other);
    float *y = at(step.output);
    if (step.kind == CONVOLVE) {
      Convolution convolution = *static_cast<const Convolution *>(step.call);
      convolution.images = count;
      convolution.x = x, convolution.other = other, convolution.y = y;
#ifdef HAS_TILES
      if (convolution.tiles) return by_tiles(convolution, parallel);
#endif
      return (convolution.transformed ? WinogradKernel::run : ConvolutionKernel::run)(&convolution, parallel);
    }
    if (step.kind == MULTIPLY) {
      Dense dense = *static_cast<const Dense *>(step.call);
      dense.rows *= count, dense.backwards = call.backwards;
      dense.x = x, dense.y = y;
      return DenseKernel::run(&dense, parallel);
    }
    if (step.kind == POOL) return run_images<PoolingKernel, Pooling>(step, x, y, parallel);
    if (step.kind == DEPTHWISE) return run_images<DepthwiseKernel, Depthwise>(step, x, y, parallel);
    if (step.kind == PLACE) return run_images<PlacingKernel, Placing>(step, x, y, parallel);
    if (step.kind == LOOK_UP) {
      Lookup lookup = *static_cast<const Lookup *>(step.call);
      lookup.count *= count;
      lookup.x = x, lookup.y = y, lookup.missing = call.missing;
      return LookupKernel::run(&lookup, parallel);
    }
    if (step.kind == RECUR) return recur(*static_cast<const Recurrences *>(step.call), x, other, y, parallel);
    if (step.kind == MARK || step.kind == SHADE) {
      Marking marking = *static_cast<const Marking *>(step.call);
      marking.count *= count;
      marking.x = x, marking.marks = other, marking.y = y;
      return MarkingKernel::run(&marking, parallel);
    }
    const int64_t size = call.network->values[step.output].size * count;
    if (step.kind == ACTIVATE) {
      const Activated activated = {size / step.columns, step.columns, step.activation, x, y, nullptr, nullptr};
      return ActivatedKernel::run(&activated, false, parallel);
    }
    Elements elements = step.call ? *static_cast<const Elements *>(step.call) : Elements{0, JOINED_AT_ONCE, step.kind};
    elements.count = size;
    elements.x = x, elements.other = other, elements.y = y;
    return ElementsKernel::run(&elements, parallel);
  }

  bool recur(const Recurrences &recurrences, const float *x, const float *valid, float *y, ParallelFor parallel) const {
    Recurrence all[2];
    for (int64_t i = 0; i < recurrences.count; ++i) {
      all[i] = recurrences.all[i];
      all[i].batch = count, all[i].whole_batch = call.rows;
      all[i].x = x, all[i].valid = valid, all[i].y = y + i * all[i].units;
    }
    // Little work has the team of threads already.
    auto run = call.little ? RecurrenceKernel::run : RecurrenceKernel::run_by_team;
    return run(all, recurrences.count, call.threads, parallel);
  }

  // A step of which only the images are not known before.
  template <typename Kernel, typename Call>
  bool run_images(const Step &step, const float *x, float *y, ParallelFor parallel) const {
    Call images = *static_cast<const Call *>(step.call);
    images.images = count;
    images.x = x, images.y = y;
    return Kernel::run(&images, parallel);
  }
};

struct PhaseKernel {
  const NetworkCall &call;
  const Phase &phase;
  const Step *steps;
  int64_t group;
  float *across;
  bool failed;

  // Runs the groups from begin to end.
  static void groups(int64_t begin, int64_t end, void *context) {
    PhaseKernel &kernel = *static_cast<PhaseKernel *>(context);
    const int64_t size = kernel.group, rows = kernel.call.rows;
    float *inside = allocate<float>(size * kernel.phase.kept + 1);
    bool done = inside;
    for (int64_t first = begin * size; done && first < rows && first < end * size; first += size) {
      const int64_t count = rows - first < size ? rows - first : size;
      done = RowsOfNetwork{kernel.call, first, count, kernel.across, inside}.run(kernel.steps, kernel.phase.steps, nullptr);
    }
    free(inside);
    if (!done) __atomic_store_n(&kernel.failed, true, __ATOMIC_RELAXED);
  }
};

struct NetworkKernel {
  const NetworkCall &call;

  int64_t values_of_row() const {
    int64_t most = 0;
    for (int64_t i = 0; i < call.network->phase_count; ++i)
      if (call.network->phases[i].kept > most) most = call.network->phases[i].kept;
    return call.network->across + most;
  }

  bool run(float *memory, ParallelFor parallel) const {
    FlushDenormals flush;
    const Network &n = *call.network;
    float *inside = memory + n.across * call.rows;
    const Step *steps = n.steps;
    for (int64_t i = 0; i < n.phase_count; ++i) {
      const Phase &phase = n.phases[i];
      const int64_t share = (call.rows + call.threads - 1) / call.threads; // of a thread
      if (phase.group && call.rows > 1) { // the steps of a single row are divided among the threads instead
        PhaseKernel kernel = {call, phase, steps, phase.group < share ? phase.group : share, memory, false};
        if (!for_all(parallel, (call.rows + kernel.group - 1) / kernel.group, 1, PhaseKernel::groups, &kernel)) return false;
        if (kernel.failed) return false;
      } else if (!RowsOfNetwork{call, 0, call.rows, memory, inside}.run(steps, phase.steps, parallel)) {
        return false;
      }
      steps += phase.steps;
    }
    return true;
  }

  static bool run(const NetworkCall *call, ParallelFor parallel) {
    const NetworkKernel kernel = {*call};
    const TeamTurn turn(parallel && call->little ? call->threads : 1, call->network->has_short_steps);
    if (call->threads == 1 || call->little) parallel = turn.parallel();
    float *memory = call->memory ? call->memory : allocate<float>(call->rows * kernel.values_of_row() + 1);
    const bool done = memory && kernel.run(memory, parallel);
    if (!call->memory) free(memory);
    return done;
  }
};
