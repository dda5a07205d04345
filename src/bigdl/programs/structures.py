"""The structures of ``csrc/network.h``, ``csrc/finish.h``, ``csrc/matrices.h``, and one of ``csrc/sequence.h``."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from torch import Tensor

from bigdl.native import address

LINEAR = 0
ACTIVATIONS = {"relu": 1, "tanh": 2, "sigmoid": 3, "hard_sigmoid": 4, "softsign": 5, "softmax": 100}
"""The numbers of Keras's activations."""


def relu_or_linear(relu: bool) -> int:
    """Returns the number of the activation of what may end with ``relu``."""
    return ACTIVATIONS["relu"] if relu else LINEAR


def fields(kind: type[ctypes._SimpleCData[int]] | type[ctypes.c_void_p], names: str) -> list[tuple[str, type]]:
    """Returns fields of one type.

    Args:
        kind: The type.
        names: Their names, with spaces between.
    """
    return [(name, kind) for name in names.split()]


def _matrix(name: str) -> list[tuple[str, type]]:
    strides = f"{name}_row_stride {name}_column_stride"
    return [*fields(ctypes.c_void_p, name), *fields(ctypes.c_int64, strides)]


class Convolution(ctypes.Structure):
    """``struct Convolution``."""

    _fields_ = (
        *fields(ctypes.c_int64, "images rows columns channels filters kernel_rows kernel_columns"),
        *fields(ctypes.c_int64, "row_stride column_stride row_dilation column_dilation top left"),
        *fields(ctypes.c_int64, "out_rows out_columns pool_rows pool_columns"),
        *fields(ctypes.c_int32, "relu transformed"),
        *fields(ctypes.c_void_p, "x weight tiles bias other y"),
    )


def convolution(
    x: Tensor,
    cells: Tensor | None,
    positions: Sequence[int],
    padding: Sequence[int],
    stride: Sequence[int] = (1, 1),
    dilation: Sequence[int] = (1, 1),
    *,
    filters: int,
    size: Sequence[int],
    y: Tensor | None = None,
    bias: Tensor | None = None,
    relu: bool = False,
    transformed: bool = False,
) -> Convolution:
    """Returns a convolution without windows.

    Sequences, which are images of one column, are described as images of one row: so windows lie in one piece.

    Args:
        x: The images, (images, channels, rows, columns), channels last in memory.
        cells: The kernel, as the function wants it.
        positions: The numbers of positions by axis.
        padding: The zeros before the first row and column.
        stride: The kernel's steps.
        dilation: The distance of its cells.
        filters: How many filters it has.
        size: Its rows and columns.
        y: The result, channels last in memory.
        bias: What is added to each filter's result.
        relu: Whether ``max(x, 0)`` comes last.
        transformed: See ``csrc/network.h``.
    """
    images, channels, *lengths = x.shape
    turned = lengths[1] == size[1] == 1 and padding[1] == 0
    axes = [axis[::-1] if turned else axis for axis in (lengths, size, stride, dilation, padding, positions)]
    return Convolution(
        *(images, *axes[0], channels, filters, *(n for axis in axes[1:] for n in axis), 1, 1),
        *(relu, transformed, x.data_ptr(), address(cells), None, address(bias), None, address(y)),
    )


class Kernel3x3(ctypes.Structure):
    """``struct Kernel3x3``."""

    _fields_ = (
        *fields(ctypes.c_int64, "filters channels filter_stride channel_stride row_stride column_stride"),
        *fields(ctypes.c_void_p, "at"),
    )


class Sample(ctypes.Structure):
    """``struct Sample``."""

    _fields_ = (*fields(ctypes.c_void_p, "at"), *fields(ctypes.c_int64, "stride count"))


class Finish(ctypes.Structure):
    """``struct Finish``."""

    _fields_ = (
        *fields(ctypes.c_int64, "rows columns seed"),
        *fields(ctypes.c_int32, "activation drops limit"),
        ("scale", ctypes.c_float),
        *fields(ctypes.c_void_p, "bias x y"),
    )


class FinishGradient(ctypes.Structure):
    """``struct FinishGradient``."""

    _fields_ = (
        *fields(ctypes.c_int64, "rows columns"),
        ("activation", ctypes.c_int32),
        ("scale", ctypes.c_float),
        *fields(ctypes.c_void_p, "gradient y result sums"),
    )


class Windows(ctypes.Structure):
    """``struct Windows``."""

    _fields_ = (
        *fields(ctypes.c_int64, "images rows columns channels window_rows window_columns"),
        *fields(ctypes.c_void_p, "x y where"),
    )


class Normalization(ctypes.Structure):
    """``struct Normalization``."""

    _fields_ = (
        *fields(ctypes.c_int64, "rows columns"),
        ("relu", ctypes.c_int32),
        ("epsilon", ctypes.c_float),
        *fields(ctypes.c_void_p, "x gamma beta mean variance y"),
    )


class NormalizationGradient(ctypes.Structure):
    """``struct NormalizationGradient``."""

    _fields_ = (*fields(ctypes.c_void_p, "normalization gradient of_x of_gamma of_beta"),)


CHAIN_KINDS = {"product": 0, "normalization": 1, "dropping": 2}
"""The numbers of ``enum ChainKind``."""


class ChainLayer(ctypes.Structure):
    """``struct ChainLayer``."""

    _fields_ = (
        *fields(ctypes.c_int64, "outputs seed"),
        *fields(ctypes.c_int32, "kind activation drops limit"),
        ("scale", ctypes.c_float),
        ("epsilon", ctypes.c_float),
        *fields(ctypes.c_void_p, "weight bias y weight_gradient bias_gradient mean variance"),
    )


class Chain(ctypes.Structure):
    """``struct Chain``."""

    _fields_ = (
        *fields(ctypes.c_int64, "rows inputs count"),
        *fields(ctypes.c_void_p, "layers x gradient x_gradient"),
    )


class MatrixProduct(ctypes.Structure):
    """``struct MatrixProduct``, each of its matrices an address and two strides."""

    _fields_ = (
        *fields(ctypes.c_int64, "rows columns depth"),
        *((field, kind) for name in ("left", "right", "result") for field, kind in _matrix(name)),
    )


class Product(ctypes.Structure):
    """``struct Product``, for the gradient of a weight."""

    _fields_ = (
        *fields(ctypes.c_int64, "rows outputs inputs"),
        *fields(ctypes.c_void_p, "out"),
        *fields(ctypes.c_int64, "out_stride"),
        *fields(ctypes.c_void_p, "in"),
        *fields(ctypes.c_int64, "in_stride"),
        *fields(ctypes.c_void_p, "gradient out_total"),
    )


class Place(ctypes.Structure):
    """``struct Place``."""

    _fields_ = (*fields(ctypes.c_int32, "position channel"), ("share", ctypes.c_float))


class Largest(ctypes.Structure):
    """``struct Largest``."""

    _fields_ = (
        *fields(ctypes.c_int64, "images positions channels most"),
        *fields(ctypes.c_void_p, "x y places counts"),
    )


class LargestGradient(ctypes.Structure):
    """``struct LargestGradient``."""

    _fields_ = (*fields(ctypes.c_void_p, "largest gradient of_x"),)


class LargestConvolutionGradient(ctypes.Structure):
    """``struct LargestConvolutionGradient``."""

    _fields_ = (*fields(ctypes.c_void_p, "largest convolution gradient of_x of_weight"),)
