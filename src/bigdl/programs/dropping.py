"""Dropout: a share of the elements becomes zero."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from bigdl.native import kernels
from bigdl.programs import structures
from bigdl.programs.by_hand import calling

_VALUES = 1 << 16
_LEAST = -(1 << 15)


class Pattern(NamedTuple):
    """Which elements stay, in the order of their memory.

    Attributes:
        seed: What the random numbers follow from, 16 bits for each element.
        limit: Those below it stay.
        scale: What they are multiplied by, so that the mean stays.
    """

    seed: int
    limit: int
    scale: float

    def stay(self, count: int) -> Tensor:
        """Returns which of the first elements stay.

        Args:
            count: How many elements.
        """
        return random_numbers(self.seed, (count + 3) // 4).view(torch.int16)[:count] < self.limit


def pattern(p: float) -> Pattern | None:
    """Draws a pattern, None where nothing would be dropped.

    One of torch's random numbers is the seed of all. 64 bits decide over four elements. The share is a multiple of
    1 / 65,536, and the scale is that of this share.

    Args:
        p: The share to drop, above 0 and below 1.
    """
    return patterns([p])[0]


def patterns(shares: Sequence[float]) -> list[Pattern | None]:
    """Draws several patterns at once, the same as one after the other.

    Args:
        shares: What each is to drop, at least 0 and below 1.
    """
    kept = [min(max(round((1.0 - p) * _VALUES), 1), _VALUES) for p in shares]
    count = sum(n < _VALUES for n in kept)
    seeds = iter(torch.empty(count, dtype=torch.int64).random_(-(1 << 63), None).tolist() if count else ())
    return [Pattern(next(seeds), _LEAST + n, _VALUES / n) if n < _VALUES else None for n in kept]


def random_numbers(seed: int, count: int) -> Tensor:
    """Returns random numbers of 64 bits by SplitMix64 (Steele, Lea and Flood 2014).

    Args:
        seed: The seed, of 64 bits with a sign.
        count: How many.
    """
    z = torch.arange(1, count + 1).mul_(-0x61C8864680B583EB).add_(seed)
    for shift, factor in ((30, -0x40A7B892E31B1A47), (27, -0x6B2FB644ECCEEE15)):
        z.bitwise_xor_(_shifted(z, shift)).mul_(factor)
    return z.bitwise_xor_(_shifted(z, 31))


def _shifted(z: Tensor, bits: int) -> Tensor:
    """Returns whole numbers shifted to the right, their sign like any other bit."""
    return (z >> bits).bitwise_and_((1 << (64 - bits)) - 1)


def dropped(x: Tensor, p: float) -> Tensor:
    """Sets a share of the elements to zero and scales the rest, so that the mean stays; see ``pattern``.

    Args:
        x: The tensor.
        p: The share, above 0 and below 1.
    """
    chosen = pattern(p) if x.device.type == "cpu" else None
    if chosen is None:
        return torch.dropout(x, p, True)
    if kernels() is not None and x.dtype == torch.float32 and _is_dense(x):
        return _apply(x, chosen)
    mask = chosen.stay(x.numel()).to(x.dtype).mul_(chosen.scale)
    return x * (mask.as_strided(x.shape, x.stride()) if _is_dense(x) else mask.view(x.shape))


class _Dropped(torch.autograd.Function):
    """The same in one pass each way."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, chosen: Pattern) -> Tensor:
        """Drops."""
        ctx.chosen, ctx.strides = chosen, x.stride()
        return _kept(x, chosen)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        """Drops of the gradient what was dropped."""
        if gradient.stride() != ctx.strides:
            gradient = torch.empty_strided(gradient.shape, ctx.strides).copy_(gradient)
        apply: Callable[..., Tensor] = _Dropped.apply  # differentiable in turn
        return apply(gradient, ctx.chosen), None


_apply: Callable[..., Tensor] = calling(_Dropped)


def _kept(x: Tensor, chosen: Pattern) -> Tensor:
    library, y = kernels(), torch.empty_like(x)
    assert library is not None
    rows = len(x) if x.dim() else 1
    numbers = (chosen.seed, structures.LINEAR, True, chosen.limit, chosen.scale)
    call = structures.Finish(rows, x.numel() // max(rows, 1), *numbers, None, x.data_ptr(), y.data_ptr())
    library.run(library.functions.bigdl_finish, call)
    return y


def _is_dense(x: Tensor) -> bool:
    """Whether a tensor's elements fill its memory, each once, in some order of the axes."""
    expected = 1
    for stride, length in sorted(zip(x.stride(), x.shape, strict=True)):
        if length != 1 and stride != expected:
            return False
        expected *= length
    return True
