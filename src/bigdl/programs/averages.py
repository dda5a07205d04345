"""Means over all positions, in training."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from bigdl.programs.by_hand import calling
from bigdl.programs.views import features_last


class _Means(torch.autograd.Function):
    """Means over all positions; the gradient is written once, features last, as layers before it want it.

    Torch's own is written as the axes are numbered, and put in order by whoever takes it: for sequences of looked-up
    vectors three times.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Returns the means of a channels-first tensor: (images, channels)."""
        ctx.shape = x.shape
        return x.mean(tuple(range(2, x.dim())))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        """Returns the gradient of the tensor."""
        each = gradient / math.prod(ctx.shape[2:])
        return features_last(each.view(*each.shape, *(1 for _ in ctx.shape[2:])).expand(ctx.shape))


means: Callable[[Tensor], Tensor] = calling(_Means)
