"""The structures of networks in ``csrc/network.h``, and the numbers of their steps."""

from __future__ import annotations

import ctypes

from bigdl.programs.structures import fields

CONVOLVE, MULTIPLY, ADD, ACTIVATE, POOL, DEPTHWISE, PLACE, SCALE = range(8)
LEAK, BEND, LOOK_UP, TIMES, LARGER, RECUR, MARK, SHADE, REST = range(8, 17)
OUTSIDE, ACROSS, INSIDE = range(3)
NONE = -1


class Dense(ctypes.Structure):
    """``struct Dense``."""

    _fields_ = (
        *fields(ctypes.c_int64, "rows inputs outputs"),
        *fields(ctypes.c_int32, "relu backwards"),
        *fields(ctypes.c_void_p, "x weight tiles bias y"),
    )


class Pooling(ctypes.Structure):
    """``struct Pooling``."""

    _fields_ = (
        *fields(ctypes.c_int64, "images rows columns channels window_rows window_columns row_stride column_stride"),
        *fields(ctypes.c_int64, "top left out_rows out_columns"),
        *fields(ctypes.c_int32, "average"),
        *fields(ctypes.c_void_p, "x y"),
    )


class Depthwise(ctypes.Structure):
    """``struct Depthwise``."""

    _fields_ = (
        *fields(ctypes.c_int64, "images rows columns channels kernel_rows kernel_columns row_stride column_stride"),
        *fields(ctypes.c_int64, "top left out_rows out_columns"),
        *fields(ctypes.c_int32, "relu"),
        *fields(ctypes.c_void_p, "x weight bias y"),
    )


class Placing(ctypes.Structure):
    """``struct Placing``."""

    _fields_ = (
        *fields(ctypes.c_int64, "images rows columns channels row_times column_times top left first"),
        *fields(ctypes.c_int64, "out_rows out_columns out_channels"),
        *fields(ctypes.c_int32, "zeros"),
        *fields(ctypes.c_void_p, "x y"),
    )


class Lookup(ctypes.Structure):
    """``struct Lookup``."""

    _fields_ = (
        *fields(ctypes.c_int64, "count size rows"),
        *fields(ctypes.c_int32, "of_floats"),
        *fields(ctypes.c_void_p, "table x y missing"),
    )


class Marking(ctypes.Structure):
    """``struct Marking``."""

    _fields_ = (
        *fields(ctypes.c_int64, "count size"),
        *fields(ctypes.c_int32, "kind of_floats"),
        ("value", ctypes.c_float),
        *fields(ctypes.c_void_p, "x marks y"),
    )


class Elements(ctypes.Structure):
    """``struct Elements``."""

    _fields_ = (
        *fields(ctypes.c_int64, "count columns"),
        *fields(ctypes.c_int32, "kind relu"),
        *fields(ctypes.c_void_p, "factor summand x other y"),
    )


class Step(ctypes.Structure):
    """``struct Step``."""

    _fields_ = (
        *fields(ctypes.c_int32, "kind activation"),
        *fields(ctypes.c_int64, "input other output columns"),
        *fields(ctypes.c_void_p, "call"),
    )


class Value(ctypes.Structure):
    """``struct Value``."""

    _fields_ = (*fields(ctypes.c_int32, "keeping"), *fields(ctypes.c_int64, "size place"))


class Phase(ctypes.Structure):
    """``struct Phase``."""

    _fields_ = (*fields(ctypes.c_int64, "steps group kept"),)


class Network(ctypes.Structure):
    """``struct Network``."""

    _fields_ = (
        *fields(ctypes.c_int64, "phase_count across has_short_steps"),
        *fields(ctypes.c_void_p, "phases steps values"),
    )


class NetworkCall(ctypes.Structure):
    """``struct NetworkCall``."""

    _fields_ = (
        *fields(ctypes.c_void_p, "network"),
        *fields(ctypes.c_int64, "rows threads"),
        *fields(ctypes.c_int32, "little backwards"),
        *fields(ctypes.c_void_p, "missing arrays memory"),
    )
