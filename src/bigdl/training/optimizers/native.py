"""Rules in one pass over the parameters, by the kernels in C++."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from operator import attrgetter

import torch
from torch import Tensor

from bigdl.native import Library, kernels

_VERSION = attrgetter("_version")

Rule = Callable[..., None]
"""Moves parameters in place: ``rule(parameters, gradients, *accumulators)``, each a row of as many values."""


class Kind(IntEnum):
    """The rules of ``csrc/moves.h``."""

    SGD = 0
    NESTEROV = 1
    DAMPED = 2
    DAMPED_NESTEROV = 3
    RMSPROP = 4
    ADAGRAD = 5
    ADADELTA = 6
    ADAM = 7


class _Moved(ctypes.Structure):
    """``struct Moved``."""

    _fields_ = (
        ("count", ctypes.c_int64),
        *((name, ctypes.c_void_p) for name in ("p", "g", "first", "second", "rows")),
        ("used", ctypes.c_int64),
        ("width", ctypes.c_int64),
    )


class _Move(ctypes.Structure):
    """``struct Move``."""

    _fields_ = (
        ("rule", ctypes.c_int32),
        *((name, ctypes.c_float) for name in ("rate", "kept", "added", "epsilon", "mean_kept", "mean_added", "decay")),
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
        self._dense: list[Tensor] = []
        self._sparse: list[Tensor] = []
        self._used: list[Tensor] = []
        self._seen: tuple[list[int], list[int]] | None = None
        for piece, parameter, *beside in zip(self.all, self.parameters, *rows, strict=True):
            piece.count, piece.p = parameter.numel(), parameter.data_ptr()
            for name, row in zip(("first", "second"), beside, strict=False):
                setattr(piece, name, row.data_ptr())

    @staticmethod
    def takes(tensors: Sequence[Tensor]) -> bool:
        """Whether the kernels take tensors of this kind."""
        return all(x.dtype is torch.float32 and x.is_cpu for x in tensors)

    def set_gradients(self, gradients: Sequence[Tensor]) -> None:
        """Notes where gradients lie, which have to live as long as they are asked for.

        Args:
            gradients: See ``OnePass.move``.
        """
        self._dense = [gradient for gradient in gradients if not gradient.is_sparse]
        self._sparse = [gradient for gradient in gradients if gradient.is_sparse]
        self._used = []
        in_place = True
        for piece, gradient in zip(self.all, gradients, strict=True):
            piece.width = 0
            if gradient.is_sparse:
                own = gradient._indices()[0], gradient._values()
                rows, gradient = own[0].long().contiguous(), own[1].contiguous()
                in_place = in_place and rows is own[0] and gradient is own[1]
                piece.rows, piece.used, piece.width = rows.data_ptr(), len(rows), gradient.shape[1]
                self._used += [rows, gradient]
            piece.g = gradient.data_ptr()
        self._seen = self._looks() if in_place else None

    def has_gradients(self) -> bool:
        """Whether the gradients that were noted last lie where they lay then."""
        return self._looks() == self._seen

    def _looks(self) -> tuple[list[int], list[int]]:
        # A sparse tensor that is changed in place gets other tensors for its parts.
        return [*map(Tensor.data_ptr, self._dense)], [*map(_VERSION, self._sparse)]

    def takes_table(self, parameter: Tensor) -> bool:
        """Whether the gradient of a parameter may be a sparse tensor of rows."""
        own = any(one is parameter for one in self.parameters)
        return own and kernels() is not None and parameter.dim() == 2 and parameter.is_contiguous()


class OnePass:
    """A rule that reads and writes each value once.

    Args:
        library: The kernels.
        kind: What it computes.
        plain: The same by torch's operations, for tensors that the kernels do not take.
        numbers: Those of ``struct Move``, by their names.
    """

    def __init__(self, library: Library, kind: Kind, plain: Rule, numbers: Mapping[str, float]) -> None:
        self._library = library
        self._plain = plain
        self._kind = kind
        self._numbers = numbers

    def __call__(self, *tensors: Tensor) -> None:
        """Moves parameters; see ``Rule``."""
        if Pieces.takes(tensors) and all(x.is_contiguous() for x in tensors):
            parameters, gradients, *rows = tensors
            self.move(Pieces([parameters], [[row] for row in rows]), [gradients])
        else:
            self._plain(*tensors)

    def decayed(self, share: float) -> OnePass:
        """Returns the rule that adds a share of each parameter to its gradient.

        Args:
            share: The share.
        """
        return OnePass(self._library, self._kind, decayed(self._plain, share), {**self._numbers, "decay": share})

    def move(self, pieces: Pieces, gradients: Sequence[Tensor]) -> None:
        """Moves all of some parameters in one call.

        Args:
            pieces: The parameters.
            gradients: One for each, in its memory layout, of float32 on the CPU. That of a table (see
                ``Pieces.takes_table``) may be a sparse tensor of the rows that a batch has used, each as often as it
                was. All rows of the table move, but no zeros have to be written and read for the others.
        """
        pieces.set_gradients(gradients)
        self.move_again(pieces)

    def move_again(self, pieces: Pieces) -> None:
        """Moves parameters by gradients that lie where the last ones did; see ``move``."""
        call = _Move(self._kind, **self._numbers, piece_count=len(pieces.all), pieces=ctypes.addressof(pieces.array))
        self._library.run(self._library.functions.bigdl_move, call)
        torch.autograd.graph.increment_version(pieces.parameters)


def decayed(rule: Rule, share: float) -> Rule:
    """Returns a rule that adds a share of each parameter to its gradient.

    Args:
        rule: The rule without.
        share: The share.
    """
    if isinstance(rule, OnePass):
        return rule.decayed(share)

    def move(p: Tensor, g: Tensor, *rows: Tensor) -> None:
        rule(p, torch.add(g, p, alpha=share), *rows)

    return move


def in_one_pass(kind: Kind, plain: Rule, **numbers: float) -> Rule:
    """Returns a rule that reads and writes each value once; the plain one where the kernels were not built.

    Args:
        kind: What it computes.
        plain: The same by torch's operations.
        numbers: ``rate``, and what the rule has of: ``kept`` and ``added``, the shares of an accumulator that stays and
            of what is added to it; ``epsilon``, which keeps divisors from 0; ``mean_kept`` and ``mean_added``.
    """
    library = kernels()
    return plain if library is None else OnePass(library, kind, plain, numbers)
