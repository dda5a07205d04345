"""Masks as tensors of truth values ``(batch, time)``, made where a layer asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bigdl.export.converters import Converters
from bigdl.export.onnx.core import Masks, is_unmasked
from bigdl.export.onnx.graph import Graph, Value
from bigdl.export.onnx.registry import MaskConvert
from bigdl.graph import Layer
from bigdl.layers import GRU, LSTM, Bidirectional, Embedding, Masking, Merge, SimpleRNN

MASKS: Converters[MaskConvert] = Converters()
"""For layers whose output's mask is not simply the input's."""


def output_masks(graph: Graph, layer: Layer, inputs: Sequence[Value], masks: Masks, outputs: int) -> list[Value | None]:
    """Returns the mask of each output of a layer, None without one.

    Args:
        graph: The graph.
        layer: The layer.
        inputs: Its inputs.
        masks: Their masks.
        outputs: The number of its outputs.
    """
    masked = any(mask is not None for mask in masks)
    if not (masked or layer.creates_mask):
        return [None] * outputs
    convert = MASKS.find(type(layer))
    if convert is None:
        return [masks[0] if layer.supports_masking else None] * outputs
    mask = convert(graph, layer, inputs, masks)
    return [mask] * outputs


@MASKS.of(Embedding)
def embedding(graph: Graph, layer: Embedding, inputs: Sequence[Value], masks: Masks) -> Value | None:
    """True where the number is not 0."""
    if not layer.mask_zero:
        return None
    x = graph.plain(inputs[0])
    return Value.plain(graph.add("Cast", x.name, to=np.dtype("bool")), x.shape, "bool")


@MASKS.of(Masking)
def masking(graph: Graph, layer: Masking, inputs: Sequence[Value], masks: Masks) -> Value:
    """True where a step holds another value than the mask's."""
    return Value.plain(is_unmasked(graph, layer, inputs[0], keepdims=False), inputs[0].shape[:-1], "bool")


@MASKS.of(SimpleRNN, GRU, LSTM, Bidirectional)
def recurrent(graph: Graph, layer: Any, inputs: Sequence[Value], masks: Masks) -> Value | None:
    """The input's, if all steps are returned."""
    return masks[0] if layer.return_sequences else None


@MASKS.of(Merge)
def merge(graph: Graph, layer: Merge, inputs: Sequence[Value], masks: Masks) -> Value | None:
    """True where all masks are; see ``bigdl.layers.merge_masks``."""
    given = [mask for mask in masks if mask is not None]
    if layer.mode in ("dot", "cos") or not given:
        return None
    if layer.mode != "concat":
        name = given[0].name
        for mask in given[1:]:
            name = graph.add("And", name, mask.name)
        return given[0].named(name)
    parts = [_full_rank(graph, x, mask) for x, mask in zip(inputs, masks, strict=True)]
    rank = len(inputs[0].shape)
    joined = graph.add("Concat", *parts, axis=layer.concat_axis % rank)
    least = graph.add("ReduceMin", joined, graph.whole(rank - 1), keepdims=0)
    return Value.plain(graph.add("Cast", least, to=np.dtype("bool")), given[0].shape, "bool")


def _full_rank(graph: Graph, x: Value, mask: Value | None) -> str:
    """Returns a mask in the rank of its tensor, in whole numbers; ones where there is none."""
    if mask is None:
        return str(graph.add("Expand", graph.number(1, "int32"), graph.add("Shape", graph.ordered(x))))
    name = graph.add("Cast", mask.name, to=np.dtype("int32"))
    return str(graph.add("Unsqueeze", name, graph.whole(mask.rank)) if mask.rank < x.rank else name)
