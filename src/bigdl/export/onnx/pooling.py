"""Pooling, padding, cropping and upsampling over sequences, images and volumes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bigdl.export.onnx.convolution import channels_first, padding
from bigdl.export.onnx.core import Masks, output_shape
from bigdl.export.onnx.graph import Graph, Value
from bigdl.export.onnx.registry import CONVERTERS
from bigdl.export.refusals import refused
from bigdl.layers import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    Cropping1D,
    Cropping2D,
    Cropping3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
)
from bigdl.layers.global_pooling import GlobalAveragePooling
from bigdl.layers.pooling import MaxPooling


@CONVERTERS.of(MaxPooling1D, MaxPooling2D, MaxPooling3D, AveragePooling1D, AveragePooling2D, AveragePooling3D)
def pooling(graph: Graph, layer: Any, inputs: Sequence[Value], masks: Masks) -> Value:
    """The largest value of each window, or the mean over the cells inside the input.

    Restrictions:
        Windows shorter than their stride with `border_mode="same"` only over inputs of fixed size.
    """
    x, order = inputs[0], channels_first(layer)
    window, stride = layer.pool_size[: layer.rank], layer.strides[: layer.rank]
    pads = padding(layer, x.shape, window, stride, (1,) * layer.rank)
    if "auto_pad" in pads and any(size < step for size, step in zip(window, stride, strict=True)):
        why = "has border_mode='same' and a window shorter than its stride, for which ONNX's runtimes need a fixed size"
        raise refused(layer, f"{why}. Received: shape {x.shape}", "Give the model's first layer a full input_shape.")
    y = graph.add(
        "MaxPool" if isinstance(layer, MaxPooling) else "AveragePool",
        graph.ordered(x, order),
        kernel_shape=list(window),
        strides=list(stride),
        **pads,
    )
    return Value(y, output_shape(layer, inputs), order)


@CONVERTERS.of(GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D)
@CONVERTERS.of(GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D)
def global_pooling(graph: Graph, layer: Any, inputs: Sequence[Value], masks: Masks) -> Value:
    """The mean or the largest value of each channel."""
    x = inputs[0]
    axes = graph.whole(*sorted(x.place(axis) for axis in layer.spatial_axes))
    op = "ReduceMean" if isinstance(layer, GlobalAveragePooling) else "ReduceMax"
    return Value.plain(graph.add(op, x.name, axes, keepdims=0), output_shape(layer, inputs))


def _spatial(layer: Any, x: Value, by_axis: Sequence[Any], other: Any) -> list[Any]:
    """Spreads a setting of each spatial axis over the axes as they lie; the others get ``other``."""
    first = 1 if layer.channels_last else 2
    settings = {x.place(first + i): setting for i, setting in enumerate(by_axis[: layer.rank])}
    return [settings.get(place, other) for place in range(x.rank)]


@CONVERTERS.of(ZeroPadding1D, ZeroPadding2D, ZeroPadding3D)
def zero_padding(graph: Graph, layer: Any, inputs: Sequence[Value], masks: Masks) -> Value:
    """Zeros around."""
    x = inputs[0]
    pads = _spatial(layer, x, layer.pads, (0, 0))
    amounts = graph.whole(*(before for before, _ in pads), *(after for _, after in pads))
    return Value(graph.add("Pad", x.name, amounts), output_shape(layer, inputs), x.axes)


@CONVERTERS.of(Cropping1D, Cropping2D, Cropping3D)
def cropping(graph: Graph, layer: Any, inputs: Sequence[Value], masks: Masks) -> Value:
    """A part of the input."""
    x = inputs[0]
    cuts = [(place, cut) for place, cut in enumerate(_spatial(layer, x, layer.cuts, (0, 0))) if any(cut)]
    if not cuts:
        return x
    starts = graph.whole(*(before for _, (before, _) in cuts))
    ends = graph.whole(*(-after if after else 2**31 - 1 for _, (_, after) in cuts))
    y = graph.add("Slice", x.name, starts, ends, graph.whole(*(place for place, _ in cuts)))
    return Value(y, output_shape(layer, inputs), x.axes)


@CONVERTERS.of(UpSampling1D, UpSampling2D, UpSampling3D)
def upsampling(graph: Graph, layer: Any, inputs: Sequence[Value], masks: Masks) -> Value:
    """Each cell several times."""
    order = channels_first(layer)
    scales = graph.decimal(1, 1, *layer.size[: layer.rank])
    y = graph.add(
        "Resize",
        graph.ordered(inputs[0], order),
        "",
        scales,
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
    return Value(y, output_shape(layer, inputs), order)
