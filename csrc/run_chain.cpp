// Runs dense layers that follow each other: one call for what would be several for each of them.
#include "kernels.h"

namespace {

// The layers for some of the rows. Where layers are small, threads take rows through all of them, as waking threads for
// each layer would take longer than it does; then they take layers, each of which sums its weights' gradient over all rows.
struct ChainRun {
  static constexpr int64_t few_products = 1 << 20; // of a layer: what one thread computes by itself
  static constexpr int64_t rows_together = 4;      // have whole random numbers, whatever their length
  static constexpr int64_t products_of_a_thread = 1 << 20;

  const Chain &c;
  const KernelTable &kernels;
  ParallelFor parallel;
  int64_t first_row, rows;
  float *const *gradients; // of each y, and in its place that without the activation; not on the way forward

  ChainRun(const Chain &c, const KernelTable &kernels, ParallelFor parallel, float *const *gradients = nullptr)
      : c(c), kernels(kernels), parallel(parallel), first_row(0), rows(c.rows), gradients(gradients) {}

  int64_t inputs(int64_t i) const { return i ? c.layers[i - 1].outputs : c.inputs; }
  const float *x(int64_t i) const { return (i ? c.layers[i - 1].y : c.x) + first_row * inputs(i); }
  float *y(int64_t i) const { return c.layers[i].y + first_row * c.layers[i].outputs; }

  bool suits() const {
    const auto suits = kernels.matrices.suits;
    for (int64_t i = 0; i < c.count; ++i) {
      const int64_t in = inputs(i), out = c.layers[i].outputs;
      if (c.layers[i].kind != PRODUCT) continue;
      if (!suits(c.rows, out, in) || !suits(out, in, c.rows) || !suits(c.rows, in, out)) return false;
    }
    return true;
  }

  // Products of a row in all layers; 0 where rows depend on each other, or layers are large.
  int64_t little_work() const {
    int64_t work = 0;
    for (int64_t i = 0; i < c.count; ++i) {
      const int64_t products = inputs(i) * c.layers[i].outputs;
      if (c.layers[i].kind == NORMALIZATION || c.rows * products > few_products) return 0;
      if (c.layers[i].kind == PRODUCT) work += products;
    }
    return work;
  }

  struct Parts {
    const ChainRun &all;
    bool (ChainRun::*run)() const;
    bool failed;
  };

  // Lets threads compute some of the rows each.
  bool by_rows(bool (ChainRun::*run)() const, int64_t work_of_row) const {
    Parts parts = {*this, run, false};
    const int64_t groups = (c.rows + rows_together - 1) / rows_together;
    const int64_t grain = 1 + products_of_a_thread / (rows_together * work_of_row + 1);
    return parallel(0, groups, grain, rows_task, &parts) == 0 && !parts.failed;
  }

  static void rows_task(int64_t begin, int64_t end, void *context) {
    Parts &parts = *static_cast<Parts *>(context);
    ChainRun part(parts.all.c, parts.all.kernels, nullptr, parts.all.gradients);
    part.first_row = begin * rows_together;
    part.rows = end * rows_together < part.c.rows ? (end - begin) * rows_together : part.c.rows - part.first_row;
    if (!(part.*parts.run)()) __atomic_store_n(&parts.failed, true, __ATOMIC_RELAXED);
  }

  bool forward() const {
    const int64_t work = parallel ? little_work() : 0;
    return work ? by_rows(&ChainRun::all_forward, work) : all_forward();
  }

  bool all_forward() const {
    for (int64_t i = 0; i < c.count; ++i)
      if (!forward(i)) return false;
    return true;
  }

  bool forward(int64_t i) const {
    const ChainLayer &layer = c.layers[i];
    if (layer.kind == DROPPING) return drop(layer, x(i), y(i));
    if (layer.kind == NORMALIZATION) {
      const Normalization normalization = this->normalization(i);
      const bool done = kernels.training.normalize(&normalization, nullptr, parallel);
      return done && (normalization.relu || layer.activation == LINEAR || finish(i, layer.activation, nullptr));
    }
    const int64_t in = inputs(i);
    const Matrix left = {const_cast<float *>(x(i)), in, 1}, right = {const_cast<float *>(layer.weight), 1, in};
    if (!multiply(rows, layer.outputs, in, left, right, y(i))) return false;
    if (layer.activation == SOFTMAX) {
      const Activated activated = {rows, layer.outputs, SOFTMAX, y(i), y(i), nullptr, nullptr};
      return finish(i, LINEAR, layer.bias) && kernels.training.activate(&activated, false, parallel);
    }
    return finish(i, layer.activation, layer.bias);
  }

  bool multiply(int64_t rows, int64_t columns, int64_t depth, Matrix left, Matrix right, float *result) const {
    const MatrixProduct product = {rows, columns, depth, left, right, {result, columns, 1}};
    return kernels.matrices.multiply(&product, parallel);
  }

  // In place, where there is something to do.
  bool finish(int64_t i, int32_t activation, const float *bias) const {
    const ChainLayer &layer = c.layers[i];
    return (!bias && activation == LINEAR && !layer.drops) || finish(layer, activation, bias, y(i), y(i));
  }

  bool drop(const ChainLayer &layer, const float *x, float *y) const { return finish(layer, LINEAR, nullptr, x, y); }

  bool finish(const ChainLayer &layer, int32_t activation, const float *bias, const float *x, float *y) const {
    const Finish finish = {rows,         layer.outputs, seed(layer), static_cast<Activation>(activation), layer.drops,
                           layer.limit, layer.scale,   bias,        x,                                   y};
    return kernels.training.finish(&finish, parallel);
  }

  // From which the random numbers of these rows follow.
  static constexpr uint64_t step_of_seeds = 0x9e3779b97f4a7c15; // of SplitMix64
  uint64_t seed(const ChainLayer &layer) const { return layer.seed + first_row * layer.outputs / 4 * step_of_seeds; }

  Normalization normalization(int64_t i) const {
    const ChainLayer &layer = c.layers[i];
    return {rows,       layer.outputs, layer.activation == RELU, layer.epsilon, x(i), layer.weight,
            layer.bias, layer.mean,    layer.variance,           y(i)};
  }

  // From which layer on there is something to do.
  int64_t first() const {
    int64_t i = 0;
    while (!c.x_gradient && i < c.count && !c.layers[i].weight_gradient && !c.layers[i].bias_gradient) ++i;
    return i;
  }

  bool backward() const {
    const int64_t first = this->first();
    int64_t size = 0;
    for (int64_t i = first; i < c.count; ++i) size += c.rows * c.layers[i].outputs;
    float *memory = static_cast<float *>(malloc(size * sizeof(float) + 1));
    float **gradients = static_cast<float **>(malloc(c.count * sizeof(float *)));
    float *next = memory;
    for (int64_t i = first; memory && gradients && i < c.count; next += c.rows * c.layers[i++].outputs) gradients[i] = next;
    const bool done = memory && gradients && ChainRun(c, kernels, parallel, gradients).backward_from(first);
    free(gradients);
    free(memory);
    return done;
  }

  bool backward_from(int64_t first) const {
    const int64_t work = parallel ? little_work() : 0;
    if (!work) {
      for (int64_t i = c.count; i-- > first;)
        if (!before_activation(i, true) || !of_weights(i) || !of_x(i, first)) return false;
      return true;
    }
    if (!by_rows(&ChainRun::rows_backward, work)) return false;
    Parts parts = {*this, nullptr, false};
    const int64_t grain = 1 + products_of_a_thread / (c.rows * work / c.count + 1);
    return parallel(first, c.count, grain, layers_task, &parts) == 0 && !parts.failed;
  }

  bool rows_backward() const {
    const int64_t first = this->first();
    for (int64_t i = c.count; i-- > first;)
      if (!before_activation(i, false) || !of_x(i, first)) return false;
    return true;
  }

  static void layers_task(int64_t begin, int64_t end, void *context) {
    Parts &parts = *static_cast<Parts *>(context);
    const ChainRun alone(parts.all.c, parts.all.kernels, nullptr, parts.all.gradients);
    for (int64_t i = begin; i < end; ++i)
      if (!alone.of_bias(i) || !alone.of_weights(i)) __atomic_store_n(&parts.failed, true, __ATOMIC_RELAXED);
  }

  // The activation that the gradient has to go back through; normalization does RELU itself.
  Activation activation(int64_t i) const {
    const ChainLayer &layer = c.layers[i];
    const bool is_done = layer.activation == SOFTMAX || (layer.kind == NORMALIZATION && layer.activation == RELU);
    return is_done ? LINEAR : static_cast<Activation>(layer.activation);
  }

  // The gradient of y, or once it is known that without the activation.
  float *own_gradient(int64_t i) const { return gradients[i] + first_row * c.layers[i].outputs; }
  const float *gradient(int64_t i) const {
    const bool is_given = i + 1 == c.count && activation(i) == LINEAR && c.layers[i].activation != SOFTMAX;
    return is_given ? given() : own_gradient(i);
  }
  const float *given() const { return c.gradient + first_row * c.layers[c.count - 1].outputs; }

  // The gradient without the activation; with the sums of its columns, if these are wanted here.
  bool before_activation(int64_t i, bool with_sums) const {
    const ChainLayer &layer = c.layers[i];
    const float *of_y = i + 1 == c.count ? given() : own_gradient(i);
    if (layer.activation == SOFTMAX) {
      const Activated activated = {rows, layer.outputs, SOFTMAX, nullptr, y(i), of_y, own_gradient(i)};
      if (!kernels.training.activate(&activated, true, parallel)) return false;
    }
    if (activation(i) == LINEAR) return !with_sums || of_bias(i);
    float *sums = with_sums && layer.kind == PRODUCT ? layer.bias_gradient : nullptr;
    const FinishGradient finish = {rows, layer.outputs, activation(i), layer.scale, of_y, y(i), own_gradient(i), sums};
    return kernels.training.finish_gradient(&finish, parallel);
  }

  bool of_bias(int64_t i) const {
    const ChainLayer &layer = c.layers[i];
    if (layer.kind != PRODUCT || !layer.bias_gradient) return true;
    const FinishGradient finish = {rows,        layer.outputs, LINEAR,  1.0f,
                                   gradient(i), nullptr,       nullptr, layer.bias_gradient};
    return kernels.training.finish_gradient(&finish, parallel);
  }

  bool of_weights(int64_t i) const {
    const ChainLayer &layer = c.layers[i];
    if (layer.kind != PRODUCT || !layer.weight_gradient) return true;
    const int64_t in = inputs(i), out = layer.outputs;
    const Matrix turned = {const_cast<float *>(gradient(i)), 1, out}, of_x = {const_cast<float *>(x(i)), in, 1};
    return multiply(out, in, rows, turned, of_x, layer.weight_gradient);
  }

  // The gradient of x, if it is wanted; of a normalization those of gamma and beta too.
  bool of_x(int64_t i, int64_t first) const {
    const ChainLayer &layer = c.layers[i];
    const int64_t in = inputs(i);
    float *target = c.x_gradient ? c.x_gradient + first_row * in : nullptr;
    if (i > first) target = own_gradient(i - 1);
    if (layer.kind == DROPPING) return !target || drop(layer, gradient(i), target);
    if (layer.kind == NORMALIZATION) {
      const Normalization normalization = this->normalization(i);
      const NormalizationGradient back = {&normalization, gradient(i), target, layer.weight_gradient, layer.bias_gradient};
      return kernels.training.normalize(&normalization, &back, parallel);
    }
    const Matrix of_y = {const_cast<float *>(gradient(i)), layer.outputs, 1};
    return !target || multiply(rows, in, layer.outputs, of_y, {const_cast<float *>(layer.weight), in, 1}, target);
  }
};

} // namespace

bool suits_chain(const Chain &chain, const KernelTable &kernels) { return ChainRun(chain, kernels, nullptr).suits(); }

bool run_chain(const Chain &chain, const KernelTable &kernels, ParallelFor parallel) {
  return ChainRun(chain, kernels, parallel).forward();
}

bool run_chain_gradient(const Chain &chain, const KernelTable &kernels, ParallelFor parallel) {
  return ChainRun(chain, kernels, parallel).backward();
}
