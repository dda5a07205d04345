"""Dense products, activations, changes of shape, embeddings, and layers that do nothing in prediction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from bigdl.export.onnx.activations import activated
from bigdl.export.onnx.graph import Graph, Value
from bigdl.export.onnx.registry import CONVERTERS
from bigdl.graph import InputLayer, Layer, Shape
from bigdl.layers import (
    Activation,
    ActivityRegularization,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    Highway,
    Masking,
    MaxoutDense,
    Permute,
    RepeatVector,
    Reshape,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
    TimeDistributedDense,
)

Masks = Sequence[Value | None]


def output_shape(layer: Layer, inputs: Sequence[Value]) -> Shape:
    """Returns the shape of a layer's only output."""
    shapes = [value.shape for value in inputs]
    shape: Shape = layer.get_output_shape_for(shapes if len(shapes) > 1 else shapes[0])
    return shape


@CONVERTERS.of(
    InputLayer,
    ActivityRegularization,
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
def identity(graph: Graph, layer: Layer, inputs: Sequence[Value], masks: Masks) -> Value:
    """Adds nothing."""
    return inputs[0]


def affine(graph: Graph, x: Value, name: str, weight: Tensor, bias: Tensor | None) -> Value:
    """Multiplies the last axis by a matrix ``(out, in)``, and adds a bias if there is one.

    Args:
        graph: The graph.
        x: The tensor.
        name: What the names of the constants begin with.
        weight: The matrix.
        bias: The bias, or None.
    """
    source, shape = graph.ordered(x), (*x.shape[:-1], weight.shape[0])
    added = [] if bias is None else [graph.weight(f"{name}bias", bias)]
    if x.rank == 2:
        return Value.plain(graph.add("Gemm", source, graph.weight(f"{name}weight", weight), *added, transB=1), shape)
    y = graph.add("MatMul", source, graph.weight(f"{name}weight_t", weight.t()))
    return Value.plain(graph.add("Add", y, *added) if added else y, shape)


@CONVERTERS.of(Dense, TimeDistributedDense)
def dense(graph: Graph, layer: Dense, inputs: Sequence[Value], masks: Masks) -> Value:
    """A product over the last axis."""
    return activated(graph, layer.activation, affine(graph, inputs[0], "", layer.weight, layer.bias))


@CONVERTERS.of(Highway)
def highway(graph: Graph, layer: Highway, inputs: Sequence[Value], masks: Masks) -> Value:
    """``gate h + (1 - gate) x``."""
    x = inputs[0]
    h = activated(graph, layer.activation, affine(graph, x, "", layer.weight, layer.bias))
    carry = affine(graph, x, "carry_", layer.carry_weight, layer.carry_bias if layer.use_bias else None)
    gate = graph.add("Sigmoid", carry.name)
    through = graph.add("Mul", graph.add("Sub", graph.number(1.0), gate), graph.ordered(x))
    return h.named(graph.add("Add", graph.add("Mul", gate, h.name), through))


@CONVERTERS.of(MaxoutDense)
def maxout_dense(graph: Graph, layer: MaxoutDense, inputs: Sequence[Value], masks: Masks) -> Value:
    """All maps side by side, then the largest."""
    bias = None if layer.bias is None else layer.bias.flatten()
    maps = affine(graph, inputs[0], "", layer.weight.flatten(0, 1), bias)
    shape = (inputs[0].shape[0], layer.nb_feature, layer.output_dim)
    apart = graph.reshaped(maps.name, shape, [-1, layer.nb_feature, layer.output_dim])
    return Value.plain(graph.add("ReduceMax", apart.name, graph.whole(1), keepdims=0), (shape[0], shape[2]))


@CONVERTERS.of(Activation)
def activation(graph: Graph, layer: Activation, inputs: Sequence[Value], masks: Masks) -> Value:
    """The activation function."""
    return activated(graph, layer.activation, inputs[0])


@CONVERTERS.of(Flatten)
def flatten(graph: Graph, layer: Flatten, inputs: Sequence[Value], masks: Masks) -> Value:
    """All axes but the batch's in one."""
    return Value.plain(graph.add("Flatten", graph.ordered(inputs[0]), axis=1), output_shape(layer, inputs))


@CONVERTERS.of(Reshape)
def reshape(graph: Graph, layer: Reshape, inputs: Sequence[Value], masks: Masks) -> Value:
    """A change of shape; 0 stands for the batch."""
    return graph.reshaped(graph.ordered(inputs[0]), output_shape(layer, inputs), [0, *layer.target_shape])


@CONVERTERS.of(Permute)
def permute(graph: Graph, layer: Permute, inputs: Sequence[Value], masks: Masks) -> Value:
    """Another order of the axes of the tensor as it lies."""
    x, order = inputs[0], (0, *layer.dims)
    return Value(x.name, output_shape(layer, inputs), tuple(order.index(axis) for axis in x.axes))


@CONVERTERS.of(RepeatVector)
def repeat_vector(graph: Graph, layer: RepeatVector, inputs: Sequence[Value], masks: Masks) -> Value:
    """A new axis, along which the vector is repeated."""
    vector = graph.add("Unsqueeze", graph.ordered(inputs[0]), graph.whole(1))
    return Value.plain(graph.add("Expand", vector, graph.whole(1, layer.n, 1)), output_shape(layer, inputs))


@CONVERTERS.of(Embedding)
def embedding(graph: Graph, layer: Embedding, inputs: Sequence[Value], masks: Masks) -> Value:
    """Rows of a table; numbers that are no whole ones are cut."""
    x = graph.plain(inputs[0])
    numbers = x.name if x.dtype in ("int32", "int64") else graph.add("Cast", x.name, to=np.dtype("int64"))
    y = graph.add("Gather", graph.weight("weight", layer.weight), numbers, axis=0)
    return Value.plain(y, (*inputs[0].shape, layer.output_dim))


def is_unmasked(graph: Graph, layer: Masking, x: Value, keepdims: bool) -> str:
    """Tells where a step holds another value than the mask's."""
    value = graph.number(layer.mask_value)
    differs = graph.add("Cast", graph.add("Not", graph.add("Equal", graph.ordered(x), value)), to=np.dtype("int32"))
    axes = graph.whole(x.rank - 1)
    return str(graph.add("Cast", graph.add("ReduceMax", differs, axes, keepdims=int(keepdims)), to=np.dtype("bool")))


@CONVERTERS.of(Masking)
def masking(graph: Graph, layer: Masking, inputs: Sequence[Value], masks: Masks) -> Value:
    """Zeros in the place of masked steps."""
    x = graph.plain(inputs[0])
    kept = graph.add("Cast", is_unmasked(graph, layer, x, keepdims=True), to=graph.dtype)
    return x.named(graph.add("Mul", x.name, kept))
