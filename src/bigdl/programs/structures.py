"""The structures of ``csrc/network.h``, ``csrc/finish.h`` and ``csrc/matrices.h``."""

from __future__ import annotations

import ctypes

CONVOLVE, MULTIPLY, ADD, ACTIVATE = range(4)
OUTSIDE, ACROSS, INSIDE = range(3)
NONE = -1
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

    _fields_ = (*_fields(ctypes.c_int64, "phase_count across"), *_fields(ctypes.c_void_p, "phases steps values"))


class NetworkCall(ctypes.Structure):
    """``struct NetworkCall``."""

    _fields_ = (
        *_fields(ctypes.c_void_p, "network"),
        *_fields(ctypes.c_int64, "rows threads"),
        *_fields(ctypes.c_int32, "little backwards"),
        *_fields(ctypes.c_void_p, "arrays memory"),
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


class MatrixProduct(ctypes.Structure):
    """``struct MatrixProduct``, each of its matrices an address and two strides."""

    _fields_ = (
        *_fields(ctypes.c_int64, "rows columns depth"),
        *((field, kind) for name in ("left", "right", "result") for field, kind in _matrix(name)),
    )
