"""Torch's fused kernels of oneDNN, which its own compiler uses.

They are not part of torch's public interface. Where one is missing, or the tensors are not what it takes, torch's
ordinary operations compute the same. Their ``relu`` is not used: it makes 0 of what is not a number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

_TYPES = (torch.float32, torch.bfloat16)


class Kernels(NamedTuple):
    """The kernels.

    Attributes:
        convolve: ``(x, weight, bias, padding, stride, dilation, groups, "none", [], "")``.
        convolve_and_add: ``(x, other, weight, bias, padding, stride, dilation, groups, "add", 1.0, None, [], "")``.
        pack: ``(weight, padding, stride, dilation, groups, size of the input)``; gives the weight as oneDNN likes it.
    """

    convolve: Callable[..., Tensor]
    convolve_and_add: Callable[..., Tensor]
    pack: Callable[..., Tensor]


@cache
def kernels() -> Kernels | None:
    """Returns the kernels, None where this torch has them not."""
    mkldnn: Any = torch.ops.mkldnn
    try:
        pointwise, pack = mkldnn._convolution_pointwise, mkldnn._reorder_convolution_weight
        return Kernels(pointwise.default, pointwise.binary, pack.default)
    except AttributeError:
        return None


def take(x: Tensor) -> bool:
    """Whether the kernels take a tensor of this kind."""
    return x.dtype in _TYPES and x.device.type == "cpu" and x.dim() == 4


def gradients(
    gradient: Tensor, x: Tensor, weight: Tensor, sizes: Sequence[Sequence[int]], wanted: Sequence[bool]
) -> tuple[Tensor | None, Tensor | None]:
    """Returns the gradients of a convolution's images and kernel, those that are wanted; this one is torch's own.

    Args:
        gradient: The gradient of the result.
        x: The images.
        weight: The kernel.
        sizes: Padding, stride and dilation.
        wanted: Whether the first one is, and the second.
    """
    padding, stride, dilation = sizes
    more = (None, stride, padding, dilation, False, [0, 0], 1, [*wanted, False])
    found: tuple[Tensor | None, ...] = torch.ops.aten.convolution_backward(gradient, x, weight, *more)
    return found[0], found[1]


def evenly_padded(x: Tensor, pads: Sequence[tuple[int, int]]) -> tuple[Tensor, list[int]]:
    """Returns a channels-first tensor and the padding that is left to a kernel, which takes as much on either side.

    Args:
        x: The tensor.
        pads: The zeros before and after, by axis.
    """
    if all(before == after for before, after in pads):
        return x, [before for before, _ in pads]
    return F.pad(x, [n for pair in reversed(pads) for n in pair]), [0] * len(pads)
