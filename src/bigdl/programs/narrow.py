"""Convolutions of images with few channels, such as grey ones, or by few filters, which would leave vectors empty."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import torch
from torch import Tensor

from bigdl.native import Library, kernels
from bigdl.programs import fused, products, structures
from bigdl.programs.views import features_last

_MOST = 3
"""The most channels, or filters, for which the kernels are ahead."""


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
    filters, channels, *size = weight.shape
    if x.dtype != torch.float32 or not x.is_cpu or {*dilation} != {1} or size == [1, 1]:
        return None
    if channels > _MOST and (filters > _MOST or {*stride} != {1}):
        return None
    reaches = all(n + 2 * pad >= cells for n, pad, cells in zip(x.shape[2:], padding, size, strict=True))
    # Behind the first and last positions, the gradient's windows would have to reach over less than nothing.
    fits = all(pad < cells for pad, cells in zip(padding, size, strict=True))
    return kernels() if x.numel() and reaches and fits else None


def convolve(
    library: Library,
    x: Tensor,
    weight: Tensor,
    padding: Sequence[int],
    stride: Sequence[int],
    bias: Tensor | None = None,
    relu: bool = False,
) -> Tensor:
    """Convolves.

    Args:
        library: The library.
        x: The images.
        weight: The kernel.
        padding: The zeros on either side of rows and columns.
        stride: The kernel's steps.
        bias: What is added to each filter's result.
        relu: Whether ``max(x, 0)`` comes last.
    """
    sizes = zip(x.shape[2:], weight.shape[2:], padding, stride, strict=True)
    lengths = [(n + 2 * pad - cells) // step + 1 for n, cells, pad, step in sizes]
    y = torch.empty(len(x), len(weight), *lengths, memory_format=torch.channels_last)
    products.convolve(library, features_last(x), weight, y, bias, relu, padding, stride)
    return y


def gradients(
    library: Library,
    gradient: Tensor,
    x: Tensor,
    weight: Tensor,
    padding: Sequence[int],
    stride: Sequence[int],
    wanted: Sequence[bool],
) -> tuple[Tensor | None, Tensor | None]:
    """Returns the gradients of the images and of the kernel, those that are wanted.

    Args:
        library: The library.
        gradient: The gradient of the result.
        x: The images.
        weight: The kernel.
        padding: The zeros on either side of rows and columns.
        stride: The kernel's steps.
        wanted: Whether the first one is, and the second.
    """
    of_images = of_kernel = None
    other_side = [cells - 1 - pad for cells, pad in zip(weight.shape[2:], padding, strict=True)]
    if wanted[0]:
        if {*stride} == {1}:
            of_images = convolve(library, gradient, _turned(weight), other_side, stride)
        else:
            of_images, _ = fused.gradients(gradient, x, weight, (padding, stride, (1, 1)), (True, False))
    if wanted[1]:
        if weight.shape[1] <= _MOST:
            of_kernel = _of_kernel(library, x, gradient, weight.shape[2:], padding, stride)
        else:  # the gradient's few channels are what lies under windows
            of_kernel = _turned(_of_kernel(library, gradient, x, weight.shape[2:], other_side, stride))
    return of_images, of_kernel


def _of_kernel(
    library: Library, x: Tensor, gradient: Tensor, size: Sequence[int], padding: Sequence[int], stride: Sequence[int]
) -> Tensor:
    x, gradient = features_last(x), features_last(gradient)
    filters, lengths = gradient.shape[1], gradient.shape[2:]
    result = torch.empty(filters, x.shape[1], *size, memory_format=torch.channels_last)
    call = structures.convolution(x, None, lengths, padding, stride, filters=filters, size=size, y=gradient)
    library.run(library.functions.bigdl_window_gradient, call, ctypes.c_void_p(result.data_ptr()))
    return result


def _turned(weight: Tensor) -> Tensor:
    """Returns a kernel upside down, filters and channels exchanged."""
    return weight.flip(2, 3).transpose(0, 1)
