"""Batch normalization, and Keras 1's normalization by sample and by batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bigdl.export.keras3.core import common
from bigdl.export.keras3.entries import Entry, Tensor
from bigdl.export.keras3.masks import Masks
from bigdl.export.keras3.network import Network
from bigdl.export.keras3.registry import CONVERTERS
from bigdl.export.keras3.settings import regularizer, stored
from bigdl.export.keras3.weights import scaled
from bigdl.layers import BatchNormalization
from bigdl.layers.normalization import FEATURE_WISE, SAMPLE_WISE


@CONVERTERS.of(BatchNormalization)
def batch_normalization(network: Network, layer: BatchNormalization, inputs: Sequence[Tensor], masks: Masks) -> Tensor:
    """``BatchNormalization``; operators and an ``EinsumDense`` for modes 1 and 2.

    Restrictions:
        Penalties of modes 1 and 2 are left out.
    """
    x = inputs[0]
    if layer.mode != FEATURE_WISE:
        return _by_operators(network, layer, x)
    config = common(
        layer,
        axis=layer.axis,
        momentum=layer.momentum,
        epsilon=layer.epsilon,
        gamma_regularizer=regularizer(layer.gamma_regularizer, layer),
        beta_regularizer=regularizer(layer.beta_regularizer, layer),
    )
    arrays = stored(layer.gamma, layer.beta, layer.running_mean, layer.running_variance)
    entry = Entry("keras.layers", "BatchNormalization", layer.name, config, {"": arrays}, kept=2)
    return network.call(entry, x, [x.shape])[0]


def _by_operators(network: Network, layer: BatchNormalization, x: Tensor) -> Tensor:
    rank = len(x.shape)
    features = rank - 1 if layer.mode == SAMPLE_WISE else layer.axis % rank
    over = [features] if layer.mode == SAMPLE_WISE else [axis for axis in range(rank) if axis != features]

    def apply(op: str, *values: Tensor | float, **config: Any) -> Tensor:
        return network.op(op, *values, owner=layer.name, shape=x.shape, **config)

    apart = apply("Subtract", x, apply("Mean", x, axis=over, keepdims=True))
    variance = apply("Mean", apply("Square", apart), axis=over, keepdims=True)
    divisor = apply("Sqrt", apply("Add", variance, layer.epsilon))
    if layer.mode == SAMPLE_WISE:
        divisor = apply("Add", divisor, layer.epsilon)
    normal = apply("TrueDivide", apart, divisor)
    return scaled(network, normal, layer.name, layer.gamma, [features], layer.beta, layer.trainable)
