"""Convolutions by kernels of 3 x 3 with less than half of the products: ``csrc/winograd.h``."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from bigdl.native import Library, kernels
from bigdl.programs import structures

_FEWEST, _WHOLE = 32, 16
"""The fewest channels for which turning values into cells and back pays, and of which a multiple fills all vectors."""

_MOST_PRODUCTS = 0.7
"""As a share of those of the plain sums; small images have many cells outside of them."""

_WINDOWS = ((1, 1), (2, 2))


def suits(
    weight: Tensor,
    stride: Sequence[int],
    dilation: Sequence[int],
    positions: Sequence[int],
    window: Sequence[int] = (1, 1),
) -> bool:
    """Whether the kernels can compute a convolution, and sooner than others.

    Args:
        weight: Its kernel, (filters, channels, rows, columns).
        stride: Its steps.
        dilation: The distance of its cells.
        positions: How many positions it has, by axis.
        window: The windows of whose values the largest is taken.
    """
    filters, channels, *size = weight.shape
    if size != [3, 3] or weight.dtype != torch.float32 or {*stride, *dilation} != {1} or tuple(window) not in _WINDOWS:
        return False
    if min(filters, channels) < _FEWEST or filters % _WHOLE or channels % _WHOLE:
        return False
    tiles = math.prod(-(-n // 2) for n in positions)
    return 16 * tiles <= _MOST_PRODUCTS * 9 * math.prod(positions)


def packed(library: Library, weight: Tensor, turned: bool = False) -> Tensor:
    """Returns a kernel as the library reads it.

    Args:
        library: The library.
        weight: The kernel, (filters, channels, 3, 3), which may lie in memory in any way.
        turned: Whether it is for the gradient of the images: upside down, filters and channels exchanged.
    """
    kernel = _kernel(weight, turned)
    sizes = (ctypes.c_int64(kernel.filters), ctypes.c_int64(kernel.channels))
    cells = weight.new_empty(library.functions.bigdl_winograd_size(*sizes, library.set))
    library.functions.bigdl_pack_winograd(ctypes.byref(kernel), ctypes.c_void_p(cells.data_ptr()), library.set)
    return cells


def library_for(
    x: Tensor, weight: Tensor, padding: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> Library | None:
    """Returns the library, if it is to compute a convolution and its gradients; None if others are.

    Args:
        x: The images, (images, channels, rows, columns).
        weight: The kernel.
        padding: The zeros on either side of rows and columns.
        stride: The kernel's steps.
        dilation: The distance of its cells.
    """
    library = kernels()
    positions = [n + 2 * pad - 2 for n, pad in zip(x.shape[2:], padding, strict=True)]
    usable = library is not None and x.dtype == torch.float32 and x.is_cpu and max(padding) <= 2 and min(positions) > 0
    return library if usable and suits(weight, stride, dilation, positions) else None


def convolve(
    library: Library,
    x: Tensor,
    weight: Tensor,
    padding: Sequence[int],
    bias: Tensor | None = None,
    relu: bool = False,
    turned: bool = False,
) -> Tensor:
    """Convolves.

    Args:
        library: The library.
        x: The images.
        weight: The kernel.
        padding: The zeros on either side of rows and columns, not below 0.
        bias: What is added to each filter's result.
        relu: Whether ``max(x, 0)`` comes last.
        turned: See ``packed``.
    """
    lengths = [n + 2 * pad - 2 for n, pad in zip(x.shape[2:], padding, strict=True)]
    y = torch.empty(len(x), weight.shape[1 if turned else 0], *lengths, memory_format=torch.channels_last)
    x, bias = x.contiguous(memory_format=torch.channels_last), None if bias is None else bias.contiguous()
    cells = packed(library, weight, turned)
    library.run(library.functions.bigdl_winograd, _call(x, y, padding, bias, relu, cells))
    return y


def gradients(
    library: Library, gradient: Tensor, x: Tensor, weight: Tensor, padding: Sequence[int], wanted: Sequence[bool]
) -> tuple[Tensor | None, Tensor | None]:
    """Returns the gradients of the images and of the kernel, those that are wanted.

    Args:
        library: The library.
        gradient: The gradient of the result.
        x: The images.
        weight: The kernel.
        padding: The zeros on either side of rows and columns, 2 at most.
        wanted: Whether the first one is, and the second.
    """
    x, gradient = (tensor.contiguous(memory_format=torch.channels_last) for tensor in (x, gradient))
    of_images = of_kernel = None
    if wanted[0]:
        of_images = convolve(library, gradient, weight, [2 - pad for pad in padding], turned=True)
    if wanted[1]:
        of_kernel = torch.empty_like(weight)
        call = _call(x, gradient, padding)
        library.run(library.functions.bigdl_winograd_gradient, call, ctypes.byref(_kernel(of_kernel)))
    return of_images, of_kernel


def _kernel(weight: Tensor, turned: bool = False) -> structures.Kernel3x3:
    filters, channels, rows, columns = weight.stride()
    if not turned:
        return structures.Kernel3x3(*weight.shape[:2], filters, channels, rows, columns, weight.data_ptr())
    last = weight.data_ptr() + 2 * (rows + columns) * weight.element_size()
    return structures.Kernel3x3(*weight.shape[1::-1], channels, filters, -rows, -columns, last)


def _call(
    x: Tensor,
    y: Tensor,
    padding: Sequence[int],
    bias: Tensor | None = None,
    relu: bool = False,
    cells: Tensor | None = None,
) -> structures.Convolution:
    return structures.convolution(
        x, cells, y.shape[2:], padding, filters=y.shape[1], size=(3, 3), y=y, bias=bias, relu=relu, transformed=True
    )
