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
      if (!suits(c.rows, out, in) || !suits(out, in, c.rows) || !suits(c.rows, in, out)) return false;
    }
    return true;
  }

  bool forward() const {
    for (int64_t i = 0; i < c.count; ++i)
      if (!multiply(i) || !finish(i)) return false;
    return true;
  }

  bool multiply(int64_t i) const {
    const ChainLayer &layer = c.layers[i];
    const int64_t in = inputs(i), out = layer.outputs;
    const Matrix left = {const_cast<float *>(x(i)), in, 1}, right = {const_cast<float *>(layer.weight), 1, in};
    return multiply(c.rows, out, in, left, right, layer.y);
  }

  bool multiply(int64_t rows, int64_t columns, int64_t depth, Matrix left, Matrix right, float *result) const {
    const MatrixProduct product = {rows, columns, depth, left, right, {result, columns, 1}};
    return kernels.matrices.multiply(&product, parallel);
  }

  bool finish(int64_t i) const {
    const ChainLayer &layer = c.layers[i];
    const bool relu = layer.activation == RELU, elsewhere = layer.activation != LINEAR && !relu;
    const Finish finish = {c.rows,      layer.outputs, layer.seed, relu,    layer.drops,
                           layer.limit, layer.scale,   layer.bias, layer.y, layer.y};
    const Activated activated = {c.rows, layer.outputs, layer.activation, layer.y, layer.y, nullptr, nullptr};
    if ((layer.bias || relu) && !kernels.training.finish(&finish, parallel)) return false;
    return !elsewhere || kernels.training.activate(&activated, false, parallel);
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
    float *memory = static_cast<float *>(malloc(2 * c.rows * widest * sizeof(float) + widest * sizeof(float)));
    const bool done = memory && backward(memory, memory + c.rows * widest, memory + 2 * c.rows * widest);
    free(memory);
    return done;
  }

  // With room for two gradients of results and the sums of one.
  bool backward(float *to, float *next, float *sums) const {
    const float *gradient = c.gradient;
    const auto written = [&] {
      float *now = to;
      gradient = now, to = next, next = now;
    };
    const int64_t first = this->first();
    for (int64_t i = c.count; i-- > first;) {
      const ChainLayer &layer = c.layers[i];
      const int64_t in = inputs(i), out = layer.outputs;
      const bool relu = layer.activation == RELU;
      if (!relu && layer.activation != LINEAR) {
        const Activated activated = {c.rows, out, layer.activation, nullptr, layer.y, gradient, to};
        if (!kernels.training.activate(&activated, true, parallel)) return false;
        written();
      }
      if (relu || layer.bias_gradient) {
        float *total = layer.bias_gradient ? layer.bias_gradient : sums;
        const FinishGradient finish = {c.rows, out, layer.scale, gradient, relu ? layer.y : nullptr, to, total};
        if (!kernels.training.finish_gradient(&finish, parallel)) return false;
        if (relu) written();
      }
      const Matrix of_y = {const_cast<float *>(gradient), out, 1}, turned = {of_y.at, 1, out};
      const Matrix of_x = {const_cast<float *>(x(i)), in, 1}, weight = {const_cast<float *>(layer.weight), in, 1};
      if (layer.weight_gradient && !multiply(out, in, c.rows, turned, of_x, layer.weight_gradient)) return false;
      float *target = i > first ? to : c.x_gradient;
      if (target && !multiply(c.rows, in, out, of_y, weight, target)) return false;
      written();
    }
    return true;
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
