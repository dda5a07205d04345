"""Rules in one pass over the parameters, by the kernels in C++."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from enum import IntEnum

import torch
from torch import Tensor

from bigdl.native import Library, kernels

Rule = Callable[..., None]
"""Moves parameters in place: ``rule(parameters, gradients, *accumulators)``, each a row of as many values."""


class Kind(IntEnum):
    """The rules of ``csrc/moves.h``."""

    SGD = 0
    NESTEROV = 1
    RMSPROP = 2
    ADAGRAD = 3
    ADADELTA = 4


class _Moved(ctypes.Structure):
    """``struct Moved``."""

    _fields_ = (("count", ctypes.c_int64), *((name, ctypes.c_void_p) for name in ("p", "g", "first", "second")))


class _Move(ctypes.Structure):
    """``struct Move``."""

    _fields_ = (
        ("rule", ctypes.c_int32),
        *((name, ctypes.c_float) for name in ("rate", "kept", "added", "epsilon")),
        ("piece_count", ctypes.c_int64),
        ("pieces", ctypes.c_void_p),
    )


class Pieces:
    """Parameters and what is kept beside them, where they lie; for as long as they stay there.

    Args:
        parameters: The parameters, of float32 on the CPU; their memory has no gaps.
        rows: For each accumulator, a tensor for each parameter, in its memory layout.
    """

    def __init__(self, parameters: Sequence[Tensor], rows: Sequence[Sequence[Tensor]]) -> None:
        self.parameters = list(parameters)
        self.array = (_Moved * len(self.parameters))()
        self.all = list(self.array)
        for piece, parameter, *beside in zip(self.all, self.parameters, *rows, strict=True):
            piece.count, piece.p = parameter.numel(), parameter.data_ptr()
            for name, row in zip(("first", "second"), beside, strict=False):
                setattr(piece, name, row.data_ptr())

    @staticmethod
    def takes(tensors: Sequence[Tensor]) -> bool:
        """Whether the kernels take tensors of this kind."""
        return all(x.dtype is torch.float32 and x.is_cpu for x in tensors)


class OnePass:
    """A rule that reads and writes each value once.

    Args:
        library: The kernels.
        kind: What it computes.
        plain: The same by torch's operations, for tensors that the kernels do not take.
        numbers: Learning rate, the share of an accumulator that stays, the share of what is added to it, and what keeps
            divisors from 0.
    """

    def __init__(self, library: Library, kind: Kind, plain: Rule, numbers: Sequence[float]) -> None:
        self._library = library
        self._plain = plain
        self._numbers = (kind, *numbers)

    def __call__(self, *tensors: Tensor) -> None:
        """Moves parameters; see ``Rule``."""
        if Pieces.takes(tensors) and all(x.is_contiguous() for x in tensors):
            parameters, gradients, *rows = tensors
            self.move(Pieces([parameters], [[row] for row in rows]), [gradients])
        else:
            self._plain(*tensors)

    def move(self, pieces: Pieces, gradients: Sequence[Tensor]) -> None:
        """Moves all of some parameters in one call.

        Args:
            pieces: The parameters.
            gradients: One for each, in its memory layout, of float32 on the CPU.
        """
        for piece, gradient in zip(pieces.all, gradients, strict=True):
            piece.g = gradient.data_ptr()
        call = _Move(*self._numbers, len(pieces.all), ctypes.addressof(pieces.array))
        self._library.run(self._library.functions.bigdl_move, call)
        torch.autograd.graph.increment_version(pieces.parameters)


def in_one_pass(kind: Kind, plain: Rule, rate: float, kept: float, added: float = 0.0, epsilon: float = 0.0) -> Rule:
    """Returns a rule that reads and writes each value once; the plain one where the kernels were not built.

    Args:
        kind: What it computes.
        plain: The same by torch's operations.
        rate: The learning rate.
        kept: The share of an accumulator that stays.
        added: The share of what is added to it.
        epsilon: Keeps divisors from 0.
    """
    library = kernels()
    return plain if library is None else OnePass(library, kind, plain, (rate, kept, added, epsilon))
