"""The largest values over all positions of images, and the gradients of convolutions of which only these are taken.

Few values have a gradient then: one of each image and channel, or as many as are equally large, which share it as in
TensorFlow. The gradients of a convolution follow from these alone: ``csrc/largest.h``.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from bigdl.native import Library, address, kernels
from bigdl.programs import structures
from bigdl.programs.by_hand import calling
from bigdl.programs.views import features_last

_FEWEST_POSITIONS = 16
"""With fewer of them, or with more than one of so many values equally large, sums over all of them are as quick."""


def over_all(x: Tensor) -> Tensor:
    """Returns the largest values of a channels-first tensor over all positions, by torch.

    Args:
        x: The tensor, (images, channels, *spatial).
    """
    return x.amax(tuple(range(2, x.dim())))


@dataclass(slots=True)
class Places:
    """Where the largest values are.

    Attributes:
        memory: One row of ``struct Place`` for each image.
        counts: How many there are in each.
        most: How many a row has room for.
        shape: Of what they are places in: (images, channels, *spatial).
    """

    memory: Tensor
    counts: Tensor
    most: int
    shape: torch.Size

    def are_few(self) -> bool:
        """Whether there is room for all."""
        return int(self.counts.max()) <= self.most

    def structure(self, x: Tensor | None = None, y: Tensor | None = None) -> structures.Largest:
        """Returns the library's description.

        Args:
            x: The tensor, features last in its memory.
            y: Its largest values.
        """
        images, channels, *lengths = self.shape
        places = (address(x), address(y), self.memory.data_ptr(), self.counts.data_ptr())
        return structures.Largest(images, math.prod(lengths), channels, self.most, *places)


def suits(x: Tensor) -> bool:
    """Whether the kernels in C++ find the largest values, and sooner than torch.

    Args:
        x: The tensor, channels first.
    """
    plain = x.dtype == torch.float32 and x.is_cpu and x.dim() == 4
    return plain and x.numel() > 0 and x.shape[2] * x.shape[3] >= _FEWEST_POSITIONS


def pays(x: Tensor, weight: Tensor, padding: list[int], stride: list[int], dilation: list[int]) -> bool:
    """Whether a convolution has so many positions that it pays to look for the largest values.

    Args:
        x: The images, channels first.
        weight: The kernel.
        padding: The zeros on either side of rows and columns.
        stride: The kernel's steps.
        dilation: The distance of its cells.
    """
    axes = zip(x.shape[2:], weight.shape[2:], padding, stride, dilation, strict=True)
    lengths = ((n + 2 * zeros - (size - 1) * gap - 1) // step + 1 for n, size, zeros, step, gap in axes)
    return x.numel() > 0 and math.prod(lengths) >= _FEWEST_POSITIONS


def found(library: Library, x: Tensor) -> tuple[Tensor, Places]:
    """Returns the largest values over all positions, (images, channels), and their places.

    Args:
        library: The library.
        x: The tensor, channels first.
    """
    x = features_last(x)
    images, channels, *lengths = x.shape
    most = max(channels, math.prod(lengths) * channels // _FEWEST_POSITIONS)
    size = ctypes.sizeof(structures.Place)
    memory, counts = torch.empty(images, most * size, dtype=torch.uint8), torch.empty(images, dtype=torch.int64)
    places, y = Places(memory, counts, most, x.shape), x.new_empty(images, channels)
    library.run(library.functions.bigdl_largest, places.structure(x, y))
    return y, places


def spread(library: Library, gradient: Tensor, x: Tensor, y: Tensor, places: Places) -> Tensor:
    """Returns the gradient of a tensor from that of its largest values.

    Args:
        library: The library.
        gradient: That of ``y``.
        x: The tensor, channels first.
        y: Its largest values.
        places: Where they are.
    """
    if not places.are_few():
        return spread_by_torch(gradient, x, y)
    gradient = gradient.contiguous()
    of_x = torch.empty(x.shape, memory_format=torch.channels_last)
    largest = places.structure()
    call = structures.LargestGradient(ctypes.addressof(largest), gradient.data_ptr(), of_x.data_ptr())
    library.run(library.functions.bigdl_largest_gradient, call)
    return of_x


def spread_by_torch(gradient: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """The same however many are equally large, by torch's operations.

    Args:
        gradient: That of ``y``.
        x: The tensor, channels first.
        y: Its largest values.
    """
    y, gradient = y[:, :, None, None], gradient[:, :, None, None]
    same = (x == y).logical_or_(x.isnan() & y.isnan())
    return same * (gradient / same.sum((2, 3), keepdim=True))


def convolution_gradients(
    library: Library,
    gradient: Tensor,
    places: Places,
    x: Tensor,
    weight: Tensor,
    sizes: tuple[list[int], list[int], list[int]],
    wanted: tuple[bool, bool],
) -> tuple[Tensor | None, Tensor | None]:
    """Returns the gradients of images and kernel of a convolution whose largest values are taken.

    Args:
        library: The library.
        gradient: That of the largest values.
        places: Where they are, few enough.
        x: The images, channels first.
        weight: The kernel.
        sizes: Padding, stride and dilation.
        wanted: Whether the first gradient is, and the second.
    """
    form = torch.channels_last
    x, cells, gradient = x.contiguous(memory_format=form), weight.contiguous(memory_format=form), gradient.contiguous()
    of_x = torch.empty(x.shape, memory_format=form) if wanted[0] else None
    of_weight = torch.empty(weight.shape, memory_format=form) if wanted[1] else None
    convolution = structures.convolution(x, cells, places.shape[2:], *sizes, filters=len(weight), size=weight.shape[2:])
    largest = places.structure()
    call = structures.LargestConvolutionGradient(
        *(ctypes.addressof(largest), ctypes.addressof(convolution), gradient.data_ptr()),
        *(address(of_x), address(of_weight)),
    )
    library.run(library.functions.bigdl_largest_convolution_gradient, call)
    return of_x, of_weight


class _LargestValues(torch.autograd.Function):
    """The largest values of a tensor over all positions."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, library: Library) -> Tensor:
        """Takes them."""
        y, ctx.places = found(library, x)
        ctx.library = library
        ctx.save_for_backward(x, y)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Any:
        """Returns the gradient of the tensor."""
        x, y = ctx.saved_tensors
        return spread(ctx.library, gradient, x, y, ctx.places), None


_taken: Callable[..., Tensor] = calling(_LargestValues)


def largest_values(x: Tensor) -> Tensor:
    """Returns the largest values of a channels-first tensor over all positions, differentiable.

    Args:
        x: The tensor, (images, channels, *spatial).
    """
    library = kernels()
    if library is None or not suits(x):
        return over_all(x)
    return _taken(x, library)
