"""Convolutions of all kinds. ONNX's take channels first; what they make stays so until a layer needs Keras's order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from bigdl.export.onnx.activations import activated
from bigdl.export.onnx.core import Masks, output_shape
from bigdl.export.onnx.graph import Graph, Value
from bigdl.export.onnx.registry import CONVERTERS
from bigdl.graph import Shape
from bigdl.layers import (
    AtrousConvolution1D,
    AtrousConvolution2D,
    Convolution1D,
    Convolution2D,
    Convolution3D,
    Deconvolution2D,
    SeparableConvolution2D,
)
from bigdl.layers.spatial import SpatialLayer, same_padding


def channels_first(layer: SpatialLayer) -> tuple[int, ...]:
    """Returns the order of the axes in which ONNX takes a layer's input."""
    last = layer.rank + 1
    return (0, last, *range(1, last)) if layer.channels_last else tuple(range(last + 1))


def padding(
    layer: Any, shape: Shape, window: Sequence[int], stride: Sequence[int], gap: Sequence[int]
) -> dict[str, Any]:
    """Returns the attributes that say how a window is padded: in numbers unless they depend on an open length.

    Args:
        layer: The layer.
        shape: The shape of its input.
        window: The window's lengths.
        stride: Its steps.
        gap: The distance of its cells.
    """
    if layer.border_mode == "valid":
        return {}
    lengths = layer.split_shape(shape)[1][: layer.rank]
    if any(length is None and step > 1 for length, step in zip(lengths, stride, strict=True)):
        return {"auto_pad": "SAME_UPPER"}
    pads = same_padding([length or 1 for length in lengths], window, stride, gap)
    return {"pads": [*(before for before, _ in pads), *(after for _, after in pads)]} if any(map(any, pads)) else {}


def kernel(layer: Any, weight: Tensor) -> Tensor:
    """Returns a kernel in as many axes as the layer has; here sequences are images of one column."""
    return weight.squeeze(-1) if layer.rank == 1 else weight


def _convolved(
    graph: Graph, layer: Any, x: Value, name: str, weight: Tensor, bias: Tensor | None, **attributes: Any
) -> str:
    constants = [graph.weight(name, kernel(layer, weight))]
    if bias is not None:
        constants.append(graph.weight("bias", bias))
    order = channels_first(layer)
    return str(graph.add("Conv", graph.ordered(x, order), *constants, **attributes))


@CONVERTERS.of(Convolution1D, Convolution2D, Convolution3D, AtrousConvolution1D, AtrousConvolution2D)
def convolution(graph: Graph, layer: Any, inputs: Sequence[Value], masks: Masks) -> Value:
    """A convolution."""
    rank = layer.rank
    windows = [sizes[:rank] for sizes in (layer.kernel_size, layer.subsample, layer.dilation)]
    y = _convolved(
        graph,
        layer,
        inputs[0],
        "weight",
        layer.weight,
        layer.bias,
        strides=list(windows[1]),
        dilations=list(windows[2]) if max(windows[2]) > 1 else None,
        **padding(layer, inputs[0].shape, *windows),
    )
    return activated(graph, layer.activation, Value(y, output_shape(layer, inputs), channels_first(layer)))


@CONVERTERS.of(SeparableConvolution2D)
def separable_convolution(graph: Graph, layer: SeparableConvolution2D, inputs: Sequence[Value], masks: Masks) -> Value:
    """A convolution of each channel, then one over the channels."""
    shape, order = output_shape(layer, inputs), channels_first(layer)
    pads = padding(layer, inputs[0].shape, layer.kernel_size, layer.subsample, layer.dilation)
    channels = layer.known_channels(inputs[0].shape)
    deep = _convolved(
        graph,
        layer,
        inputs[0],
        "depthwise",
        layer.depthwise,
        None,
        strides=list(layer.subsample),
        group=channels,
        **pads,
    )
    y = _convolved(graph, layer, Value(deep, shape, order), "pointwise", layer.pointwise, layer.bias)
    return activated(graph, layer.activation, Value(y, shape, order))


@CONVERTERS.of(Deconvolution2D)
def deconvolution(graph: Graph, layer: Deconvolution2D, inputs: Sequence[Value], masks: Masks) -> Value:
    """A transposed convolution whose padding is what its output's size leaves."""
    before = [0, 0]
    if layer.border_mode == "same":
        before = [pad[0] for pad in same_padding(layer.output_lengths, layer.kernel_size, layer.subsample)]
    # Cells of the whole product beyond the output's end, less than none where the output reaches beyond.
    beyond = [
        (n - 1) * step + size - length - cut
        for n, step, size, length, cut in zip(
            layer.input_lengths, layer.subsample, layer.kernel_size, layer.output_lengths, before, strict=True
        )
    ]
    y = graph.add(
        "ConvTranspose",
        graph.ordered(inputs[0], channels_first(layer)),
        graph.weight("weight", layer.weight),
        *([] if layer.bias is None else [graph.weight("bias", layer.bias)]),
        strides=list(layer.subsample),
        pads=[*before, *(max(cells, 0) for cells in beyond)],
        output_padding=[max(-cells, 0) for cells in beyond],
    )
    return activated(graph, layer.activation, Value(y, output_shape(layer, inputs), channels_first(layer)))
