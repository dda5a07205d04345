"""What Keras 3 calls the settings that many layers have: activations, penalties, constraints, orderings."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from bigdl.export.keras3.entries import serialized
from bigdl.export.refusals import refused
from bigdl.formats.spec import StoredArray
from bigdl.graph import Layer
from bigdl.layers import activations
from bigdl.layers.constraints import MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from bigdl.layers.regularizers import L1L2Regularizer

logger = logging.getLogger("bigdl")

OTHERWISE = "Write .onnx or .pt2 instead."
"""What to do where Keras 3 cannot do the same."""

HARD_SIGMOID_SCALE = 1.2
"""Keras 3's ``hard_sigmoid`` has slope 1/6, that of Keras 1 1/5: of 1.2 times the input it is the same function."""

_ACTIVATIONS = {
    activations.softmax,
    activations.elu,
    activations.softplus,
    activations.softsign,
    activations.relu,
    activations.tanh,
    activations.sigmoid,
    activations.hard_sigmoid,
    activations.linear,
}


def activation_name(activation: Callable[..., Any], layer: Layer) -> str:
    """Returns the name of an activation function.

    Raises:
        ExportError: It is one of the user's own.
    """
    if activation not in _ACTIVATIONS:
        name = activations.name_of(activation)
        raise refused(layer, f"has an activation function of its own, {name}, which Keras 3 does not have", OTHERWISE)
    return activations.name_of(activation)


def input_scale(activation: Callable[..., Any]) -> float:
    """Returns what the input of an activation is to be multiplied by for Keras 3's function of the same name."""
    return HARD_SIGMOID_SCALE if activation is activations.hard_sigmoid else 1.0


def times(tensor: Tensor | None, scale: float) -> Tensor | None:
    """Returns a tensor multiplied by a number, itself where that is 1; None for None."""
    return tensor if tensor is None or scale == 1.0 else tensor * scale


def stored(*tensors: Tensor | None) -> list[StoredArray]:
    """Returns tensors as arrays of a file, read when they are written; None is left out."""
    return [_stored(tensor) for tensor in tensors if tensor is not None]


def _stored(tensor: Tensor) -> StoredArray:
    array = tensor.detach().cpu().float().numpy()
    return StoredArray("", tuple(array.shape), array.dtype, lambda: array)


def regularizer(penalty: Any, layer: Layer, scale: float = 1.0) -> dict[str, Any] | None:
    """Returns a penalty as Keras 3 writes it; one that it does not have is left out, with a warning.

    Args:
        penalty: The penalty, or None.
        layer: The layer.
        scale: What the array is multiplied by on its way to Keras 3.
    """
    if penalty is None:
        return None
    if type(penalty) is not L1L2Regularizer:
        logger.warning(
            "Layer %r is written without its penalty %s, which Keras 3 does not have.",
            layer.name,
            type(penalty).__name__,
        )
        return None
    config = {"l1": penalty.l1 / scale, "l2": penalty.l2 / scale**2}
    return serialized("keras.regularizers", "L1L2", config)


def constraint(rule: Any, layer: Layer, axes: Callable[[int], int] | None = None) -> dict[str, Any] | None:
    """Returns a constraint as Keras 3 writes it; one that it does not have is left out, with a warning.

    Args:
        rule: The constraint, or None.
        layer: The layer.
        axes: Where an axis of Keras 1's array lies in Keras 3's; at the same place by default.
    """
    place = axes or (lambda axis: axis)
    kind = type(rule)
    if rule is None:
        return None
    if kind is NonNeg:
        return serialized("keras.constraints", "NonNeg", {})
    if kind is MaxNorm:
        return serialized("keras.constraints", "MaxNorm", {"max_value": rule.m, "axis": _placed(rule.axis, place)})
    if kind is UnitNorm:
        return serialized("keras.constraints", "UnitNorm", {"axis": _placed(rule.axis, place)})
    if kind is MinMaxNorm:
        bounds = {"min_value": rule.low, "max_value": rule.high, "rate": rule.rate}
        return serialized("keras.constraints", "MinMaxNorm", {**bounds, "axis": _placed(rule.axis, place)})
    logger.warning(
        "Layer %r is written without its constraint %s, which Keras 3 does not have.", layer.name, kind.__name__
    )
    return None


def _placed(axis: int | Sequence[int], place: Callable[[int], int]) -> int | list[int]:
    return place(axis) if isinstance(axis, int) else [place(each) for each in axis]


def data_format(channels_last: bool) -> str:
    """Returns Keras 3's word for the place of the channels."""
    return "channels_last" if channels_last else "channels_first"
