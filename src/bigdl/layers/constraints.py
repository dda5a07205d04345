"""Keras 1.2.2's constraints: what a weight is made to be after each step. Axes count in Keras's layout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from bigdl.graph.weight import Constraint
from bigdl.layers import named
from bigdl.layers.settings import epsilon
from bigdl.registry import NamedObjects

CONSTRAINTS: NamedObjects[Callable[..., Constraint]] = NamedObjects("constraint")

Axis = int | Sequence[int]


def _norms(p: Tensor, axis: Axis) -> Tensor:
    return p.square().sum(dim=axis if isinstance(axis, int) else tuple(axis), keepdim=True).sqrt()


class MaxNorm:
    """Norms of at most ``m`` (Srivastava et al. 2014).

    Args:
        m: The largest norm.
        axis: The axes that a norm is taken over.
    """

    def __init__(self, m: float = 2, axis: Axis = 0) -> None:
        self.m = m
        self.axis = axis

    def __call__(self, p: Tensor) -> Tensor:
        """Returns the constrained weight."""
        norms = _norms(p, self.axis)
        return p * (norms.clamp(0, self.m) / (epsilon() + norms))

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration as Keras 1.2.2 writes it."""
        return {"name": "MaxNorm", "m": self.m, "axis": self.axis}


class NonNeg:
    """No negative values."""

    def __call__(self, p: Tensor) -> Tensor:
        """Returns the constrained weight."""
        return p * (p >= 0)

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration as Keras 1.2.2 writes it."""
        return {"name": "NonNeg"}


class UnitNorm:
    """Norms of 1.

    Args:
        axis: The axes that a norm is taken over.
    """

    def __init__(self, axis: Axis = 0) -> None:
        self.axis = axis

    def __call__(self, p: Tensor) -> Tensor:
        """Returns the constrained weight."""
        return p / (epsilon() + _norms(p, self.axis))

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration as Keras 1.2.2 writes it."""
        return {"name": "UnitNorm", "axis": self.axis}


class MinMaxNorm:
    """Norms between two bounds, approached at a rate.

    Args:
        low: The least norm.
        high: The largest norm.
        rate: 1 to enforce the bounds at once, less to move towards them.
        axis: The axes that a norm is taken over.
    """

    def __init__(self, low: float = 0.0, high: float = 1.0, rate: float = 1.0, axis: Axis = 0) -> None:
        self.low = low
        self.high = high
        self.rate = rate
        self.axis = axis

    def __call__(self, p: Tensor) -> Tensor:
        """Returns the constrained weight."""
        norms = _norms(p, self.axis)
        desired = self.rate * norms.clamp(self.low, self.high) + (1 - self.rate) * norms
        return p * (desired / (epsilon() + norms))

    def get_config(self) -> dict[str, Any]:
        """Returns the configuration as Keras 1.2.2 writes it."""
        return {"name": "MinMaxNorm", "low": self.low, "high": self.high, "rate": self.rate, "axis": self.axis}


maxnorm, nonneg, unitnorm = MaxNorm, NonNeg, UnitNorm

_BY_NAME: dict[str, Callable[..., Constraint]] = {
    "MaxNorm": MaxNorm,
    "NonNeg": NonNeg,
    "UnitNorm": UnitNorm,
    "MinMaxNorm": MinMaxNorm,
    "maxnorm": MaxNorm,
    "nonneg": NonNeg,
    "unitnorm": UnitNorm,
}
for _name, _make in _BY_NAME.items():
    CONSTRAINTS.register(_name, _make)


def get(identifier: Any) -> Constraint | None:
    """Returns a constraint.

    Args:
        identifier: A configuration ``{"name": ..., ...}``, a name, a constraint, or None for none.

    Raises:
        UnsupportedLayerError: There is no constraint of this name.
    """
    return named.get(CONSTRAINTS, identifier)


def serialize(constraint: Constraint | None) -> dict[str, Any] | None:
    """Returns a constraint's configuration, None for none."""
    return named.serialize(constraint)
