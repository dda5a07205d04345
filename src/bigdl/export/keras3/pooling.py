"""Pooling, padding, cropping and upsampling over sequences, images and volumes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bigdl.export.keras3.convolution import window
from bigdl.export.keras3.core import common, output_shape
from bigdl.export.keras3.entries import Tensor
from bigdl.export.keras3.masks import Masks
from bigdl.export.keras3.network import Network
from bigdl.export.keras3.registry import CONVERTERS
from bigdl.export.keras3.settings import data_format, logger
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
from bigdl.layers.spatial import same_padding


def _by_axis(layer: Any, settings: Sequence[Any]) -> Any:
    """Returns a setting of each spatial axis as Keras 3 takes it: a sequence's by itself."""
    return settings[0] if layer.rank == 1 else list(settings[: layer.rank])


def _ordered(layer: Any, **config: Any) -> dict[str, Any]:
    return common(layer, **config, **({} if layer.rank == 1 else {"data_format": data_format(layer.channels_last)}))


def _same_name(network: Network, layer: Any, inputs: Sequence[Tensor], config: dict[str, Any]) -> Tensor:
    return network.layer(type(layer).__name__, layer.name, config, inputs[0], output_shape(layer, inputs))


def _pool_config(layer: Any) -> dict[str, Any]:
    sizes = {"pool_size": _by_axis(layer, layer.pool_size), "strides": _by_axis(layer, layer.strides)}
    return common(layer, **window(layer), **sizes)


@CONVERTERS.of(MaxPooling1D, MaxPooling2D, MaxPooling3D)
def max_pooling(network: Network, layer: Any, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """The layer of the same name."""
    return _same_name(network, layer, inputs, _pool_config(layer))


@CONVERTERS.of(AveragePooling1D, AveragePooling2D, AveragePooling3D)
def average_pooling(network: Network, layer: Any, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """The layer of the same name, on a padded input where the padding is not the same on both sides.

    Restrictions:
        With `border_mode="same"` over inputs of open size Keras 3 may count the padding where it runs on torch, which a
        warning says.
    """
    config = _pool_config(layer)
    if layer.border_mode == "same":
        lengths = layer.split_shape(inputs[0].shape)[1]
        if any(length is None and step > 1 for length, step in zip(lengths, layer.strides, strict=True)):
            logger.warning(
                "Layer %r averages over inputs of open size with border_mode='same'; on torch, Keras 3 may count the "
                "padding there.",
                layer.name,
            )
            return _same_name(network, layer, inputs, config)
        pads = same_padding([length or 1 for length in lengths], layer.pool_size, layer.strides)[: layer.rank]
        if any(before != after for before, after in pads):
            return _padded_average(network, layer, inputs, {**config, "padding": "valid"}, pads)
    return _same_name(network, layer, inputs, config)


def _padded_average(
    network: Network, layer: Any, inputs: Sequence[Tensor], config: dict[str, Any], pads: Sequence[tuple[int, int]]
) -> Tensor:
    """Divides the mean over the padded input by the share of cells that are no padding.

    On torch, Keras 3 counts padding that is not the same on both sides.
    """
    x, name = inputs[0], layer.name
    shape = output_shape(layer, inputs)

    def mean(tensor: Tensor, suffix: str) -> Tensor:
        padding = _ordered(layer, padding=_by_axis(layer, pads))
        padded = network.layer(f"ZeroPadding{layer.rank}D", f"{name}_padding{suffix}", padding, tensor, x.shape)
        return network.layer(type(layer).__name__, f"{name}{suffix}", config, padded, shape)

    ones = network.op("OnesLike", x, owner=name, shape=x.shape)
    return network.op("TrueDivide", mean(x, ""), mean(ones, "_share"), owner=name, shape=shape)


@CONVERTERS.of(GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D)
@CONVERTERS.of(GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D)
def global_pooling(network: Network, layer: Any, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """The layer of the same name."""
    return _same_name(network, layer, inputs, _ordered(layer))


@CONVERTERS.of(ZeroPadding1D, ZeroPadding2D, ZeroPadding3D)
def zero_padding(network: Network, layer: Any, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """The layer of the same name."""
    return _same_name(network, layer, inputs, _ordered(layer, padding=_by_axis(layer, layer.pads)))


@CONVERTERS.of(Cropping1D, Cropping2D, Cropping3D)
def cropping(network: Network, layer: Any, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """The layer of the same name."""
    return _same_name(network, layer, inputs, _ordered(layer, cropping=_by_axis(layer, layer.cuts)))


@CONVERTERS.of(UpSampling1D, UpSampling2D, UpSampling3D)
def upsampling(network: Network, layer: Any, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """The layer of the same name."""
    return _same_name(network, layer, inputs, _ordered(layer, size=_by_axis(layer, layer.size)))
