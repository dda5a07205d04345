"""The same layer at every step."""

from __future__ import annotations

from collections.abc import Sequence

from bigdl.export.onnx.core import Masks, output_shape
from bigdl.export.onnx.dispatch import converted
from bigdl.export.onnx.graph import Graph, Value
from bigdl.export.onnx.registry import CONVERTERS
from bigdl.export.refusals import refused
from bigdl.layers import Activation, Dense, Dropout, TimeDistributed, activations

# Layers that do the same whatever the number of axes before the last.
_LAST_AXIS = (Dense, Dropout)


@CONVERTERS.of(TimeDistributed)
def time_distributed(graph: Graph, layer: TimeDistributed, inputs: Sequence[Value], masks: Masks) -> Value:
    """All steps as one large batch; one after the other where the layer inside depends on the batch.

    Restrictions:
        An open number of steps together with a fixed batch size only around layers that treat each sample by itself.
    """
    x, inner = inputs[0], layer.layer
    shape = output_shape(layer, inputs)
    if type(inner) in _LAST_AXIS or (type(inner) is Activation and inner.activation is not activations.softmax):
        with graph.scope(inner.name):
            return converted(graph, inner, [x], [None])[0][0]
    if layer.by_step:
        return _step_by_step(graph, layer, graph.plain(x))
    joined = graph.reshaped(graph.ordered(x), (None, *x.shape[2:]), [-1, *graph.lengths(x)[2:]])
    with graph.scope(inner.name):
        y = converted(graph, inner, [joined], [None])[0][0]
    return graph.reshaped(graph.ordered(y), shape, [*graph.lengths(x)[:2], *graph.lengths(y)[1:]])


def _step_by_step(graph: Graph, layer: TimeDistributed, x: Value) -> Value:
    steps = x.shape[1]
    if steps is None:
        raise refused(
            layer,
            f"computes step by step, as its batch size is fixed and the layer inside, {layer.layer.name!r} "
            f"({type(layer.layer).__name__}), may depend on the whole batch; that needs a fixed number of steps. "
            f"Received: shape {x.shape}",
            "Give the model's first layer a full batch_input_shape.",
        )
    made = []
    for step in range(steps):
        part = Value.plain(graph.add("Gather", x.name, graph.index(step), axis=1), (x.shape[0], *x.shape[2:]))
        with graph.scope(layer.layer.name):
            made.append(converted(graph, layer.layer, [part], [None])[0][0])
    wide = [graph.add("Unsqueeze", graph.ordered(y), graph.whole(1)) for y in made]
    return Value.plain(graph.add("Concat", *wide, axis=1), (x.shape[0], steps, *made[0].shape[1:]))
