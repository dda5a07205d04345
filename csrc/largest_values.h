// The largest values over all positions, and gradients from them. Included once for each instruction set, inside its
// namespace.

// Tasks are images.
struct LargestKernel {
  const Largest &l;
  bool failed;

  static void task(int64_t begin, int64_t end, void *context) {
    LargestKernel &kernel = *static_cast<LargestKernel *>(context);
    const int64_t size = padded<float>(kernel.l.channels);
    int32_t *scratch = allocate<int32_t>(2 * size);
    for (int64_t image = begin; scratch && image < end; ++image) kernel.find(image, scratch, scratch + size);
    if (!scratch) __atomic_store_n(&kernel.failed, true, __ATOMIC_RELAXED);
    free(scratch);
  }

  // "where" and "ties": the first place of each channel's largest value, and how many there are.
  void find(int64_t image, int32_t *where, int32_t *ties) const {
    const float *x = l.x + image * l.positions * l.channels;
    float *y = l.y + image * l.channels;
    std::memcpy(y, x, l.channels * sizeof(float));
    for (int64_t j = 0; j < l.channels; ++j) where[j] = 0, ties[j] = 1;
    for (int64_t position = 1; position < l.positions; ++position) {
      const float *row = x + position * l.channels;
      each_vector<float>(l.channels, [&](int64_t j, auto lanes) {
        const V<float> value = lanes.load(row + j), largest = lanes.load(y + j);
        const Numbers larger = value > largest || (value != value && largest == largest);
        const Numbers same = value == largest || (value != value && largest != largest);
        lanes.store(y + j, larger ? value : largest);
        // Both arrays end with a whole vector.
        Numbers number, count;
        std::memcpy(&number, where + j, sizeof number);
        std::memcpy(&count, ties + j, sizeof count);
        number = larger ? static_cast<int32_t>(position) - Numbers{} : number;
        count = larger ? 1 - Numbers{} : count - same; // true is -1
        std::memcpy(where + j, &number, sizeof number);
        std::memcpy(ties + j, &count, sizeof count);
      });
    }
    int64_t count = 0;
    for (int64_t j = 0; j < l.channels; ++j) count += ties[j];
    l.counts[image] = count;
    if (count <= l.most) write_places(x, y, where, ties, l.places + image * l.most);
  }

  void write_places(const float *x, const float *y, const int32_t *where, const int32_t *ties, Place *place) const {
    for (int32_t j = 0; j < l.channels; ++j) {
      const float share = 1.0f / ties[j];
      *place++ = {where[j], j, share};
      for (int32_t position = where[j] + 1, left = ties[j] - 1; left > 0; ++position) {
        const float value = x[position * l.channels + j];
        if (value != y[j] && (value == value || y[j] == y[j])) continue;
        *place++ = {position, j, share};
        --left;
      }
    }
  }

  static bool run(const Largest *largest, ParallelFor parallel) {
    constexpr int64_t values_of_a_thread = 1 << 15;
    LargestKernel kernel = {*largest, false};
    const int64_t grain = 1 + values_of_a_thread / (largest->positions * largest->channels + 1);
    return for_all(parallel, largest->images, grain, task, &kernel) && !kernel.failed;
  }
};

struct LargestGradientKernel {
  static void task(int64_t begin, int64_t end, void *context) {
    const LargestGradient &g = *static_cast<const LargestGradient *>(context);
    const Largest &l = *g.largest;
    for (int64_t image = begin; image < end; ++image) {
      float *of_x = g.of_x + image * l.positions * l.channels;
      std::memset(of_x, 0, l.positions * l.channels * sizeof(float));
      for (const Place *p = l.places + image * l.most, *last = p + l.counts[image]; p < last; ++p)
        of_x[p->position * l.channels + p->channel] = g.gradient[image * l.channels + p->channel] * p->share;
    }
  }

  static bool run(const LargestGradient *g, ParallelFor parallel) {
    constexpr int64_t values_of_a_thread = 1 << 15;
    const int64_t grain = 1 + values_of_a_thread / (g->largest->positions * g->largest->channels + 1);
    return for_all(parallel, g->largest->images, grain, task, const_cast<LargestGradient *>(g));
  }
};

// Each place is a window and a filter: what the gradient is at this one times the filter is added to the window's
// gradient, times the window to the filter's. Tasks are images for the first, filters for the second.
struct LargestConvolutionKernel {
  const LargestConvolutionGradient &g;
  const Largest &l;
  const Convolution &c;

  explicit LargestConvolutionKernel(const LargestConvolutionGradient &g) : g(g), l(*g.largest), c(*g.convolution) {}

  int64_t kernel_size() const { return c.kernel_rows * c.kernel_columns * c.channels; }
  int64_t image_size() const { return c.rows * c.columns * c.channels; }

  static void add(const float *x, float factor, float *target, int64_t count) {
    each_vector<float>(count, [&](int64_t j, auto lanes) {
      lanes.store(target + j, lanes.load(target + j) + lanes.load(x + j) * factor);
    });
  }

  // Calls body(cell of the kernel, cell of the image, values) for the pieces of a window that lie in the image.
  template <typename Body> ALWAYS_INLINE void each_piece(int64_t position, Body body) const {
    const int64_t top = position / c.out_columns * c.row_stride - c.top;
    const int64_t left = position % c.out_columns * c.column_stride - c.left;
    const bool whole = c.column_dilation == 1 && left >= 0 && left + c.kernel_columns <= c.columns;
    const int64_t pieces = whole ? 1 : c.kernel_columns, values = c.kernel_columns / pieces * c.channels;
    for (int64_t r = 0; r < c.kernel_rows; ++r)
      for (int64_t q = 0; q < pieces; ++q) {
        const int64_t row = top + r * c.row_dilation, column = left + q * c.column_dilation;
        if (row >= 0 && row < c.rows && column >= 0 && column < c.columns)
          body((r * c.kernel_columns + q) * c.channels, (row * c.columns + column) * c.channels, values);
      }
  }

  template <typename Body> ALWAYS_INLINE void each_place(int64_t image, Body body) const {
    for (const Place *p = l.places + image * l.most, *last = p + l.counts[image]; p < last; ++p)
      body(*p, g.gradient[image * l.channels + p->channel] * p->share);
  }

  static void images_task(int64_t begin, int64_t end, void *context) {
    const LargestConvolutionKernel &kernel = *static_cast<const LargestConvolutionKernel *>(context);
    for (int64_t image = begin; image < end; ++image) {
      float *of_x = kernel.g.of_x + image * kernel.image_size();
      std::memset(of_x, 0, kernel.image_size() * sizeof(float));
      kernel.each_place(image, [&](const Place &p, float gradient) {
        const float *filter = kernel.c.weight + p.channel * kernel.kernel_size();
        if (gradient != 0) // as it often is behind a ReLU
          kernel.each_piece(p.position, [&](int64_t cell, int64_t at, int64_t values) {
            add(filter + cell, gradient, of_x + at, values);
          });
      });
    }
  }

  static void filters_task(int64_t begin, int64_t end, void *context) {
    const LargestConvolutionKernel &kernel = *static_cast<const LargestConvolutionKernel *>(context);
    const int64_t size = kernel.kernel_size();
    std::memset(kernel.g.of_weight + begin * size, 0, (end - begin) * size * sizeof(float));
    for (int64_t image = 0; image < kernel.l.images; ++image) {
      const float *x = kernel.c.x + image * kernel.image_size();
      kernel.each_place(image, [&](const Place &p, float gradient) {
        if (p.channel >= begin && p.channel < end && gradient != 0)
          kernel.each_piece(p.position, [&](int64_t cell, int64_t at, int64_t values) {
            add(x + at, gradient, kernel.g.of_weight + p.channel * size + cell, values);
          });
      });
    }
  }

  static bool run(const LargestConvolutionGradient *g, ParallelFor parallel) {
    constexpr int64_t values_of_a_thread = 1 << 17;
    LargestConvolutionKernel kernel(*g);
    const int64_t images = kernel.l.images, filters = kernel.l.channels, size = kernel.kernel_size();
    const int64_t of_image = filters * size + kernel.image_size(), of_filter = images * size;
    return (!g->of_x || for_all(parallel, images, 1 + values_of_a_thread / of_image, images_task, &kernel)) &&
           (!g->of_weight || for_all(parallel, filters, 1 + values_of_a_thread / of_filter, filters_task, &kernel));
  }
};
