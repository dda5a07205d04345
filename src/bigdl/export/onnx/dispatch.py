"""From a layer or a model inside a model to its nodes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bigdl.export.onnx.graph import Graph, Value
from bigdl.export.onnx.masks import output_masks
from bigdl.export.onnx.registry import CONVERTERS
from bigdl.export.onnx.traced import traced_layer
from bigdl.export.walk import walk
from bigdl.graph import Container, Layer

Results = tuple[list[Value], list[Value | None]]


def converted(graph: Graph, layer: Layer, inputs: Sequence[Value], masks: Sequence[Value | None]) -> Results:
    """Adds a layer's nodes; those of a model inside are those of its layers.

    Args:
        graph: The graph; names go below its scope.
        layer: The layer.
        inputs: The tensors that it is applied to.
        masks: The mask of each, or None.

    Returns:
        Its outputs and their masks.

    Raises:
        BigDLError: See ``write_onnx``.
    """
    if isinstance(layer, Container):
        return converted_model(graph, layer, inputs, masks, inside=len(inputs) > 1 or masks[0] is not None)
    convert = CONVERTERS.find(type(layer))
    if convert is None:
        return traced_layer(graph, layer, inputs, masks)
    made: Any = convert(graph, layer, inputs, masks)
    outputs = made if isinstance(made, list) else [made]
    return outputs, output_masks(graph, layer, inputs, masks, len(outputs))


def converted_model(
    graph: Graph, model: Container, inputs: Sequence[Value], masks: Sequence[Value | None], inside: bool
) -> Results:
    """Adds the nodes of a model's layers; see ``converted``.

    Args:
        graph: The graph.
        model: The model.
        inputs: The tensors that it is applied to.
        masks: The mask of each, or None.
        inside: Whether it is a layer of another model that hands masks on; see ``walk``.
    """

    def call(layer: Layer, inputs: list[Value], masks: list[Value | None]) -> Results:
        with graph.scope(layer.name):
            return converted(graph, layer, inputs, masks)

    return walk(model, inputs, masks, call, inside)
