"""Keras 1.2.2's activation functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.errors import LayerError
from bigdl.graph import Layer, Shape
from bigdl.graph.user_functions import user_function
from bigdl.registry import NamedObjects

Activation = Callable[..., Tensor]
A = TypeVar("A", bound=Activation)

_SOFTMAX_RANKS = (2, 3)

ACTIVATIONS: NamedObjects[Activation] = NamedObjects("activation")


def _register(function: A) -> A:
    ACTIVATIONS.register(function.__name__, function)
    return function


@_register
def softmax(x: Tensor) -> Tensor:
    """Softmax over the last axis, for tensors of rank 2 or 3 as in Keras.

    Raises:
        LayerError: The tensor has another rank.
    """
    if x.dim() not in _SOFTMAX_RANKS:
        raise LayerError(
            f"softmax is defined for tensors of rank 2 or 3 (batch axis included). Received: rank {x.dim()}."
        )
    return torch.softmax(x, dim=-1)


@_register
def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """``x`` where positive, ``alpha (e^x - 1)`` elsewhere."""
    return F.elu(x, alpha)


@_register
def softplus(x: Tensor) -> Tensor:
    """``log(1 + e^x)``."""
    return torch.logaddexp(x, torch.zeros_like(x))


@_register
def softsign(x: Tensor) -> Tensor:
    """``x / (1 + |x|)``."""
    return F.softsign(x)


@_register
def relu(x: Tensor, alpha: float = 0.0, max_value: float | None = None) -> Tensor:
    """``max(x, 0)``, with slope ``alpha`` below zero and at most ``max_value``."""
    y = F.relu(x)
    if max_value is not None:
        y = y.clamp(max=max_value)
    # Not F.leaky_relu, which has another gradient at 0.
    return y - alpha * F.relu(-x) if alpha else y


@_register
def tanh(x: Tensor) -> Tensor:
    """Hyperbolic tangent."""
    return torch.tanh(x)


@_register
def sigmoid(x: Tensor) -> Tensor:
    """``1 / (1 + e^-x)``."""
    return torch.sigmoid(x)


@_register
def hard_sigmoid(x: Tensor) -> Tensor:
    """``0.2 x + 0.5``, clipped to [0, 1]."""
    # torch's hardsigmoid has slope 1/6.
    return F.hardsigmoid(1.2 * x)


@_register
def linear(x: Tensor) -> Tensor:
    """The identity."""
    return x


def checked_shapes(activation: Activation, shapes: list[Shape], layer: Layer) -> list[Shape]:
    """Returns the shapes that an activation is applied to.

    Raises:
        LayerError: It is softmax, and the rank of one of them is one that Keras refuses.
    """
    if activation is softmax and any(len(shape) not in _SOFTMAX_RANKS for shape in shapes):
        raise LayerError(
            f"Layer {layer.name!r} ({type(layer).__name__}): softmax is defined for tensors of rank 2 or 3 (batch axis "
            f"included). Received: shape {shapes[0]}."
        )
    return shapes


def get(identifier: str | Activation | None) -> Activation:
    """Returns an activation function.

    Args:
        identifier: Its name, the function itself, or None for the identity.

    Raises:
        UnsupportedLayerError: There is no activation of this name.
    """
    if identifier is None:
        return linear
    return user_function(ACTIVATIONS.get(identifier) if isinstance(identifier, str) else identifier)


def name_of(activation: Activation) -> str:
    """Returns the name a configuration has for an activation."""
    return getattr(activation, "__name__", type(activation).__name__)
