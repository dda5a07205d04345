"""Activations with an argument or with weights of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bigdl.export.onnx.core import Masks
from bigdl.export.onnx.graph import Graph, Value
from bigdl.export.onnx.registry import CONVERTERS
from bigdl.layers import ELU, LeakyReLU, ParametricSoftplus, PReLU, SReLU, ThresholdedReLU


@CONVERTERS.of(LeakyReLU)
def leaky_relu(graph: Graph, layer: LeakyReLU, inputs: Sequence[Value], masks: Masks) -> Value:
    """A slope below zero."""
    return inputs[0].named(graph.add("LeakyRelu", inputs[0].name, alpha=layer.alpha))


@CONVERTERS.of(ELU)
def elu(graph: Graph, layer: ELU, inputs: Sequence[Value], masks: Masks) -> Value:
    """An exponential below zero."""
    return inputs[0].named(graph.add("Elu", inputs[0].name, alpha=layer.alpha))


@CONVERTERS.of(ThresholdedReLU)
def thresholded_relu(graph: Graph, layer: ThresholdedReLU, inputs: Sequence[Value], masks: Masks) -> Value:
    """Zero up to a threshold."""
    return inputs[0].named(graph.add("ThresholdedRelu", inputs[0].name, alpha=layer.theta))


def _weights(graph: Graph, layer: Any, x: Value) -> list[str]:
    """Returns the layer's weights as the axes of its input lie, of which the batch's is the first."""
    order = [axis - 1 for axis in x.axes[1:]]
    suffix = "" if order == sorted(order) else "_" + "".join(map(str, order))
    return [graph.weight(name + suffix, getattr(layer, name).permute(order)) for name in layer.weight_names]


def _with_batch_first(graph: Graph, x: Value) -> Value:
    return x if x.axes[0] == 0 else graph.plain(x)


@CONVERTERS.of(PReLU)
def prelu(graph: Graph, layer: PReLU, inputs: Sequence[Value], masks: Masks) -> Value:
    """Learned slopes below zero."""
    x = _with_batch_first(graph, inputs[0])
    return x.named(graph.add("PRelu", x.name, *_weights(graph, layer, x)))


@CONVERTERS.of(ParametricSoftplus)
def parametric_softplus(graph: Graph, layer: ParametricSoftplus, inputs: Sequence[Value], masks: Masks) -> Value:
    """``alphas log(1 + e^(betas x))``."""
    x = _with_batch_first(graph, inputs[0])
    alphas, betas = _weights(graph, layer, x)
    return x.named(graph.add("Mul", graph.add("Softplus", graph.add("Mul", betas, x.name)), alphas))


@CONVERTERS.of(SReLU)
def srelu(graph: Graph, layer: SReLU, inputs: Sequence[Value], masks: Masks) -> Value:
    """``x`` between two thresholds, lines beyond them."""
    x = _with_batch_first(graph, inputs[0])
    left, left_slope, distance, right_slope = _weights(graph, layer, x)
    right = graph.add("Add", left, graph.add("Abs", distance))
    above_left = graph.add("Relu", graph.add("Sub", x.name, left))
    between = graph.add("Min", above_left, graph.add("Sub", right, left))
    below = graph.add("Mul", left_slope, graph.add("Relu", graph.add("Sub", left, x.name)))
    above = graph.add("Mul", right_slope, graph.add("Relu", graph.add("Sub", x.name, right)))
    middle = graph.add("Sub", graph.add("Add", left, between), below)
    return x.named(graph.add("Add", middle, above))
