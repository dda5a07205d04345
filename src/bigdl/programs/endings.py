"""What follows a product in training: pooling, ``relu``, dropping; and the gradient on its way back through them."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from bigdl.native import Library, address, kernels
from bigdl.programs import structures
from bigdl.programs.dropping import pattern
from bigdl.programs.largest import over_all
from bigdl.programs.operations import Affine, Convolve
from bigdl.programs.precision import full
from bigdl.programs.prediction import POOLINGS
from bigdl.programs.views import features_last


@dataclass(slots=True)
class Kept:
    """What the gradient needs beside the result.

    Attributes:
        where: Which cell of each window is the largest; None without windows.
        images: The sizes of what was pooled.
        scale: What dropping has multiplied by.
    """

    where: Tensor | None = None
    images: tuple[int, ...] = ()
    scale: float = 1.0


class Ending(Protocol):
    """A way to compute what follows a product, and its gradient, outside of autograd.

    Attributes:
        relu: Whether it knows the gradient from the result, as ``relu`` comes last but for dropping.
        pools: Whether it pools first, so that the product cannot do ``relu`` itself.
    """

    relu: bool
    pools: bool

    def finish(self, y: Tensor, bias: Tensor | None = None) -> tuple[Tensor, Kept]:
        """Returns the result, and what its gradient needs; takes the memory of ``y``.

        Args:
            y: The product; of convolutions, after ``relu`` unless it is pooled.
            bias: What is still to be added to each feature.
        """

    def gradient(self, gradient: Tensor, y: Tensor | None, kept: Kept) -> tuple[Tensor, Tensor]:
        """Returns the gradient of the product, and its sum over all but the features.

        Args:
            gradient: That of the result.
            y: The result; None without ``relu``.
            kept: What ``finish`` returned with it.
        """


class TorchEnding:
    """``relu`` that the product has done already, its gradient by torch's operations.

    Args:
        operation: The product.
    """

    pools = False

    def __init__(self, operation: Affine) -> None:
        self.relu = operation.relu and not _pools(operation)

    def finish(self, y: Tensor, bias: Tensor | None = None) -> tuple[Tensor, Kept]:
        """See ``Ending``; there is nothing left to do."""
        return y, Kept()

    def gradient(self, gradient: Tensor, y: Tensor | None, kept: Kept) -> tuple[Tensor, Tensor]:
        """See ``Ending``."""
        if y is not None:
            gradient = torch.ops.aten.threshold_backward(gradient, y, 0)
        return gradient, _summed(gradient)


class NativeEnding:
    """All of it in few passes, by the kernels in C++; for float32 on the CPU.

    Args:
        operation: The product.
        library: The kernels.
    """

    def __init__(self, operation: Affine, library: Library) -> None:
        self.relu = operation.relu
        self._activation = structures.relu_or_linear(operation.relu)
        self.pools = isinstance(operation, Convolve) and operation.window is not None
        self._operation = operation
        self._window = (operation.window if isinstance(operation, Convolve) else None) or (1, 1)
        self.library = library

    def finish(self, y: Tensor, bias: Tensor | None = None) -> tuple[Tensor, Kept]:
        """See ``Ending``."""
        kept = Kept()
        y = features_last(y)
        if self.pools:
            kept.images = tuple(y.shape)
            y, kept.where = self._pool(y)
        share = self._operation.drop.share() if self._operation.drop else 0.0
        chosen = pattern(share) if share else None
        if chosen is not None or bias is not None or (self.relu and y.dim() == 2) or (self.relu and self.pools):
            seed, limit, kept.scale = chosen or (0, 0, 1.0)
            places = (address(bias), y.data_ptr(), y.data_ptr())
            numbers = (seed, self._activation, chosen is not None, limit, kept.scale)
            call = structures.Finish(*_rows_and_columns(y), *numbers, *places)
            self.library.run(self.library.functions.bigdl_finish, call)
        return y, kept

    def gradient(self, gradient: Tensor, y: Tensor | None, kept: Kept) -> tuple[Tensor, Tensor]:
        """See ``Ending``."""
        gradient = features_last(gradient)
        if y is None:
            sums = _summed(gradient)
        else:
            result, sums = torch.empty_like(gradient), gradient.new_empty(gradient.shape[1])
            places = (gradient.data_ptr(), y.data_ptr(), result.data_ptr(), sums.data_ptr())
            call = structures.FinishGradient(*_rows_and_columns(y), self._activation, kept.scale, *places)
            self.library.run(self.library.functions.bigdl_finish_gradient, call)
            gradient = result
        return (gradient if kept.where is None else self._spread(gradient, kept.where, kept.images)), sums

    def _pool(self, x: Tensor) -> tuple[Tensor, Tensor]:
        lengths = (n // k for n, k in zip(x.shape[2:], self._window, strict=True))
        y = _images((*x.shape[:2], *lengths), x)
        where = torch.empty_like(y, dtype=torch.uint8)
        self.library.run(self.library.functions.bigdl_pool, self._windows(x, y, where))
        return y, where

    def _spread(self, gradient: Tensor, where: Tensor, shape: tuple[int, ...]) -> Tensor:
        x = _images(shape, gradient)
        self.library.run(self.library.functions.bigdl_pool_gradient, self._windows(x, gradient, where))
        return x

    def _windows(self, x: Tensor, y: Tensor, where: Tensor) -> ctypes.Structure:
        images, channels, *lengths = x.shape
        places = (x.data_ptr(), y.data_ptr(), where.data_ptr())
        return structures.Windows(images, *lengths, channels, *self._window, *places)


def native_ending(operation: Affine) -> NativeEnding | None:
    """Returns the ending of a product by the kernels; None where they were not built or do not know it."""
    library = kernels()
    window = operation.window if isinstance(operation, Convolve) else None
    known = window is None or (len(window) == 2 and window[0] * window[1] <= 256)
    return None if library is None or not known else NativeEnding(operation, library)


def plain_ending(operation: Affine, y: Tensor, rectified: bool = False) -> Tensor:
    """Computes what follows a product by torch's operations, differentiable.

    Args:
        operation: The product.
        y: Its result.
        rectified: Whether ``relu`` is done already.
    """
    if isinstance(operation, Convolve) and operation.window is not None:
        y = POOLINGS[y.dim()](y, operation.window)
    if isinstance(operation, Convolve) and operation.over_all:
        y = over_all(y).clone()  # the gradient looks at the values as they are
    y = y.relu_() if operation.relu and not rectified else y
    return y if operation.drop is None else operation.drop.function(full(y))


def _pools(operation: Affine) -> bool:
    return isinstance(operation, Convolve) and (operation.window is not None or operation.over_all)


def _summed(x: Tensor) -> Tensor:
    """Returns the sum over all but the features."""
    return x.sum([axis for axis in range(x.dim()) if axis != 1])


def _images(shape: tuple[int, ...], like: Tensor) -> Tensor:
    return torch.empty(shape, dtype=like.dtype, memory_format=torch.channels_last)


def _rows_and_columns(x: Tensor) -> tuple[int, int]:
    return x.numel() // x.shape[1], x.shape[1]
