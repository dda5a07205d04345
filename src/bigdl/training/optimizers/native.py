"""Rules in one pass over the parameters, by the kernels in C++."""

from __future__ import annotations

import ctypes
from enum import IntEnum

import torch
from torch import Tensor

from bigdl.native import kernels
from bigdl.training.optimizers.base import Rule


class Kind(IntEnum):
    """The rules of ``csrc/moves.h``."""

    SGD = 0
    NESTEROV = 1
    RMSPROP = 2
    ADAGRAD = 3
    ADADELTA = 4


class _Move(ctypes.Structure):
    """``struct Move``."""

    _fields_ = (
        ("rule", ctypes.c_int32),
        *((name, ctypes.c_float) for name in ("rate", "kept", "added", "epsilon")),
        ("count", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("p", "g", "first", "second")),
    )


def in_one_pass(kind: Kind, plain: Rule, rate: float, kept: float, added: float = 0.0, epsilon: float = 0.0) -> Rule:
    """Returns a rule that reads and writes each value once.

    Args:
        kind: What it computes.
        plain: The same by torch's operations, for tensors that the kernels do not take, and where they were not built.
        rate: The learning rate.
        kept: The share of an accumulator that stays.
        added: The share of what is added to it.
        epsilon: Keeps divisors from 0.
    """
    library = kernels()
    if library is None:
        return plain
    function = library.functions.bigdl_move

    def move(*tensors: Tensor) -> None:
        if all(x.dtype is torch.float32 and x.is_cpu and x.is_contiguous() for x in tensors):
            pointers = [x.data_ptr() for x in tensors]
            library.run(function, _Move(kind, rate, kept, added, epsilon, tensors[0].numel(), *pointers))
            torch.autograd.graph.increment_version(tensors[0])
        else:
            plain(*tensors)

    return move
