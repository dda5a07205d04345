"""Keras 1.2.2's objectives: the score of each sample (and step), before weights and averaging."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from torch import Tensor
from torch.nn import functional as F

from bigdl.errors import DataError
from bigdl.layers.settings import epsilon
from bigdl.registry import NamedObjects
from bigdl.training.entropy import cross_entropy

Objective = Callable[[Tensor, Tensor], Tensor]
O = TypeVar("O", bound=Callable[..., Tensor])  # noqa: E741 - one letter, as type variables are named

OBJECTIVES: NamedObjects[Objective] = NamedObjects("objective")


def _register(*aliases: str) -> Callable[[O], O]:
    def add(function: O) -> O:
        for name in (function.__name__, *aliases):
            OBJECTIVES.register(name, function)
        return function

    return add


@_register("mse", "MSE")
def mean_squared_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Mean of ``(p - t)^2`` over the last axis."""
    return (y_pred - y_true).square().mean(-1)


@_register("mae", "MAE")
def mean_absolute_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Mean of ``|p - t|`` over the last axis."""
    return (y_pred - y_true).abs().mean(-1)


@_register("mape", "MAPE")
def mean_absolute_percentage_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Mean of ``100 |t - p| / max(|t|, eps)`` over the last axis."""
    return 100.0 * ((y_true - y_pred) / y_true.abs().clamp(min=epsilon())).abs().mean(-1)


@_register("msle", "MSLE")
def mean_squared_logarithmic_error(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Mean of ``(log(max(p, eps) + 1) - log(max(t, eps) + 1))^2`` over the last axis."""
    first = (y_pred.clamp(min=epsilon()) + 1.0).log()
    second = (y_true.clamp(min=epsilon()) + 1.0).log()
    return (first - second).square().mean(-1)


@_register()
def squared_hinge(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Mean of ``max(1 - t p, 0)^2`` over the last axis; targets are -1 and 1."""
    return (1.0 - y_true * y_pred).clamp(min=0.0).square().mean(-1)


@_register()
def hinge(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Mean of ``max(1 - t p, 0)`` over the last axis; targets are -1 and 1."""
    return (1.0 - y_true * y_pred).clamp(min=0.0).mean(-1)


@_register()
def categorical_crossentropy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """``-sum t log p`` over the last axis, with p made to sum to 1 and clipped to [eps, 1 - eps]."""
    return cross_entropy(y_true, y_pred)


def checked_labels(y_true: Tensor, classes: int) -> Tensor:
    """Returns class numbers as a vector of whole numbers; see ``sparse_categorical_crossentropy``."""
    labels = y_true.reshape(-1).long()
    if labels.numel() and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise DataError(
            f"sparse_categorical_crossentropy expects class numbers from 0 to {classes - 1}, for an output of "
            f"{classes} classes. Received: {int(labels.min())} to {int(labels.max())}. Labels that count from 1 need "
            "1 subtracted."
        )
    return labels


@_register()
def sparse_categorical_crossentropy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """``-log p`` of the true class, with p clipped to [eps, 1 - eps] and then made to sum to 1.

    Args:
        y_true: Class numbers from 0, ``(batch, ..., 1)`` or without the last axis.
        y_pred: Probabilities ``(batch, ..., classes)``.

    Raises:
        DataError: A class number is out of range.
    """
    classes = y_pred.shape[-1]
    labels = checked_labels(y_true, classes)
    logits = y_pred.clamp(epsilon(), 1.0 - epsilon()).log().reshape(-1, classes)
    return F.cross_entropy(logits, labels, reduction="none").reshape(y_pred.shape[:-1])


def elementwise_binary_crossentropy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """``-t log p - (1 - t) log(1 - p)`` of each element, with p clipped to [eps, 1 - eps]."""
    p = y_pred.clamp(epsilon(), 1.0 - epsilon())
    # By way of the logits as in Keras: rounding near 0 and 1 is then the same.
    return F.binary_cross_entropy_with_logits((p / (1.0 - p)).log(), y_true.to(p.dtype), reduction="none")


@_register()
def binary_crossentropy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Mean of the binary cross-entropies over the last axis."""
    return elementwise_binary_crossentropy(y_true, y_pred).mean(-1)


@_register("kld", "KLD")
def kullback_leibler_divergence(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """``sum t log(t / p)`` over the last axis, both clipped to [eps, 1]."""
    t, p = y_true.clamp(epsilon(), 1.0), y_pred.clamp(epsilon(), 1.0)
    return (t * (t / p).log()).sum(-1)


@_register()
def poisson(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Mean of ``p - t log(p + eps)`` over the last axis."""
    return (y_pred - y_true * (y_pred + epsilon()).log()).mean(-1)


def unit_products(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Products of the elements of both, each first divided by its norm over the last axis."""
    return F.normalize(y_true, dim=-1, eps=1e-6) * F.normalize(y_pred, dim=-1, eps=1e-6)


@_register("cosine")
def cosine_proximity(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Minus the mean (not the sum) over the last axis of the products of the unit vectors."""
    return -unit_products(y_true, y_pred).mean(-1)


mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
kld = KLD = kullback_leibler_divergence
cosine = cosine_proximity


def get(identifier: Any) -> Objective:
    """Returns an objective.

    Args:
        identifier: Its name, or a function of ``(y_true, y_pred)`` on torch tensors, which is taken as it is.

    Raises:
        UnsupportedLayerError: There is no objective of this name.
        DataError: It is neither a name nor a function.
    """
    if isinstance(identifier, str):
        return OBJECTIVES.get(identifier)
    if not callable(identifier):
        raise DataError(f"An objective is a name or a function of (y_true, y_pred). Received: {identifier!r}.")
    function: Objective = identifier
    return function


def name_of(objective: Objective) -> str:
    """Returns the name a configuration has for an objective."""
    return getattr(objective, "__name__", type(objective).__name__)
