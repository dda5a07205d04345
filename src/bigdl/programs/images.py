"""Operations over images, channels first, beside convolutions over all channels; and what joins values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.programs.operations import Affine, Apply, Operation, Source
from bigdl.programs.upsampling import repeated, repeating
from bigdl.programs.views import Views, applied, undone


@dataclass(eq=False, slots=True)
class Pool(Apply):
    """One value for each window of a channels-first tensor.

    Attributes:
        size: The windows' lengths.
        stride: Their steps.
        pads: Returns how far windows reach over images of some lengths, before and after, by axis.
        padded: Whether any may.
    """

    size: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    pads: Callable[[Sequence[int]], Sequence[tuple[int, int]]] = field(kw_only=True)
    padded: bool = True


@dataclass(eq=False, slots=True)
class MaxPool(Pool):
    """The largest values of windows of a channels-first tensor."""

    @property
    def window(self) -> tuple[int, ...] | None:
        """The windows' lengths, where they lie side by side and none reaches over the end."""
        return self.size if self.stride == self.size and not self.padded else None


@dataclass(eq=False, slots=True)
class AveragePool(Pool):
    """The means of windows of a channels-first tensor, over the cells inside."""


@dataclass(eq=False, slots=True)
class PoolOfAll(Apply):
    """One value for each channel of a channels-first tensor, over all positions: (images, channels).

    Attributes:
        rank: The rank of the tensor.
    """

    rank: int = 4


@dataclass(eq=False, slots=True)
class LargestOfAll(PoolOfAll):
    """The largest values over all positions."""


@dataclass(eq=False, slots=True)
class MeanOfAll(PoolOfAll):
    """The means over all positions."""


@dataclass(eq=False, slots=True)
class Pad(Operation):
    """Zeros around a channels-first tensor, or cells taken away.

    Attributes:
        pads: Their number before and after, for each spatial axis; below 0 for those that are taken away.
    """

    pads: tuple[tuple[int, int], ...]

    def kernel(self) -> Callable[..., Any]:
        """Returns a padding."""
        return partial(F.pad, pad=[n for pair in reversed(self.pads) for n in pair])


@dataclass(eq=False, slots=True)
class Repeat(Operation):
    """Each cell of a channels-first tensor several times.

    Attributes:
        times: How often, for each spatial axis.
    """

    times: tuple[int, ...]

    def kernel(self) -> Callable[..., Any]:
        """Returns an interpolation that takes the nearest cell."""
        return repeating(self.times) if len(self.times) == 2 else partial(repeated, times=self.times)


@dataclass(eq=False, slots=True)
class Join(Operation):
    """Tensors side by side.

    Attributes:
        axis: The axis along which they lie.
        rank: Their rank.
    """

    axis: int
    rank: int

    def kernel(self) -> Callable[..., Any]:
        """Returns torch's concatenation."""
        return lambda *x: torch.cat(x, self.axis)


@dataclass(eq=False, slots=True)
class InOrder(Apply):
    """The values of each row in another shape, in their order.

    Attributes:
        target: The shape of a row; one length may be -1.
    """

    target: tuple[int, ...] = ()

    def shape(self, count: int) -> tuple[int, ...]:
        """Returns the shape of a row of some values."""
        rest = math.prod(n for n in self.target if n != -1)
        return tuple(count // rest if n == -1 else n for n in self.target)


@dataclass(eq=False, slots=True)
class RepeatRow(Operation):
    """A row as each step of a sequence: (rows, steps, values).

    Attributes:
        steps: How many.
    """

    steps: int

    def kernel(self) -> Callable[..., Any]:
        """Returns a function that copies nothing."""
        return lambda x: x.unsqueeze(1).expand(-1, self.steps, -1)


@dataclass(eq=False, slots=True)
class Reverse(Operation):
    """The steps of sequences, the last one first."""

    def kernel(self) -> Callable[..., Any]:
        """Returns a function of torch."""
        return lambda x: x.flip(1)


@dataclass(eq=False, slots=True)
class Lookup(Apply):
    """The rows of a table that whole numbers tell: (rows, steps, values).

    Attributes:
        table: The table.
    """

    table: Source = field(kw_only=True)

    def sources(self) -> list[Source]:
        """Returns the weights behind it."""
        return [self.table]


@dataclass(eq=False, slots=True)
class DepthwiseConvolve(Affine):
    """A convolution of each channel of a channels-first tensor by itself.

    Attributes:
        size: The kernel's lengths.
        stride: Its steps.
        pads: Returns the zeros around images of some lengths, before and after, by axis.
        multiplier: How many filters each channel has.
    """

    size: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    pads: Callable[[Sequence[int]], Sequence[tuple[int, int]]] = field(kw_only=True)
    multiplier: int = 1


@dataclass(eq=False, slots=True)
class Leak(Apply):
    """Values that are not above zero multiplied by a slope, or ``e`` to them, less 1.

    Attributes:
        slope: The slope; None for ``factor``.
        factor: A slope for all values.
        exponential: Whether it multiplies ``e ** x - 1``.
        views: How the layer sees values whose slopes lie as the weight tells.
    """

    slope: Source | None = None
    factor: float = 0.0
    exponential: bool = False
    views: Views = ()

    def sources(self) -> list[Source]:
        """Returns the weights behind it."""
        return [] if self.slope is None else [self.slope]

    def slopes(self, rank: int) -> Tensor:
        """Returns what can be multiplied with the values.

        Args:
            rank: Their rank.
        """
        if self.slope is None:
            return torch.full((1,) * rank, self.factor)
        slopes = self.slope().detach()[None]
        return applied(undone(self.views), slopes)
