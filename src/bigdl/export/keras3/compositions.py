"""Layers that Keras 3 does not have, made of those that it has."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from torch import Tensor as TorchTensor

from bigdl.export.keras3.core import affine_config, common, output_shape
from bigdl.export.keras3.entries import Tensor
from bigdl.export.keras3.masks import Masks
from bigdl.export.keras3.network import Network
from bigdl.export.keras3.registry import CONVERTERS
from bigdl.export.keras3.settings import input_scale, stored, times
from bigdl.export.keras3.weights import scaled, weight_like
from bigdl.layers import (
    ELU,
    Highway,
    LeakyReLU,
    LocallyConnected1D,
    LocallyConnected2D,
    MaxoutDense,
    ParametricSoftplus,
    PReLU,
    SReLU,
    ThresholdedReLU,
)


@CONVERTERS.of(LeakyReLU)
def leaky_relu(network: Network, layer: LeakyReLU, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """``LeakyReLU``."""
    config = common(layer, negative_slope=layer.alpha)
    return network.layer("LeakyReLU", layer.name, config, inputs[0], inputs[0].shape)


@CONVERTERS.of(ELU)
def elu(network: Network, layer: ELU, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """``ELU``."""
    return network.layer("ELU", layer.name, common(layer, alpha=layer.alpha), inputs[0], inputs[0].shape)


@CONVERTERS.of(ThresholdedReLU)
def thresholded_relu(network: Network, layer: ThresholdedReLU, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """``ReLU`` with a threshold."""
    return network.layer("ReLU", layer.name, common(layer, threshold=layer.theta), inputs[0], inputs[0].shape)


@CONVERTERS.of(PReLU)
def prelu(network: Network, layer: PReLU, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """``PReLU``."""
    config = common(layer, shared_axes=list(layer.shared_axes))
    return network.layer("PReLU", layer.name, config, inputs[0], inputs[0].shape, {"": stored(layer.alphas)})


def _own_axes(layer: Any, x: Tensor) -> tuple[list[int], list[TorchTensor]]:
    """Returns the axes along which a learned activation has values of their own, and its weights without the others."""
    axes = [axis for axis in range(1, len(x.shape)) if axis not in layer.shared_axes]
    arrays = [getattr(layer, name) for name in layer.weight_names]
    shared = [axis - 1 for axis in layer.shared_axes]
    return axes, [array.squeeze(shared) if shared else array for array in arrays]


@CONVERTERS.of(ParametricSoftplus)
def parametric_softplus(network: Network, layer: ParametricSoftplus, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """Two ``EinsumDense`` around a softplus."""
    x = inputs[0]
    axes, (alphas, betas) = _own_axes(layer, x)
    steep = scaled(network, x, f"{layer.name}_betas", betas, axes, trainable=layer.trainable)
    config = common(layer, activation="softplus")
    soft = network.layer("Activation", f"{layer.name}_softplus", config, steep, x.shape)
    return scaled(network, soft, layer.name, alphas, axes, trainable=layer.trainable)


@CONVERTERS.of(SReLU)
def srelu(network: Network, layer: SReLU, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """Four ``EinsumDense`` that hold the thresholds and slopes, and operators."""
    x, name = inputs[0], layer.name
    axes, arrays = _own_axes(layer, x)
    left, left_slope, distance, right_slope = (
        weight_like(network, x, f"{name}_{part}", array, axes, layer.trainable)
        for part, array in zip(layer.weight_names, arrays, strict=True)
    )

    def apply(op: str, *values: Tensor) -> Tensor:
        return network.op(op, *values, owner=name, shape=x.shape)

    right = apply("Add", left, apply("Absolute", distance))
    between = apply("Minimum", apply("Relu", apply("Subtract", x, left)), apply("Subtract", right, left))
    below = apply("Multiply", left_slope, apply("Relu", apply("Subtract", left, x)))
    above = apply("Multiply", right_slope, apply("Relu", apply("Subtract", x, right)))
    return apply("Add", apply("Subtract", apply("Add", left, between), below), above)


@CONVERTERS.of(MaxoutDense)
def maxout_dense(network: Network, layer: MaxoutDense, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """``EinsumDense`` for all maps, and their largest value."""
    general = affine_config(layer, whole=False)
    del general["use_bias"]
    config = {
        **general,
        "equation": "ab,kbc->akc",
        "output_shape": [layer.nb_feature, layer.output_dim],
        "bias_axes": None if layer.bias is None else "kc",
    }
    shape = (inputs[0].shape[0], layer.nb_feature, layer.output_dim)
    arrays = stored(layer.weight.transpose(1, 2), layer.bias)
    maps = network.layer("EinsumDense", layer.name, config, inputs[0], shape, {"": arrays})
    return network.op("Max", maps, owner=layer.name, shape=(shape[0], shape[2]), axis=1, keepdims=False)


@CONVERTERS.of(Highway)
def highway(network: Network, layer: Highway, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """Two ``Dense``, and operators for the gate."""
    x, name, scale = inputs[0], layer.name, input_scale(layer.activation)
    config = {**affine_config(layer, whole=False), "units": x.shape[1]}
    arrays = stored(times(layer.weight.t(), scale), times(layer.bias, scale))
    h = network.layer("Dense", name, config, x, x.shape, {"": arrays})
    gate_config = common(layer, units=x.shape[1], activation="sigmoid", use_bias=layer.use_bias)
    gate_arrays = stored(layer.carry_weight.t(), layer.carry_bias if layer.use_bias else None)
    gate = network.layer("Dense", f"{name}_carry", gate_config, x, x.shape, {"": gate_arrays})

    def apply(op: str, *values: Tensor | float) -> Tensor:
        return network.op(op, *values, owner=name, shape=x.shape)

    return apply("Add", apply("Multiply", gate, h), apply("Multiply", apply("Subtract", 1.0, gate), x))


@CONVERTERS.of(LocallyConnected1D, LocallyConnected2D)
def locally_connected(network: Network, layer: Any, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """The patches side by side, cut out cell by cell of the kernel, and ``EinsumDense``."""
    rank, name, scale = layer.rank, layer.name, input_scale(layer.activation)
    x = inputs[0]
    if not layer.channels_last:
        x = network.layer("Permute", f"{name}_last", {"dims": [2, 3, 1]}, x, (x.shape[0], *x.shape[2:], x.shape[1]))
    positions, channels = layer.positions[:rank], x.shape[-1]
    cells = _cells(network, layer, x)
    joined = cells[0]
    if len(cells) > 1:
        shape = (x.shape[0], *positions, len(cells) * (channels or 0))
        joined = network.layer("Concatenate", f"{name}_patches", {"axis": -1}, cells, shape)
    places = "bc"[:rank]
    general = affine_config(layer)
    del general["use_bias"], general["kernel_constraint"], general["bias_constraint"]
    config = {
        **general,
        "equation": f"a{places}k,{places}kf->a{places}f",
        "output_shape": [*positions, layer.nb_filter],
        "bias_axes": None if layer.bias is None else f"{places}f",
    }
    weight = layer.weight.reshape(*positions, -1, layer.nb_filter)
    if not layer.channels_last:  # a patch runs over (channel, row, column) there
        apart = weight.reshape(*positions, channels, len(cells), layer.nb_filter)
        weight = apart.transpose(-3, -2).flatten(-3, -2)
    bias = layer.position_bias()
    arrays = stored(times(weight, scale), times(None if bias is None else bias.reshape(*positions, -1), scale))
    y = network.layer("EinsumDense", name, config, joined, (x.shape[0], *positions, layer.nb_filter), {"": arrays})
    shape = output_shape(layer, inputs)
    return y if layer.channels_last else network.layer("Permute", f"{name}_first", {"dims": [3, 1, 2]}, y, shape)


def _cells(network: Network, layer: Any, x: Tensor) -> list[Tensor]:
    """Returns, for each cell of the kernel, the image of what it meets at all positions; channels are last."""
    rank, name = layer.rank, layer.name
    kernel, stride, positions = (sizes[:rank] for sizes in (layer.kernel_size, layer.subsample, layer.positions))
    made = []
    for cell in itertools.product(*map(range, kernel)):
        spans = [(n - 1) * step + 1 for n, step in zip(positions, stride, strict=True)]
        lengths = x.shape[1 : rank + 1]
        cuts = [[i, (length or 0) - i - span] for i, length, span in zip(cell, lengths, spans, strict=True)]
        part = f"{name}_cell_{'_'.join(map(str, cell))}"
        shape = (x.shape[0], *spans, x.shape[-1])
        config = {"cropping": cuts[0] if rank == 1 else cuts}
        y = network.layer(f"Cropping{rank}D", part, config, x, shape)
        if max(stride) > 1:
            sizes = {"pool_size": [1] * rank, "strides": list(stride)}
            y = network.layer(f"MaxPooling{rank}D", f"{part}_strided", sizes, y, (x.shape[0], *positions, x.shape[-1]))
        made.append(y)
    return made
