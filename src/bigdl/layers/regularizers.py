"""Keras 1.2.2's penalties of weights and activations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from bigdl.errors import LayerError
from bigdl.graph.weight import Regularizer
from bigdl.layers import named
from bigdl.registry import NamedObjects

REGULARIZERS: NamedObjects[Callable[..., Regularizer]] = NamedObjects("regularizer")


class L1L2Regularizer:
    """``l1 sum|x| + l2 sum x^2`` over the whole tensor.

    Args:
        l1: The factor of the absolute values.
        l2: The factor of the squares.
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = float(l1)
        self.l2 = float(l2)

    def __call__(self, x: Tensor) -> Tensor:
        """Returns the penalty, a scalar."""
        penalty = x.new_zeros(())
        if self.l1:
            penalty = penalty + self.l1 * x.abs().sum()
        if self.l2:
            penalty = penalty + self.l2 * x.square().sum()
        return penalty

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration as Keras 1.2.2 writes it."""
        return {"name": "L1L2Regularizer", "l1": self.l1, "l2": self.l2}


class EigenvalueRegularizer:
    """``k`` times the root of the largest eigenvalue of ``x^T x``, found by nine steps of the power method.

    Args:
        k: The factor.
    """

    power = 9

    def __init__(self, k: float = 0.01) -> None:
        self.k = float(k)

    def __call__(self, x: Tensor) -> Tensor:
        """Returns the penalty, a scalar.

        Raises:
            LayerError: The tensor is no matrix.
        """
        if x.dim() != 2:
            raise LayerError(f"EigenvalueRegularizer needs a matrix. Received: shape {tuple(x.shape)}.")
        covariance = x.t() @ x
        vector = x.new_ones(covariance.shape[0], 1)
        for _ in range(self.power):
            vector = covariance @ vector
        value = ((covariance @ vector).t() @ vector) / (vector.t() @ vector)
        return (torch.sqrt(value) * self.k).sum()

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration; Keras 1.2.2 writes only the name and cannot read it back."""
        return {"name": "EigenvalueRegularizer", "k": self.k}


def l1(l: float = 0.01) -> L1L2Regularizer:  # noqa: E741 - Keras's name
    """Returns a penalty ``l sum|x|``."""
    return L1L2Regularizer(l1=l)


def l2(l: float = 0.01) -> L1L2Regularizer:  # noqa: E741 - Keras's name
    """Returns a penalty ``l sum x^2``."""
    return L1L2Regularizer(l2=l)


def l1l2(l1: float = 0.01, l2: float = 0.01) -> L1L2Regularizer:
    """Returns a penalty ``l1 sum|x| + l2 sum x^2``."""
    return L1L2Regularizer(l1=l1, l2=l2)


WeightRegularizer = ActivityRegularizer = L1L2Regularizer
activity_l1, activity_l2, activity_l1l2 = l1, l2, l1l2

_BY_NAME: dict[str, Callable[..., Regularizer]] = {
    "L1L2Regularizer": L1L2Regularizer,
    "WeightRegularizer": L1L2Regularizer,
    "ActivityRegularizer": L1L2Regularizer,
    "EigenvalueRegularizer": EigenvalueRegularizer,
    "l1": l1,
    "l2": l2,
    "l1l2": l1l2,
    "activity_l1": l1,
    "activity_l2": l2,
    "activity_l1l2": l1l2,
}
for _name, _make in _BY_NAME.items():
    REGULARIZERS.register(_name, _make)


def get(identifier: Any) -> Regularizer | None:
    """Returns a regularizer.

    Args:
        identifier: A configuration ``{"name": ..., ...}``, a name, a regularizer, or None for none.

    Raises:
        UnsupportedLayerError: There is no regularizer of this name.
    """
    return named.get(REGULARIZERS, identifier)


def serialize(regularizer: Regularizer | None) -> dict[str, Any] | None:
    """Returns a regularizer's configuration, None for none."""
    return named.serialize(regularizer)
