"""Patterns of zeros for dropout."""

from __future__ import annotations

import torch
from torch import Tensor

_VALUES = 1 << 16
_LEAST, _MOST = -(1 << 15), (1 << 15) - 1
_FOUR_VALUES = torch.int64


def dropped(x: Tensor, p: float) -> Tensor:
    """Sets a share of the elements to zero and scales the rest, so that the mean stays.

    Of torch's random numbers, 64 bits decide over four elements, a quarter of what torch's own dropout draws. The share
    is a multiple of 1 / 65,536, and the scale is that of this share.

    Args:
        x: The tensor.
        p: The share, above 0 and below 1.
    """
    kept = min(max(round((1.0 - p) * _VALUES), 1), _VALUES)
    if x.device.type != "cpu" or kept == _VALUES:
        return torch.dropout(x, p, True)
    drawn = torch.empty((x.numel() + 3) // 4, dtype=_FOUR_VALUES).random_(-(1 << 63), None)
    chosen = drawn.view(torch.int16)[: x.numel()] < _LEAST + kept
    mask = chosen.to(x.dtype).mul_(_VALUES / kept)
    return x * (mask.as_strided(x.shape, x.stride()) if _is_dense(x) else mask.view(x.shape))


def _is_dense(x: Tensor) -> bool:
    """Whether a tensor's elements fill its memory, each once, in some order of the axes."""
    expected = 1
    for stride, length in sorted(zip(x.stride(), x.shape, strict=True)):
        if length != 1 and stride != expected:
            return False
        expected *= length
    return True
