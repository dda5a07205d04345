// Runs dense layers that follow each other: one call for what would be several for each of them.
#include "kernels.h"

namespace {

int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

struct ChainRun {
  const Chain &c;
  const KernelTable &kernels;
  ParallelFor parallel;

  int64_t inputs(int64_t i) const { return i ? c.layers[i - 1].outputs : c.inputs; }
  const float *x(int64_t i) const { return i ? c.layers[i - 1].y : c.x; }

  bool suits() const {
    const auto suits = kernels.matrices.suits;
    for (int64_t i = 0; i < c.count; ++i) {
      const int64_t in = inputs(i), out = c.layers[i].outputs;
      if (c.layers[i].kind != PRODUCT) continue;
      if (!suits(c.rows, out, in) || !suits(out, in, c.rows) || !suits(c.rows, in, out)) return false;
    }
    return true;
  }

  bool forward() const {
    for (int64_t i = 0; i < c.count; ++i)
      if (!forward(i)) return false;
    return true;
  }

  bool forward(int64_t i) const {
    const ChainLayer &layer = c.layers[i];
    if (layer.kind == DROPPING) return drop(layer, x(i), layer.y);
    if (layer.kind == NORMALIZATION) {
      const Normalization normalization = this->normalization(i);
      const bool done = kernels.training.normalize(&normalization, nullptr, parallel);
      return done && (normalization.relu || layer.activation == LINEAR || finish(layer, layer.activation, nullptr));
    }
    const int64_t in = inputs(i);
    const Matrix left = {const_cast<float *>(x(i)), in, 1}, right = {const_cast<float *>(layer.weight), 1, in};
    if (!multiply(c.rows, layer.outputs, in, left, right, layer.y)) return false;
    if (layer.activation == SOFTMAX) {
      const Activated activated = {c.rows, layer.outputs, SOFTMAX, layer.y, layer.y, nullptr, nullptr};
      return finish(layer, LINEAR, layer.bias) && kernels.training.activate(&activated, false, parallel);
    }
    return finish(layer, layer.activation, layer.bias);
  }

  bool multiply(int64_t rows, int64_t columns, int64_t depth, Matrix left, Matrix right, float *result) const {
    const MatrixProduct product = {rows, columns, depth, left, right, {result, columns, 1}};
    return kernels.matrices.multiply(&product, parallel);
  }

  bool finish(const ChainLayer &layer, int32_t activation, const float *bias) const {
    if (!bias && activation == LINEAR && !layer.drops) return true;
    const Finish finish = {c.rows,       layer.outputs, layer.seed, static_cast<Activation>(activation), layer.drops,
                           layer.limit, layer.scale,   bias,       layer.y,                             layer.y};
    return kernels.training.finish(&finish, parallel);
  }

  bool drop(const ChainLayer &layer, const float *x, float *y) const {
    const Finish finish = {c.rows,       layer.outputs, layer.seed, LINEAR, layer.drops,
                           layer.limit, layer.scale,   nullptr,    x,      y};
    return kernels.training.finish(&finish, parallel);
  }

  Normalization normalization(int64_t i) const {
    const ChainLayer &layer = c.layers[i];
    return {c.rows, layer.outputs, layer.activation == RELU, layer.epsilon, x(i), layer.weight,
            layer.bias, layer.mean, layer.variance, layer.y};
  }

  // From which layer on there is something to do.
  int64_t first() const {
    int64_t i = 0;
    while (!c.x_gradient && i < c.count && !c.layers[i].weight_gradient && !c.layers[i].bias_gradient) ++i;
    return i;
  }

  bool backward() const {
    int64_t widest = 0;
    for (int64_t i = 0; i < c.count; ++i) widest = most(widest, c.layers[i].outputs);
    float *memory = static_cast<float *>(malloc(2 * c.rows * widest * sizeof(float) + 1));
    const bool done = memory && backward(memory, memory + c.rows * widest);
    free(memory);
    return done;
  }

  // With room for two gradients of results.
  bool backward(float *one, float *other) const {
    const float *gradient = c.gradient;
    const auto room = [&] { return gradient == one ? other : one; };
    const int64_t first = this->first();
    for (int64_t i = c.count; i-- > first;) {
      const ChainLayer &layer = c.layers[i];
      if (layer.activation == SOFTMAX) {
        const Activated activated = {c.rows, layer.outputs, SOFTMAX, nullptr, layer.y, gradient, room()};
        if (!kernels.training.activate(&activated, true, parallel)) return false;
        gradient = activated.result;
      }
      const bool rectifies = layer.kind == NORMALIZATION && layer.activation == RELU; // does that itself
      const Activation activation =
          layer.activation == SOFTMAX || rectifies ? LINEAR : static_cast<Activation>(layer.activation);
      float *sums = layer.kind == PRODUCT ? layer.bias_gradient : nullptr;
      if (activation != LINEAR || sums) {
        const FinishGradient finish = {c.rows, layer.outputs, activation, layer.scale, gradient, layer.y, room(), sums};
        if (!kernels.training.finish_gradient(&finish, parallel)) return false;
        if (activation != LINEAR) gradient = finish.result;
      }
      float *target = i > first ? room() : c.x_gradient;
      if (!backward(i, gradient, target)) return false;
      gradient = target;
    }
    return true;
  }

  // The gradients of a layer without its activation; that of x is written if there is a target.
  bool backward(int64_t i, const float *gradient, float *target) const {
    const ChainLayer &layer = c.layers[i];
    if (layer.kind == DROPPING) return !target || drop(layer, gradient, target);
    if (layer.kind == NORMALIZATION) {
      const Normalization normalization = this->normalization(i);
      const NormalizationGradient back = {&normalization, gradient, target, layer.weight_gradient, layer.bias_gradient};
      return kernels.training.normalize(&normalization, &back, parallel);
    }
    const int64_t in = inputs(i), out = layer.outputs;
    const Matrix of_y = {const_cast<float *>(gradient), out, 1}, turned = {of_y.at, 1, out};
    const Matrix of_x = {const_cast<float *>(x(i)), in, 1}, weight = {const_cast<float *>(layer.weight), in, 1};
    if (layer.weight_gradient && !multiply(out, in, c.rows, turned, of_x, layer.weight_gradient)) return false;
    return !target || multiply(c.rows, in, out, of_y, weight, target);
  }
};

} // namespace

bool suits_chain(const Chain &chain, const KernelTable &kernels) { return ChainRun{chain, kernels, nullptr}.suits(); }

bool run_chain(const Chain &chain, const KernelTable &kernels, ParallelFor parallel) {
  return ChainRun{chain, kernels, parallel}.forward();
}

bool run_chain_gradient(const Chain &chain, const KernelTable &kernels, ParallelFor parallel) {
  return ChainRun{chain, kernels, parallel}.backward();
}
