"""What layers over sequences, images and volumes compute, written down as operations of a program."""

from __future__ import annotations

from bigdl.layers.atrous import AtrousConvolution1D, AtrousConvolution2D
from bigdl.layers.convolution import Convolution, Convolution1D, Convolution2D, Convolution3D
from bigdl.layers.cropping import Cropping, Cropping1D, Cropping2D, Cropping3D
from bigdl.layers.global_pooling import (
    GlobalAveragePooling,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from bigdl.layers.lowering import activated
from bigdl.layers.padding import ZeroPadding, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D
from bigdl.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
    Pooling,
)
from bigdl.layers.separable import SeparableConvolution2D
from bigdl.layers.spatial import SpatialLayer
from bigdl.layers.upsampling import UpSampling, UpSampling1D, UpSampling2D, UpSampling3D
from bigdl.programs import Lowering, Source, View, lowers
from bigdl.programs.averages import means
from bigdl.programs.images import (
    AveragePool,
    DepthwiseConvolve,
    LargestOfAll,
    MaxPool,
    MeanOfAll,
    Pad,
    Pool,
    Repeat,
)
from bigdl.programs.largest import largest_values
from bigdl.programs.operations import Convolve, Ref
from bigdl.programs.views import IMAGE_AS_SEQUENCE, SEQUENCE_AS_IMAGE


def _channels_first(layer: SpatialLayer, lowering: Lowering, x: Ref) -> Ref:
    if layer.rank == 1:
        return lowering.view(x, SEQUENCE_AS_IMAGE)
    return lowering.view(x, View.moving(layer.rank + 2, -1, 1)) if layer.channels_last else x


def _restored(layer: SpatialLayer, lowering: Lowering, x: Ref) -> Ref:
    if layer.rank == 1:
        return lowering.view(x, IMAGE_AS_SEQUENCE)
    return lowering.view(x, View.moving(layer.rank + 2, 1, -1)) if layer.channels_last else x


@lowers(
    *(Convolution1D, Convolution2D, Convolution3D, AtrousConvolution1D, AtrousConvolution2D),
    uses=("activation", "kernel_size", "subsample", "dilation", "border_mode", "use_bias"),
)
def _convolution(layer: Convolution, lowering: Lowering, x: Ref) -> Ref:
    y = lowering.write(
        Convolve,
        _channels_first(layer, lowering, x),
        weight=Source.of(layer, "weight"),
        bias=Source.of(layer, "bias") if layer.use_bias else None,
        size=layer.kernel_size,
        stride=layer.subsample,
        dilation=layer.dilation,
        pads=layer.pads,
        padded=layer.border_mode != "valid" and max(layer.kernel_size) > 1,
    )
    return activated(layer.activation, lowering, _restored(layer, lowering, y))


@lowers(
    SeparableConvolution2D,
    uses=("activation", "kernel_size", "subsample", "border_mode", "use_bias", "depth_multiplier"),
)
def _separable(layer: SeparableConvolution2D, lowering: Lowering, x: Ref) -> Ref:
    one = (1, 1)
    y = lowering.write(
        DepthwiseConvolve,
        _channels_first(layer, lowering, x),
        weight=Source.of(layer, "depthwise"),
        bias=None,
        size=layer.kernel_size,
        stride=layer.subsample,
        pads=layer.pads,
        multiplier=layer.depth_multiplier,
    )
    y = lowering.write(
        Convolve,
        y,
        weight=Source.of(layer, "pointwise"),
        bias=Source.of(layer, "bias") if layer.use_bias else None,
        size=one,
        stride=one,
        dilation=one,
        pads=lambda lengths: [(0, 0)] * len(lengths),
        padded=False,
    )
    return activated(layer.activation, lowering, _restored(layer, lowering, y))


def _pooling(layer: Pooling, lowering: Lowering, x: Ref, kind: type[Pool]) -> Ref:
    y = lowering.write(
        kind,
        _channels_first(layer, lowering, x),
        function=layer.pool_images,
        size=layer.pool_size,
        stride=layer.strides,
        pads=layer.pads,
        padded=layer.border_mode != "valid",
    )
    return _restored(layer, lowering, y)


@lowers(MaxPooling1D, MaxPooling2D, MaxPooling3D, uses=("pool_size", "strides", "border_mode"))
def _max_pooling(layer: Pooling, lowering: Lowering, x: Ref) -> Ref:
    return _pooling(layer, lowering, x, MaxPool)


@lowers(AveragePooling1D, AveragePooling2D, AveragePooling3D, uses=("pool_size", "strides", "border_mode"))
def _average_pooling(layer: Pooling, lowering: Lowering, x: Ref) -> Ref:
    return _pooling(layer, lowering, x, AveragePool)


@lowers(GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D)
def _global_max_pooling(layer: GlobalMaxPooling, lowering: Lowering, x: Ref) -> Ref:
    given, rank = _channels_first(layer, lowering, x), max(layer.rank, 2) + 2
    return lowering.write(LargestOfAll, given, function=largest_values, rank=rank)


@lowers(GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D)
def _global_average_pooling(layer: GlobalAveragePooling, lowering: Lowering, x: Ref) -> Ref:
    given, rank = _channels_first(layer, lowering, x), max(layer.rank, 2) + 2
    return lowering.write(MeanOfAll, given, function=means, rank=rank)


@lowers(ZeroPadding1D, ZeroPadding2D, ZeroPadding3D)
def _zero_padding(layer: ZeroPadding, lowering: Lowering, x: Ref) -> Ref:
    y = lowering.write(Pad, _channels_first(layer, lowering, x), pads=tuple(layer.pads))
    return _restored(layer, lowering, y)


@lowers(Cropping1D, Cropping2D, Cropping3D)
def _cropping(layer: Cropping, lowering: Lowering, x: Ref) -> Ref:
    cuts = tuple((-before, -after) for before, after in [*layer.cuts, *[(0, 0)] * (layer.rank == 1)])
    return _restored(layer, lowering, lowering.write(Pad, _channels_first(layer, lowering, x), pads=cuts))


@lowers(UpSampling1D, UpSampling2D, UpSampling3D, uses=("size",))
def _upsampling(layer: UpSampling, lowering: Lowering, x: Ref) -> Ref:
    y = lowering.write(Repeat, _channels_first(layer, lowering, x), times=layer.size)
    return _restored(layer, lowering, y)
