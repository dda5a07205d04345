"""Convolutions over sequences as products: their windows lie in memory as rows of a matrix that overlap.

Images count as one sequence where the kernel has one cell.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.native import Library, kernels
from bigdl.programs import products, structures
from bigdl.programs.products import product, suits

_FEWEST = 16
"""The fewest channels and filters for which products pay."""


def library_for(
    x: Tensor, weight: Tensor, padding: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> Library | None:
    """Returns the library, if it is to compute a convolution and its gradients; None if others are.

    Args:
        x: The sequences, as images of one column, (sequences, channels, length, 1); or images.
        weight: The kernel.
        padding: The zeros on either side of rows and columns.
        stride: The kernel's steps.
        dilation: The distance of its cells.
    """
    filters, channels, *size = weight.shape
    if {*stride, *dilation} != {1} or min(filters, channels) < _FEWEST or x.dtype != torch.float32 or not x.is_cpu:
        return None
    library, positions = kernels(), x.numel() // channels
    if library is None or not positions:
        return None
    if size == [1, 1]:
        return library if not any(padding) and suits(library, positions, filters, channels) else None
    of_sequences = x.shape[3] == size[1] == 1 and padding[1] == 0
    return library if of_sequences and x.shape[2] + 2 * padding[0] >= size[0] else None


def convolve(
    library: Library,
    x: Tensor,
    weight: Tensor,
    padding: Sequence[int],
    bias: Tensor | None = None,
    relu: bool = False,
) -> Tensor:
    """Convolves.

    Args:
        library: The library.
        x: The sequences.
        weight: The kernel, (filters, channels, length, 1).
        padding: The zeros on either side of rows and columns.
        bias: What is added to each filter's result.
        relu: Whether ``max(x, 0)`` comes last.
    """
    x = _padded(x, padding[0])
    y = torch.empty(
        len(x), len(weight), x.shape[2] - weight.shape[2] + 1, x.shape[3], memory_format=torch.channels_last
    )
    if x.shape[3] == 1:
        products.convolve(library, x, weight, y, bias, relu)
    else:
        products.convolve(library, _as_one(x), weight, _as_one(y), bias, relu)
    return y


def gradients(
    library: Library, gradient: Tensor, x: Tensor, weight: Tensor, padding: Sequence[int], wanted: Sequence[bool]
) -> tuple[Tensor | None, Tensor | None]:
    """Returns the gradients of the sequences and of the kernel, those that are wanted.

    Zeros are put between the gradients of the sequences, as many as windows overlap. So all of them are one sequence.

    Args:
        library: The library.
        gradient: The gradient of the result.
        x: The sequences.
        weight: The kernel.
        padding: The zeros on either side of rows and columns.
        wanted: Whether the first one is, and the second.
    """
    before, after = padding[0], x.shape[2] + padding[0]
    x = _padded(x, before)
    filters, channels, size, _ = weight.shape
    spread, rows = _with_zeros_between(gradient, size - 1), x.numel() // channels
    of_x = of_weight = None
    if wanted[0] and size == 1:
        of_rows = product(library, spread[0, :, :, 0].t(), weight[:, :, 0, 0])
        of_x = of_rows.view(len(x), *x.shape[2:], channels).permute(0, 3, 1, 2)
    elif wanted[0]:
        result = torch.empty_like(x)
        products.convolve(library, spread, weight.flip(2).transpose(0, 1), _as_one(result))
        of_x = result[:, :, before:after]
    if wanted[1]:
        of_weight = torch.empty(weight.shape, memory_format=torch.channels_last)
        first = spread.data_ptr() + (size - 1) * filters * spread.element_size()
        places = (first, filters, x.data_ptr(), channels, of_weight.data_ptr(), None)
        call = structures.Product(rows - size + 1, filters, size * channels, *places)
        library.run(library.functions.bigdl_weight_gradient, call, False)
    return of_x, of_weight


def _padded(x: Tensor, zeros: int) -> Tensor:
    return (F.pad(x, (0, 0, zeros, zeros)) if zeros else x).contiguous(memory_format=torch.channels_last)


def _as_one(x: Tensor) -> Tensor:
    """Returns images or sequences, channels last in memory, as one sequence."""
    channels = x.shape[1]
    return x.as_strided((1, channels, x.numel() // channels, 1), (x.numel(), 1, channels, channels))


def _with_zeros_between(gradient: Tensor, zeros: int) -> Tensor:
    """Returns the values of all sequences as one, with zeros before, between and behind them."""
    if not zeros:
        return _as_one(gradient.contiguous(memory_format=torch.channels_last))
    sequences, filters, positions, _ = gradient.shape
    result = gradient.new_empty(zeros + sequences * (positions + zeros), filters)
    result[:zeros] = 0
    each = result[zeros:].view(sequences, positions + zeros, filters)
    each[:, :positions] = gradient.permute(0, 2, 3, 1).squeeze(2)
    each[:, positions:] = 0
    return result.t()[None, :, :, None]
