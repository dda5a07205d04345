"""Cells of images repeated, in training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.programs.by_hand import calling
from bigdl.programs.views import features_last


def repeated(x: Tensor, times: Sequence[int]) -> Tensor:
    """Returns a channels-first tensor with each cell repeated.

    Args:
        x: The tensor.
        times: How often, by spatial axis.
    """
    lengths = [length * count for length, count in zip(x.shape[2:], times, strict=True)]
    return F.interpolate(x, lengths, mode="nearest-exact")


class _Repeated(torch.autograd.Function):
    """Each cell repeated; the gradient is the sum over a window.

    Torch's own gradient takes eight times as long for a part of the channels, as behind a concatenation.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, times: list[int]) -> Tensor:
        """Repeats the rows and columns of images (images, channels, rows, columns)."""
        ctx.times = times
        return repeated(x, times)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        """Returns the gradient of the images."""
        return F.avg_pool2d(features_last(gradient), ctx.times, divisor_override=1), None


def repeating(times: Sequence[int]) -> Callable[[Tensor], Tensor]:
    """Returns what repeats the rows and columns of images, channels first.

    Args:
        times: How often, by axis.
    """
    apply: Callable[..., Tensor] = calling(_Repeated)
    return lambda x: apply(x, list(times))
