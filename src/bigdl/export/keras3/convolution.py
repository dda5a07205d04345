"""Convolutions of all kinds. Keras 3's kernels are ``(*kernel, in, out)`` whatever the place of the channels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor as TorchTensor

from bigdl.export.keras3.core import affine_config, output_shape
from bigdl.export.keras3.entries import Tensor
from bigdl.export.keras3.masks import Masks
from bigdl.export.keras3.network import Network
from bigdl.export.keras3.registry import CONVERTERS
from bigdl.export.keras3.settings import constraint, data_format, input_scale, regularizer, stored, times
from bigdl.layers import (
    AtrousConvolution1D,
    AtrousConvolution2D,
    Convolution1D,
    Convolution2D,
    Convolution3D,
    Deconvolution2D,
    SeparableConvolution2D,
)
from bigdl.layers.convolution import Convolution
from bigdl.layers.layouts import CONV_TF, DECONV_TF, depthwise
from bigdl.layers.spatial import same_padding


def kernel(layer: Any, weight: TorchTensor) -> TorchTensor:
    """Returns a kernel of torch's layout in Keras 3's; here sequences are images of one column."""
    keras = CONV_TF.to_keras(weight)
    return keras.squeeze(1) if layer.rank == 1 else keras


def kernel_axes(layer: Convolution) -> Callable[[int], int]:
    """Returns where an axis of Keras 1's kernel lies in Keras 3's."""
    rank = layer.rank
    if rank == 1:  # (length, 1, in, out)
        return lambda axis: (0, 0, 1, 2)[axis]
    if layer.channels_last:
        return lambda axis: axis
    return lambda axis: (rank + 1, rank, *range(rank))[axis]  # (out, in, *kernel)


def window(layer: Any) -> dict[str, Any]:
    """Returns what the configurations of all layers with a sliding window have."""
    return {"padding": layer.border_mode, "data_format": data_format(layer.channels_last)}


@CONVERTERS.of(Convolution1D, Convolution2D, Convolution3D, AtrousConvolution1D, AtrousConvolution2D)
def convolution(network: Network, layer: Any, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """``Conv1D``, ``Conv2D``, ``Conv3D``."""
    rank, scale = layer.rank, input_scale(layer.activation)
    config = {
        **affine_config(layer, kernel_axes(layer)),
        **window(layer),
        "filters": layer.nb_filter,
        "kernel_size": list(layer.kernel_size[:rank]),
        "strides": list(layer.subsample[:rank]),
        "dilation_rate": list(layer.dilation[:rank]),
    }
    arrays = stored(times(kernel(layer, layer.weight), scale), times(layer.bias, scale))
    return network.layer(f"Conv{rank}D", layer.name, config, inputs[0], output_shape(layer, inputs), {"": arrays})


@CONVERTERS.of(SeparableConvolution2D)
def separable_convolution(
    network: Network, layer: SeparableConvolution2D, inputs: Sequence[Tensor], masks: Masks
) -> Tensor:
    """``SeparableConv2D``."""
    scale = input_scale(layer.activation)
    general = affine_config(layer)
    del general["kernel_regularizer"], general["kernel_constraint"]
    config = {
        **general,
        **window(layer),
        "filters": layer.nb_filter,
        "kernel_size": list(layer.kernel_size),
        "strides": list(layer.subsample),
        "depth_multiplier": layer.depth_multiplier,
        "depthwise_regularizer": regularizer(layer.depthwise_regularizer, layer),
        "pointwise_regularizer": regularizer(layer.pointwise_regularizer, layer, scale),
        "depthwise_constraint": constraint(layer.depthwise_constraint, layer),
        "pointwise_constraint": constraint(layer.pointwise_constraint, layer),
    }
    arrays = stored(
        depthwise(layer.depth_multiplier, True).to_keras(layer.depthwise),
        times(CONV_TF.to_keras(layer.pointwise), scale),
        times(layer.bias, scale),
    )
    return network.layer("SeparableConv2D", layer.name, config, inputs[0], output_shape(layer, inputs), {"": arrays})


@CONVERTERS.of(Deconvolution2D)
def deconvolution(network: Network, layer: Deconvolution2D, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """``Conv2DTranspose`` without padding, and what it makes cut to ``output_shape``."""
    scale, before = input_scale(layer.activation), [0, 0]
    if layer.border_mode == "same":
        before = [pad[0] for pad in same_padding(layer.output_lengths, layer.kernel_size, layer.subsample)]
    sizes = zip(layer.input_lengths, layer.subsample, layer.kernel_size, layer.output_lengths, before, strict=True)
    # Cells beyond the output's end, less than none where the output reaches beyond the kernel's last position.
    beyond = [(n - 1) * step + size - cut - length for n, step, size, length, cut in sizes]
    cuts = [[cut, max(cells, 0)] for cut, cells in zip(before, beyond, strict=True)]
    more = [max(-cells, 0) for cells in beyond]
    by_steps = any(step > size for step, size in zip(layer.subsample, layer.kernel_size, strict=True))
    config = {
        **affine_config(layer, _transposed_axes(layer), whole=not any(map(any, cuts))),
        "filters": layer.nb_filter,
        "kernel_size": list(layer.kernel_size),
        "strides": list(layer.subsample),
        "padding": "valid",
        # Without it, what is made is as long as the steps, where these are longer than the kernel.
        **({"output_padding": more} if any(more) or by_steps else {}),
        "data_format": data_format(layer.channels_last),
    }
    arrays = stored(times(DECONV_TF.to_keras(layer.weight).transpose(2, 3), scale), times(layer.bias, scale))
    shape = output_shape(layer, inputs)
    y = network.layer("Conv2DTranspose", layer.name, config, inputs[0], shape, {"": arrays})
    if not any(map(any, cuts)):
        return y
    cropping = {"cropping": cuts, "data_format": data_format(layer.channels_last), "dtype": "float32"}
    return network.layer("Cropping2D", f"{layer.name}_cropping", cropping, y, shape)


def _transposed_axes(layer: Convolution) -> Callable[[int], int]:
    straight = kernel_axes(layer)
    return lambda axis: {2: 3, 3: 2}.get(straight(axis), straight(axis))  # (*kernel, out, in)
