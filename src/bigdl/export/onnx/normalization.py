"""Batch normalization: where the features lie second a node, which runtimes put into the convolution before it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from bigdl.export.onnx.core import Masks
from bigdl.export.onnx.graph import Graph, Value
from bigdl.export.onnx.registry import CONVERTERS
from bigdl.layers import BatchNormalization
from bigdl.layers.normalization import FEATURE_WISE, SAMPLE_WISE


@CONVERTERS.of(BatchNormalization)
def batch_normalization(graph: Graph, layer: BatchNormalization, inputs: Sequence[Value], masks: Masks) -> Value:
    """By running values, by each sample's (mode 1) or by the batch's (mode 2)."""
    x = inputs[0]
    if layer.mode == SAMPLE_WISE:
        return _normalized(graph, layer, graph.plain(x), x.rank - 1, [x.rank - 1])
    place = x.place(layer.feature_axis)
    if layer.mode != FEATURE_WISE:
        return _normalized(graph, layer, x, place, [i for i in range(x.rank) if i != place])
    if place == 1 and x.axes[0] == 0:
        names = {"gamma": layer.gamma, "beta": layer.beta, "running_mean": layer.running_mean}
        constants = [graph.weight(name, array) for name, array in names.items()]
        constants.append(graph.weight("running_variance", layer.running_variance))
        return x.named(graph.add("BatchNormalization", x.name, *constants, epsilon=layer.epsilon))
    scale = layer.gamma / torch.sqrt(layer.running_variance + layer.epsilon)
    scaled = graph.add("Mul", x.name, _by_feature(graph, "scale", scale, x.rank - place))
    return x.named(
        graph.add("Add", scaled, _by_feature(graph, "shift", layer.beta - layer.running_mean * scale, x.rank - place))
    )


def _by_feature(graph: Graph, name: str, values: Tensor, rank: int) -> str:
    """Adds a constant with a number for each feature, which has ``rank - 1`` axes behind it."""
    shaped = values.reshape(-1, *(1,) * (rank - 1))
    return graph.weight(name if rank == 1 else f"{name}_{rank}", shaped)


def _normalized(graph: Graph, layer: BatchNormalization, x: Value, place: int, axes: Sequence[int]) -> Value:
    """Normalizes by the mean and variance over axes; each sample's by Keras's formula with two epsilons."""
    over = graph.whole(*axes)
    apart = graph.add("Sub", x.name, graph.add("ReduceMean", x.name, over, keepdims=1))
    variance = graph.add("ReduceMean", graph.add("Mul", apart, apart), over, keepdims=1)
    epsilon = graph.number(layer.epsilon)
    divisor = graph.add("Sqrt", graph.add("Add", variance, epsilon))
    if layer.mode == SAMPLE_WISE:
        divisor = graph.add("Add", divisor, epsilon)
    normal = graph.add("Div", apart, divisor)
    scaled = graph.add("Mul", normal, _by_feature(graph, "gamma", layer.gamma, x.rank - place))
    return x.named(graph.add("Add", scaled, _by_feature(graph, "beta", layer.beta, x.rank - place)))
