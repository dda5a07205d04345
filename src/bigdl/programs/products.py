"""Products of two matrices, and convolutions, with weights that are used once, as in training."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor

from bigdl.native import Library
from bigdl.programs import structures
from bigdl.programs.views import features_last


def product(library: Library, left: Tensor, right: Tensor) -> Tensor:
    """Returns the product of two matrices of float32 on the CPU, by the kernels where they are quicker than torch.

    Args:
        library: The kernels.
        left: The left one, (rows, depth).
        right: The right one, (depth, columns).
    """
    (rows, depth), columns = left.shape, right.shape[1]
    of_left, of_right = left.stride(), right.stride()
    if not (1 in of_left and 1 in of_right and suits(library, rows, columns, depth)):
        return torch.mm(left, right)
    result = left.new_empty(rows, columns)
    places = (left.data_ptr(), *of_left, right.data_ptr(), *of_right, result.data_ptr(), columns, 1)
    library.run(library.functions.bigdl_multiply, structures.MatrixProduct(rows, columns, depth, *places))
    return result


@lru_cache(1 << 12)
def suits(library: Library, *sizes: int) -> bool:
    """Whether the kernels compute a product, and sooner than torch.

    Args:
        library: The kernels.
        sizes: Rows, columns and depth.
    """
    return 0 not in sizes and bool(library.functions.bigdl_suits(*map(ctypes.c_int64, sizes), library.set))


def convolve(
    library: Library,
    x: Tensor,
    weight: Tensor,
    y: Tensor,
    bias: Tensor | None = None,
    relu: bool = False,
    padding: Sequence[int] = (0, 0),
    stride: Sequence[int] = (1, 1),
) -> None:
    """Convolves.

    Args:
        library: The kernels.
        x: The images, (images, channels, rows, columns), channels last in memory.
        weight: The kernel, which may lie in memory in any way.
        y: The result, channels last in memory.
        bias: What is added to each filter's result.
        relu: Whether ``max(x, 0)`` comes last.
        padding: The zeros before the first row and column.
        stride: The kernel's steps.
    """
    cells, bias = features_last(weight), None if bias is None else bias.contiguous()
    call = structures.convolution(
        x, cells, y.shape[2:], padding, stride, filters=len(weight), size=weight.shape[2:], y=y, bias=bias, relu=relu
    )
    library.run(library.functions.bigdl_convolve, call)
