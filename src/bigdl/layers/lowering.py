"""What the layers compute, written down as operations of a program."""

from __future__ import annotations

from typing import Any

from bigdl.graph import InputLayer
from bigdl.layers import activations
from bigdl.layers.activations import Activation as Function
from bigdl.layers.atrous import AtrousConvolution1D, AtrousConvolution2D
from bigdl.layers.convolution import Convolution, Convolution1D, Convolution2D, Convolution3D
from bigdl.layers.core import Activation, Dense, Flatten, Permute, Reshape
from bigdl.layers.global_pooling import (
    GlobalMaxPooling,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
)
from bigdl.layers.merge import Merge
from bigdl.layers.noise import (
    Dropout,
    GaussianDropout,
    GaussianNoise,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from bigdl.layers.normalization import FEATURE_WISE, BatchNormalization
from bigdl.layers.padding import ZeroPadding, ZeroPadding1D, ZeroPadding2D, ZeroPadding3D
from bigdl.layers.pooling import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    MaxPooling,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
    Pooling,
)
from bigdl.layers.spatial import SpatialLayer
from bigdl.programs import Lowering, Source, View, lowers
from bigdl.programs.largest import largest_values
from bigdl.programs.operations import Convolve, Drop, LargestOfAll, MaxPool, Multiply, Pad, Ref, Scale

# (batch, length, channels) as an image of one column, channels first; and back.
_SEQUENCE_AS_IMAGE = View((0, 3, 1, 2), inserted=2)
_IMAGE_AS_SEQUENCE = View((0, 2, 3, 1), removed=2)


def _channels_first(layer: SpatialLayer, lowering: Lowering, x: Ref) -> Ref:
    if layer.rank == 1:
        return lowering.view(x, _SEQUENCE_AS_IMAGE)
    return lowering.view(x, View.moving(layer.rank + 2, -1, 1)) if layer.channels_last else x


def _restored(layer: SpatialLayer, lowering: Lowering, x: Ref) -> Ref:
    if layer.rank == 1:
        return lowering.view(x, _IMAGE_AS_SEQUENCE)
    return lowering.view(x, View.moving(layer.rank + 2, 1, -1)) if layer.channels_last else x


_ELEMENTWISE = {
    activations.relu,
    activations.elu,
    activations.softplus,
    activations.softsign,
    activations.tanh,
    activations.sigmoid,
    activations.hard_sigmoid,
}


def _activated(function: Function, lowering: Lowering, x: Ref) -> Ref:
    if function is activations.linear:
        return x
    if function in _ELEMENTWISE:
        return lowering.elementwise(function, x, activations.name_of(function))
    return lowering.apply(function, x, name="softmax" if function is activations.softmax else "")


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
    return _activated(layer.activation, lowering, _restored(layer, lowering, y))


@lowers(Dense, uses=("activation", "use_bias"))
def _dense(layer: Dense, lowering: Lowering, x: Ref) -> Ref:
    bias = Source.of(layer, "bias") if layer.use_bias else None
    rank = len(layer.inbound_nodes[0].inputs[0].shape)
    y = lowering.write(Multiply, x, weight=Source.of(layer, "weight"), bias=bias, rank=rank)
    return _activated(layer.activation, lowering, y)


@lowers(BatchNormalization, uses=("mode", "epsilon"))
def _normalization(layer: BatchNormalization, lowering: Lowering, x: Ref) -> Ref | None:
    if lowering.training or layer.mode != FEATURE_WISE:
        return None
    rank = len(layer.inbound_nodes[0].inputs[0].shape)
    to, back = View.moving(rank, layer.feature_axis, 1), View.moving(rank, 1, layer.feature_axis)
    if rank == 3 and layer.feature_axis == -1:
        to, back = _SEQUENCE_AS_IMAGE, _IMAGE_AS_SEQUENCE
    y = lowering.write(
        Scale,
        lowering.view(x, to),
        gamma=Source.of(layer, "gamma"),
        beta=Source.of(layer, "beta"),
        mean=Source.of(layer, "running_mean"),
        variance=Source.of(layer, "running_variance"),
        epsilon=layer.epsilon,
        rank=rank,
    )
    return lowering.view(y, back)


@lowers(Activation, uses=("activation",))
def _activation(layer: Activation, lowering: Lowering, x: Ref) -> Ref:
    return _activated(layer.activation, lowering, x)


@lowers(MaxPooling1D, MaxPooling2D, MaxPooling3D, uses=("pool_size", "strides", "border_mode"))
def _max_pooling(layer: MaxPooling, lowering: Lowering, x: Ref) -> Ref:
    y = lowering.write(
        MaxPool,
        _channels_first(layer, lowering, x),
        function=layer.pool_images,
        size=layer.pool_size,
        stride=layer.strides,
        pads=layer.pads,
        padded=layer.border_mode != "valid",
    )
    return _restored(layer, lowering, y)


@lowers(GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D)
def _global_max_pooling(layer: GlobalMaxPooling, lowering: Lowering, x: Ref) -> Ref:
    return lowering.write(LargestOfAll, _channels_first(layer, lowering, x), function=largest_values)


@lowers(AveragePooling1D, AveragePooling2D, AveragePooling3D)
def _average_pooling(layer: Pooling, lowering: Lowering, x: Ref) -> Ref:
    return _restored(layer, lowering, lowering.apply(layer.pool_images, _channels_first(layer, lowering, x)))


@lowers(ZeroPadding1D, ZeroPadding2D, ZeroPadding3D)
def _zero_padding(layer: ZeroPadding, lowering: Lowering, x: Ref) -> Ref:
    y = lowering.write(Pad, _channels_first(layer, lowering, x), pads=tuple(layer.pads))
    return _restored(layer, lowering, y)


@lowers(Merge, uses=("mode",))
def _merge(layer: Merge, lowering: Lowering, x: Any) -> Ref | None:
    return lowering.add(*x) if layer.mode == "sum" and len(x) == 2 else None


@lowers(InputLayer)
def _input(layer: InputLayer, lowering: Lowering, x: Ref) -> Ref:
    return x


@lowers(Dropout, uses=("p", "noise_shape", "seed"))
def _dropout(layer: Dropout, lowering: Lowering, x: Ref) -> Ref | None:
    if not lowering.training:
        return x
    if layer.noise_shape is not None or layer.seed is not None:
        return None
    return Ref(lowering.write(Drop, Ref(x.number), function=layer.forward, share=layer.share).number, x.views)


@lowers(SpatialDropout1D, SpatialDropout2D, SpatialDropout3D, GaussianNoise, GaussianDropout)
def _noise(layer: Any, lowering: Lowering, x: Ref) -> Ref | None:
    return None if lowering.training else x


@lowers(Flatten)
def _flatten(layer: Flatten, lowering: Lowering, x: Ref) -> Ref:
    return lowering.apply(layer.forward, x, name="flatten")


@lowers(Reshape)
def _reshape(layer: Reshape, lowering: Lowering, x: Ref) -> Ref:
    return lowering.apply(layer.forward, x)


@lowers(Permute)
def _permute(layer: Permute, lowering: Lowering, x: Ref) -> Ref:
    return lowering.view(x, View((0, *layer.dims)))
