"""The structures of ``csrc/network.h``, ``csrc/finish.h``, ``csrc/matrices.h``, and one of ``csrc/sequence.h``."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

from torch import Tensor

from bigdl.native import address

CONVOLVE, MULTIPLY, ADD, ACTIVATE, POOL, DEPTHWISE, PLACE, SCALE, LEAK, BEND, LOOK_UP, TIMES, LARGER, RECUR = range(14)
OUTSIDE, ACROSS, INSIDE = range(3)
NONE = -1
LINEAR = 0
ACTIVATIONS = {"relu": 1, "tanh": 2, "sigmoid": 3, "hard_sigmoid": 4, "softsign": 5, "softmax": 100}
"""The numbers of Keras's activations."""


def _fields(kind: type[ctypes._SimpleCData[int]] | type[ctypes.c_void_p], names: str) -> list[tuple[str, type]]:
    return [(name, kind) for name in names.split()]


def _matrix(name: str) -> list[tuple[str, type]]:
    strides = f"{name}_row_stride {name}_column_stride"
    return [*_fields(ctypes.c_void_p, name), *_fields(ctypes.c_int64, strides)]


class Convolution(ctypes.Structure):
    """``struct Convolution``."""

    _fields_ = (
        *_fields(ctypes.c_int64, "images rows columns channels filters kernel_rows kernel_columns"),
        *_fields(ctypes.c_int64, "row_stride column_stride row_dilation column_dilation top left"),
        *_fields(ctypes.c_int64, "out_rows out_columns pool_rows pool_columns"),
        *_fields(ctypes.c_int32, "relu transformed"),
        *_fields(ctypes.c_void_p, "x weight tiles bias other y"),
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
        *_fields(ctypes.c_int64, "filters channels filter_stride channel_stride row_stride column_stride"),
        *_fields(ctypes.c_void_p, "at"),
    )


class Dense(ctypes.Structure):
    """``struct Dense``."""

    _fields_ = (
        *_fields(ctypes.c_int64, "rows inputs outputs"),
        *_fields(ctypes.c_int32, "relu backwards"),
        *_fields(ctypes.c_void_p, "x weight tiles bias y"),
    )


class Pooling(ctypes.Structure):
    """``struct Pooling``."""

    _fields_ = (
        *_fields(ctypes.c_int64, "images rows columns channels window_rows window_columns row_stride column_stride"),
        *_fields(ctypes.c_int64, "top left out_rows out_columns"),
        *_fields(ctypes.c_int32, "average"),
        *_fields(ctypes.c_void_p, "x y"),
    )


class Depthwise(ctypes.Structure):
    """``struct Depthwise``."""

    _fields_ = (
        *_fields(ctypes.c_int64, "images rows columns channels kernel_rows kernel_columns row_stride column_stride"),
        *_fields(ctypes.c_int64, "top left out_rows out_columns"),
        *_fields(ctypes.c_int32, "relu"),
        *_fields(ctypes.c_void_p, "x weight bias y"),
    )


class Placing(ctypes.Structure):
    """``struct Placing``."""

    _fields_ = (
        *_fields(ctypes.c_int64, "images rows columns channels row_times column_times top left first"),
        *_fields(ctypes.c_int64, "out_rows out_columns out_channels"),
        *_fields(ctypes.c_int32, "zeros"),
        *_fields(ctypes.c_void_p, "x y"),
    )


class Lookup(ctypes.Structure):
    """``struct Lookup``."""

    _fields_ = (
        *_fields(ctypes.c_int64, "count size rows"),
        *_fields(ctypes.c_int32, "of_floats"),
        *_fields(ctypes.c_void_p, "table x y missing"),
    )


class Elements(ctypes.Structure):
    """``struct Elements``."""

    _fields_ = (
        *_fields(ctypes.c_int64, "count columns"),
        *_fields(ctypes.c_int32, "kind relu"),
        *_fields(ctypes.c_void_p, "factor summand x other y"),
    )


class Step(ctypes.Structure):
    """``struct Step``."""

    _fields_ = (
        *_fields(ctypes.c_int32, "kind activation"),
        *_fields(ctypes.c_int64, "input other output columns"),
        *_fields(ctypes.c_void_p, "call"),
    )


class Value(ctypes.Structure):
    """``struct Value``."""

    _fields_ = (*_fields(ctypes.c_int32, "keeping"), *_fields(ctypes.c_int64, "size place"))


class Phase(ctypes.Structure):
    """``struct Phase``."""

    _fields_ = (*_fields(ctypes.c_int64, "steps group kept"),)


class Network(ctypes.Structure):
    """``struct Network``."""

    _fields_ = (
        *_fields(ctypes.c_int64, "phase_count across has_short_steps"),
        *_fields(ctypes.c_void_p, "phases steps values"),
    )


class NetworkCall(ctypes.Structure):
    """``struct NetworkCall``."""

    _fields_ = (
        *_fields(ctypes.c_void_p, "network"),
        *_fields(ctypes.c_int64, "rows threads"),
        *_fields(ctypes.c_int32, "little backwards"),
        *_fields(ctypes.c_void_p, "missing arrays memory"),
    )


class Sample(ctypes.Structure):
    """``struct Sample``."""

    _fields_ = (*_fields(ctypes.c_void_p, "at"), *_fields(ctypes.c_int64, "stride count"))


class Finish(ctypes.Structure):
    """``struct Finish``."""

    _fields_ = (
        *_fields(ctypes.c_int64, "rows columns seed"),
        *_fields(ctypes.c_int32, "relu drops limit"),
        ("scale", ctypes.c_float),
        *_fields(ctypes.c_void_p, "bias x y"),
    )


class FinishGradient(ctypes.Structure):
    """``struct FinishGradient``."""

    _fields_ = (
        *_fields(ctypes.c_int64, "rows columns"),
        ("scale", ctypes.c_float),
        *_fields(ctypes.c_void_p, "gradient y result sums"),
    )


class Windows(ctypes.Structure):
    """``struct Windows``."""

    _fields_ = (
        *_fields(ctypes.c_int64, "images rows columns channels window_rows window_columns"),
        *_fields(ctypes.c_void_p, "x y where"),
    )


class Normalization(ctypes.Structure):
    """``struct Normalization``."""

    _fields_ = (
        *_fields(ctypes.c_int64, "rows columns"),
        ("relu", ctypes.c_int32),
        ("epsilon", ctypes.c_float),
        *_fields(ctypes.c_void_p, "x gamma beta mean variance y"),
    )


class NormalizationGradient(ctypes.Structure):
    """``struct NormalizationGradient``."""

    _fields_ = (*_fields(ctypes.c_void_p, "normalization gradient of_x of_gamma of_beta"),)


class ChainLayer(ctypes.Structure):
    """``struct ChainLayer``."""

    _fields_ = (
        *_fields(ctypes.c_int64, "outputs seed"),
        *_fields(ctypes.c_int32, "activation drops limit"),
        ("scale", ctypes.c_float),
        *_fields(ctypes.c_void_p, "weight bias y weight_gradient bias_gradient"),
    )


class Chain(ctypes.Structure):
    """``struct Chain``."""

    _fields_ = (
        *_fields(ctypes.c_int64, "rows inputs count"),
        *_fields(ctypes.c_void_p, "layers x gradient x_gradient"),
    )


class MatrixProduct(ctypes.Structure):
    """``struct MatrixProduct``, each of its matrices an address and two strides."""

    _fields_ = (
        *_fields(ctypes.c_int64, "rows columns depth"),
        *((field, kind) for name in ("left", "right", "result") for field, kind in _matrix(name)),
    )


class Product(ctypes.Structure):
    """``struct Product``, for the gradient of a weight."""

    _fields_ = (
        *_fields(ctypes.c_int64, "rows outputs inputs"),
        *_fields(ctypes.c_void_p, "out"),
        *_fields(ctypes.c_int64, "out_stride"),
        *_fields(ctypes.c_void_p, "in"),
        *_fields(ctypes.c_int64, "in_stride"),
        *_fields(ctypes.c_void_p, "gradient out_total"),
    )


class Place(ctypes.Structure):
    """``struct Place``."""

    _fields_ = (*_fields(ctypes.c_int32, "position channel"), ("share", ctypes.c_float))


class Largest(ctypes.Structure):
    """``struct Largest``."""

    _fields_ = (
        *_fields(ctypes.c_int64, "images positions channels most"),
        *_fields(ctypes.c_void_p, "x y places counts"),
    )


class LargestGradient(ctypes.Structure):
    """``struct LargestGradient``."""

    _fields_ = (*_fields(ctypes.c_void_p, "largest gradient of_x"),)


class LargestConvolutionGradient(ctypes.Structure):
    """``struct LargestConvolutionGradient``."""

    _fields_ = (*_fields(ctypes.c_void_p, "largest convolution gradient of_x of_weight"),)
