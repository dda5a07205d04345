"""Several tensors into one."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from bigdl.export.onnx.core import Masks, output_shape
from bigdl.export.onnx.graph import Graph, Value
from bigdl.export.onnx.registry import CONVERTERS
from bigdl.export.onnx.traced import traced_layer
from bigdl.layers import Merge
from bigdl.settings import epsilon

_ANY_NUMBER = {"sum": "Sum", "ave": "Mean", "max": "Max"}


@CONVERTERS.of(Merge)
def merge(graph: Graph, layer: Merge, inputs: Sequence[Value], masks: Masks) -> Value | list[Value]:
    """The modes with names; a function is followed by torch."""
    first = inputs[0]
    if layer.mode == "concat":
        names = [graph.ordered(x, first.axes) for x in inputs]
        place = first.place(layer.concat_axis)
        return Value(graph.add("Concat", *names, axis=place), output_shape(layer, inputs), first.axes, first.dtype)
    if layer.mode in ("dot", "cos"):
        axes = layer.summed_axes(first.rank)
        if first.rank > 2 or axes[0] == axes[1]:
            return (_dot if layer.mode == "dot" else _cosine)(graph, layer, inputs, axes)
    if layer.mode == "mul":
        return first.named(functools.reduce(functools.partial(graph.add, "Mul"), _alike(graph, inputs)))
    if layer.mode in _ANY_NUMBER:
        return first.named(graph.add(_ANY_NUMBER[layer.mode], *_alike(graph, inputs)))
    return traced_layer(graph, layer, inputs, masks)[0]


def _alike(graph: Graph, inputs: Sequence[Value]) -> list[str]:
    return [graph.ordered(x, inputs[0].axes) for x in inputs]


def _product(graph: Graph, x: Value, y: Value, axes: Sequence[int]) -> str:
    """Keras's ``batch_dot``: stacks of matrices, or one number for each pair of vectors."""
    if x.rank == 2:
        return str(
            graph.add("ReduceSum", graph.add("Mul", graph.ordered(x), graph.ordered(y)), graph.whole(1), keepdims=1)
        )
    straight = tuple(range(x.rank))
    turned = (*straight[:-2], x.rank - 1, x.rank - 2)
    first = graph.ordered(x, straight if axes[0] == x.rank - 1 else turned)
    return str(graph.add("MatMul", first, graph.ordered(y, turned if axes[1] == y.rank - 1 else straight)))


def _dot(graph: Graph, layer: Merge, inputs: Sequence[Value], axes: Sequence[int]) -> Value:
    x, y = inputs
    return Value.plain(_product(graph, x, y, axes), output_shape(layer, inputs))


def _cosine(graph: Graph, layer: Merge, inputs: Sequence[Value], axes: Sequence[int]) -> Value:
    """The product by the norms, elementwise, with an axis of 1 that Keras's shape does not tell of."""
    x, y = inputs
    squares = graph.add("Mul", _product(graph, x, x, axes), _product(graph, y, y, axes))
    positive = graph.add("Max", squares, graph.number(0.0))  # as Keras's sqrt takes it
    norms = graph.add("Max", graph.add("Sqrt", positive), graph.number(epsilon()))
    quotient = graph.add("Div", _product(graph, x, y, axes), norms)
    shape = output_shape(layer, inputs)
    return Value.plain(graph.add("Unsqueeze", quotient, graph.whole(1)), (shape[0], 1, *shape[1:]))
