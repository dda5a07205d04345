"""Weights of several gates side by side: their views in Keras's layout, their products, dropout gate by gate."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def gate_matrix(parameter: Tensor, gate: int, units: int) -> Tensor:
    """Returns one gate's ``(in, units)`` in Keras's layout, a view of ``(gates * units, in)``."""
    return gate_vector(parameter, gate, units).t()


def gate_vector(parameter: Tensor, gate: int, units: int) -> Tensor:
    """Returns one gate's part of the first axis, a view."""
    return parameter[gate * units : (gate + 1) * units]


def gate_groups(masks: Tensor | None, first: int, last: int, units: int) -> list[tuple[slice, Tensor | None]]:
    """Groups neighbouring gates that have one input.

    Args:
        masks: Dropout masks of the input ``(1 or gates, batch, in)``, or None.
        first: The first gate.
        last: The gate behind the last.
        units: The number of units.

    Returns:
        Each group's columns among those of all gates, and its mask.
    """
    if masks is None or len(masks) == 1:
        return [(slice(first * units, last * units), None if masks is None else masks[0])]
    return [(slice(i * units, (i + 1) * units), masks[i]) for i in range(first, last)]


def dropout_masks(p: float, gates: int, like: Tensor, size: int) -> Tensor | None:
    """Draws dropout masks that stay the same over time (Gal and Ghahramani 2016).

    Args:
        p: The share to drop.
        gates: How many masks.
        like: A tensor ``(batch, ...)`` of the masks' dtype and device.
        size: The number of units.

    Returns:
        Masks ``(gates, batch, size)`` of 0 and ``1 / (1 - p)``; None where ``p`` is outside (0, 1), which drops nothing
        in Keras.
    """
    return F.dropout(like.new_ones(gates, like.shape[0], size), p) if 0.0 < p < 1.0 else None


def project(steps: Tensor, weight: Tensor, bias: Tensor, masks: Tensor | None) -> Tensor:
    """Multiplies the inputs of all steps by the weights of all gates at once.

    Args:
        steps: ``(time, batch, in)``, or ``(batch, time, in)``.
        weight: ``(gates * units, in)``.
        bias: ``(gates * units,)``.
        masks: Dropout masks, 1 or one for each gate, each broadcastable to ``steps``; or None.

    Returns:
        ``(time, batch, gates * units)``, or batch first like ``steps``.
    """
    if masks is None:
        return F.linear(steps, weight, bias)
    parts = zip(masks, weight.chunk(len(masks)), bias.chunk(len(masks)), strict=True)
    return torch.cat([F.linear(steps * mask, w, b) for mask, w, b in parts], -1)


class RecurrentProduct:
    """The sum ``x + h U`` for gates side by side.

    Args:
        weight: U as ``(gates * units, units)``.
        masks: Dropout masks of h ``(1 or gates, batch, units)``, or None.
    """

    def __init__(self, weight: Tensor, masks: Tensor | None) -> None:
        self.weight = weight.t()
        self.masks = masks
        if masks is not None and len(masks) > 1:
            self.weight = weight.view(len(masks), -1, weight.shape[1]).transpose(1, 2)

    def __call__(self, x: Tensor, h: Tensor) -> Tensor:
        """Returns the sum ``(batch, gates * units)`` for x of that shape and h ``(batch, units)``."""
        if self.masks is None:
            return torch.addmm(x, h, self.weight)
        if len(self.masks) == 1:
            return torch.addmm(x, h * self.masks[0], self.weight)
        return x + torch.bmm(h * self.masks, self.weight).transpose(0, 1).flatten(1)
