"""Recurrent layers in both directions: one node of ONNX where that does, else two."""

from __future__ import annotations

from collections.abc import Sequence

from bigdl.export.onnx.core import Masks, output_shape
from bigdl.export.onnx.dispatch import converted
from bigdl.export.onnx.graph import Graph, Value
from bigdl.export.onnx.recurrent import TIME_FIRST, is_node, node, reversed_in_time
from bigdl.export.onnx.registry import CONVERTERS
from bigdl.graph import Shape
from bigdl.layers import Bidirectional
from bigdl.layers.recurrent import Recurrent

_MERGES = {"sum": "Sum", "mul": "Mul", "ave": "Mean"}
_REDUCTIONS = {"sum": "ReduceSum", "mul": "ReduceProd", "ave": "ReduceMean"}


@CONVERTERS.of(Bidirectional)
def bidirectional(graph: Graph, layer: Bidirectional, inputs: Sequence[Value], masks: Masks) -> Value | list[Value]:
    """The layers inside, and a merge.

    Restrictions:
        See the layer inside.
    """
    ahead, back = layer.forward_layer, layer.backward_layer
    if isinstance(ahead, Recurrent) and isinstance(back, Recurrent) and _is_one_node(ahead, masks):
        return _one_node(graph, layer, [ahead, back], inputs[0])
    return _two_layers(graph, layer, inputs, masks)


def _is_one_node(ahead: Recurrent, masks: Masks) -> bool:
    return is_node(ahead) and masks[0] is None and not (ahead.stateful or ahead.go_backwards)


def _two_layers(graph: Graph, layer: Bidirectional, inputs: Sequence[Value], masks: Masks) -> Value | list[Value]:
    parts = []
    for inner in layer.inner_layers:
        with graph.scope(inner.name):
            parts.append(converted(graph, inner, inputs, masks)[0][0])
    if layer.return_sequences:
        parts[1] = reversed_in_time(graph, parts[1])
    if layer.merge_mode is None:
        return parts
    first = parts[0]
    names = [graph.ordered(part, first.axes) for part in parts]
    if layer.merge_mode == "concat":
        return Value(graph.add("Concat", *names, axis=first.place(-1)), output_shape(layer, inputs), first.axes)
    return first.named(graph.add(_MERGES[layer.merge_mode], *names))


def _one_node(graph: Graph, layer: Bidirectional, directions: Sequence[Recurrent], x: Value) -> Value | list[Value]:
    y, last, *_ = node(graph, directions, graph.turned(x, TIME_FIRST), [], None, "bidirectional")
    units = directions[0].output_dim
    if layer.return_sequences:  # y is (time, 2, batch, units)
        return _merged(graph, layer.merge_mode, y, 1, x.shape[:2], units, TIME_FIRST)
    return _merged(graph, layer.merge_mode, last, 0, x.shape[:1], units, (0, 1))  # (2, batch, units)


def _merged(
    graph: Graph, mode: str | None, name: str, place: int, lengths: Shape, units: int, axes: tuple[int, ...]
) -> Value | list[Value]:
    """Merges the two directions, which lie along one axis of a tensor.

    Args:
        graph: The graph.
        mode: How.
        name: The tensor; its last axis is that of the units.
        place: The axis of the directions.
        lengths: The lengths of Keras's other axes.
        units: The number of units.
        axes: The order of the axes of the output.
    """
    shape = (*lengths, units)
    if mode is None:
        return [Value(graph.add("Gather", name, graph.index(i), axis=place), shape, axes) for i in (0, 1)]
    if mode != "concat":
        reduced = graph.add(_REDUCTIONS[mode], name, graph.whole(place), keepdims=0)
        return Value(reduced, shape, axes)
    others = [i for i in range(len(shape)) if i != place]
    side_by_side = graph.add("Transpose", name, perm=[*others, place, len(shape)])
    joined = graph.add("Reshape", side_by_side, graph.whole(*(0 for _ in others), 2 * units))
    return Value(joined, (*lengths, 2 * units), axes)
