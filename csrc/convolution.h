// Convolutions of images, channels last, by the tiles of convolution_tiles.h. Included once for each instruction set, inside
// its namespace.

// Neighbouring panels of filters, by their filters.
struct Panels {
  static constexpr int64_t width = PANEL_VECTORS * Vector<float>::width;
  int64_t first, last;

  explicit Panels(int64_t filters) : first(0), last(filters) {}
  Panels(int64_t begin, int64_t end, int64_t filters)
      : first(begin * width), last(end * width < filters ? end * width : filters) {}

  static int64_t count(int64_t filters) { return (filters + width - 1) / width; }
};

struct ConvolutionKernel {
  const Convolution *c;
  int64_t rows;  // of an image's positions, without those behind the last window
  int64_t bands; // in all images
  bool failed;

  // Positions that are computed by one panel after the other: few, if all panels stay in the cache; else as many as do,
  // with their values, so that a panel is not read often.
  static constexpr int64_t weights_in_cache = 1 << 17, values_in_cache = 1 << 20, few = 96, many = 4096;

  int64_t positions_at_once() const {
    if (c->filters * c->kernel_rows * c->kernel_columns * c->channels <= weights_in_cache) return few;
    const int64_t fitting = values_in_cache / (c->channels * c->row_stride * c->column_stride);
    return fitting < few ? few : fitting > many ? many : fitting;
  }

  // Positions come in bands of whole windows.
  bool pools() const { return c->pool_rows * c->pool_columns > 1; }
  int64_t band() const { return pools() ? c->pool_rows * c->out_columns : 1; }

  // Threads divide positions; or panels of filters where there are more of these, so that no weight is read by several, and
  // where windows that reach over whole images leave few bands.
  bool by_panels() const { return c->filters > bands * band() || (pools() && bands < Panels::count(c->filters)); }

  static void task(int64_t begin, int64_t end, void *context) {
    ConvolutionKernel &kernel = *static_cast<ConvolutionKernel *>(context);
    const int64_t band = kernel.band();
    const bool done = kernel.by_panels() ? kernel.run_bands(0, kernel.bands * band, Panels(begin, end, kernel.c->filters))
                                         : kernel.run_bands(begin * band, end * band, Panels(kernel.c->filters));
    if (!done) __atomic_store_n(&kernel.failed, true, __ATOMIC_RELAXED);
  }

  bool run_bands(int64_t begin, int64_t end, Panels panels) const {
    int64_t at_once = (positions_at_once() + band() - 1) / band() * band();
    if (at_once > end - begin) at_once = end - begin;
    const int64_t band_values = !pools() ? 0 : band() * PANEL_VECTORS * Vector<float>::width;
    const int64_t filters = padded<float>(c->filters);
    float *scratch = allocate<float>(band_values + filters + c->channels); // a band, the bias, zeros
    float *bias = scratch + band_values;
    Position *positions = static_cast<Position *>(malloc(at_once * sizeof(Position)));
    if (scratch && positions) {
      std::memset(bias, 0, (filters + c->channels) * sizeof(float));
      if (c->bias) std::memcpy(bias, c->bias, c->filters * sizeof(float));
      for (int64_t first = begin; first < end; first += at_once) {
        const int64_t count = end - first < at_once ? end - first : at_once;
        place(first, count, positions);
        run_panels({*c, bias + filters, positions, count, first, panels.first, 0, nullptr, nullptr, bias + panels.first,
                    scratch}, panels.last);
      }
    }
    free(scratch);
    free(positions);
    return scratch && positions;
  }

  void place(int64_t first, int64_t count, Position *positions) const {
    int64_t column = first % c->out_columns, row = first / c->out_columns % rows;
    int64_t image = first / c->out_columns / rows;
    const int64_t last_row = c->rows - (c->kernel_rows - 1) * c->row_dilation;
    const int64_t last_column = c->columns - (c->kernel_columns - 1) * c->column_dilation;
    const int64_t step = c->column_stride;
    for (Position *end = positions + count; positions < end;) { // line by line
      const int64_t y = row * c->row_stride - c->top, left = c->out_columns - column;
      const bool row_inside = y >= 0 && y < last_row;
      int64_t x = column * step - c->left;
      const float *at = c->x + ((image * c->rows + y) * c->columns + x) * c->channels;
      for (Position *last = end - positions < left ? end : positions + left; positions < last; ++positions) {
        *positions = {at, y, x, row_inside && x >= 0 && x < last_column};
        at += step * c->channels;
        x += step;
      }
      column = 0;
      if (++row < rows) continue;
      row = 0;
      ++image;
    }
  }

  void run_panels(Run run, int64_t last) const {
    const int64_t depth = c->kernel_rows * c->kernel_columns * c->channels;
    const bool kept = c->filters * depth <= weights_in_cache;
    while (run.filter < last) {
      run.there = c->filters - run.filter;
      const int64_t vectors = panel_vectors(padded<float>(run.there) / Vector<float>::width);
      const int64_t next = run.filter + vectors * Vector<float>::width;
      run.panel = c->weight + run.filter * depth;
      run.later = kept || next >= last ? nullptr : c->weight + next * depth;
      vectors == 4 ? convolve_panel<4>(run) : vectors == 2 ? convolve_panel<2>(run) : convolve_panel<1>(run);
      run.bias += next - run.filter;
      run.filter = next;
    }
  }

  // Of few channels, looking at each value whether it is inside takes longer than writing the zeros around.
  static bool run(const Convolution *c, ParallelFor parallel) {
    constexpr int64_t few_channels = 16;
    if (FewFilters::suits(*c)) return FewFilters::run(c, parallel);
    Frame frame(c);
    if (c->channels >= few_channels || !frame.is_needed()) return run_as_it_is(c, parallel);
    const bool done = frame.make(parallel) && run_as_it_is(&frame.c, parallel);
    free(frame.copies);
    return done;
  }

  static bool run_as_it_is(const Convolution *c, ParallelFor parallel) {
    const int64_t rows = c->out_rows / c->pool_rows * c->pool_rows;
    ConvolutionKernel kernel = {c, rows, 0, false};
    kernel.bands = c->images * rows * c->out_columns / kernel.band();
    const int64_t parts = kernel.by_panels() ? Panels::count(c->filters) : kernel.bands;
    const int64_t work = kernel.bands * kernel.band() * c->filters * c->kernel_rows * c->kernel_columns * c->channels;
    return for_all(parallel, parts, 1 + WORK_OF_A_THREAD / (work / (parts + 1) + 1), task, &kernel) && !kernel.failed;
  }

  // The same with a kernel that is not packed yet.
  static bool pack_and_run(const Convolution *c, ParallelFor parallel) {
    const int64_t depth = c->kernel_rows * c->kernel_columns * c->channels;
    float *packed = allocate<float>(packed_size(c->filters, depth));
    if (!packed) return false;
    pack_matrix(c->weight, c->filters, depth, packed);
    Convolution with_packed = *c;
    with_packed.weight = packed;
    const bool done = run(&with_packed, parallel);
    free(packed);
    return done;
  }
};
