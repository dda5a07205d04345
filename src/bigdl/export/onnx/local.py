"""Locally connected layers: the patches of all positions, each multiplied by the position's own matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from bigdl.export.onnx.activations import activated
from bigdl.export.onnx.convolution import channels_first
from bigdl.export.onnx.core import Masks, output_shape
from bigdl.export.onnx.graph import Array, Graph, Value
from bigdl.export.onnx.registry import CONVERTERS
from bigdl.layers import LocallyConnected1D, LocallyConnected2D


def patch_indices(layer: Any, shape: Sequence[int]) -> Array:
    """Returns where the values of each position's patch lie in a sample in Keras's order, ``(positions, patch)``.

    Args:
        layer: The layer.
        shape: The shape of a sample as the layer computes on it: ``(channels, rows, columns)``.
    """
    channels, rows, columns = shape
    cells = np.arange(math.prod(shape))
    images = cells.reshape(rows, columns, channels).transpose(2, 0, 1) if layer.channels_last else cells.reshape(shape)
    windows = np.lib.stride_tricks.sliding_window_view(images, layer.kernel_size, (1, 2))
    taken = windows[:, :: layer.subsample[0], :: layer.subsample[1]]  # (channels, rows, columns, *kernel)
    order = (1, 2, 3, 4, 0) if layer.channels_last else (1, 2, 0, 3, 4)
    return taken.transpose(order).reshape(math.prod(layer.positions), -1)


@CONVERTERS.of(LocallyConnected1D, LocallyConnected2D)
def locally_connected(graph: Graph, layer: Any, inputs: Sequence[Value], masks: Masks) -> Value:
    """Gathers the patches, positions first, and multiplies them by the matrices of the positions."""
    channels, lengths = layer.split_shape(inputs[0].shape)
    flat = graph.add("Flatten", graph.ordered(inputs[0]), axis=1)
    patches = graph.add("Gather", flat, graph.weight("patches", patch_indices(layer, (channels, *lengths))), axis=1)
    y = graph.add("MatMul", graph.add("Transpose", patches, perm=[1, 0, 2]), graph.weight("weight", layer.weight))
    bias = layer.position_bias()
    if bias is not None:
        y = graph.add("Add", y, graph.weight("bias", bias))
    positions = layer.positions[: layer.rank]
    apart = graph.add("Reshape", y, graph.whole(*positions, -1, layer.nb_filter))
    # It lies as (*positions, batch, filters).
    spatial = channels_first(layer)[2:]
    value = Value(apart, output_shape(layer, inputs), (*spatial, 0, channels_first(layer)[1]))
    return activated(graph, layer.activation, value)
