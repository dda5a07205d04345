"""Recurrent layers in prediction: whole sequences in one call, with weights that are packed beforehand."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.native import Library, address, threads
from bigdl.programs.operations import Operation, Source
from bigdl.programs.prediction import Product

SIMPLE_RNN, GRU, LSTM = range(3)
"""The numbers of cells in ``csrc/sequence.h``."""

_GATES = ((1,), (2, 1), (4,))
"""How many gates of each cell are multiplied at once: a GRU's candidate comes after the others."""

_FEWEST_FOR_TILES = 32
"""The fewest inputs for which tiles pay, which are as deep."""

_SIZES = "batch steps inputs units whole_batch y_stride"
_CHOICES = "cell activation inner_activation backwards sequences flipped"
_PLACES = "x valid input_weight input_tiles bias weight y"


class Recurrence(ctypes.Structure):
    """``struct Recurrence`` of ``csrc/recurrence.h``."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in _SIZES.split()),
        *((name, ctypes.c_int32) for name in _CHOICES.split()),
        *((name, ctypes.c_void_p) for name in _PLACES.split()),
    )


@dataclass(frozen=True, slots=True)
class Direction:
    """One of the layers that take the same sequences.

    Attributes:
        weight: W as ``(gates * units, in)``.
        recurrent_weight: U as ``(gates * units, units)``.
        bias: b as ``(gates * units,)``.
        backwards: Whether the last step is processed first.
        flipped: Whether the step that is processed first is the last one of the outputs.
    """

    weight: Source
    recurrent_weight: Source
    bias: Source
    backwards: bool
    flipped: bool


@dataclass(eq=False, slots=True)
class Recur(Operation):
    """Recurrent layers of one kind over the same sequences, (batch, time, in), from a state of zeros.

    A second input tells which steps count; see ``bigdl.programs.masks``. At the others the state stays as it was.

    Attributes:
        function: What computes them, whatever the tensors are.
        cell: Their kind, a number of ``csrc/sequence.h``, like the next two.
        activation: The activation of the output.
        inner_activation: The activation of the gates.
        sequences: Whether the outputs of all steps are wanted.
        directions: The layers.
        merge: What makes one tensor of those of two directions; None to put them side by side.
    """

    function: Callable[..., Any]
    cell: int
    activation: int
    inner_activation: int
    sequences: bool
    directions: Sequence[Direction]
    merge: Callable[[Tensor, Tensor], Tensor] | None = None

    @property
    def units(self) -> int:
        """How many units each layer has."""
        return self.directions[0].recurrent_weight().shape[1]

    def sources(self) -> list[Source]:
        """Returns the weights behind it."""
        return [source for one in self.directions for source in (one.weight, one.recurrent_weight, one.bias)]


class RecurKernel(Product):
    """Computes recurrent layers by the library; tensors that it does not take by the layers.

    Args:
        library: The library; None for the layers.
        operation: What it computes.
    """

    operation: Recur

    def __init__(self, library: Library | None, operation: Recur) -> None:
        self._library = library
        super().__init__(operation)
        self._count = ctypes.c_int64(len(operation.directions))
        self._units = operation.units
        self._inputs = operation.directions[0].weight().shape[1]
        # Values in a row of the result, and from a direction's result to that of the next one.
        self._apart = operation.merge is not None
        self._width = self._units if self._apart else self._units * self._count.value

    def refresh(self) -> None:
        """Forgets the weights; they are read when the next tensor comes."""
        weights = (source() for source in self.operation.sources())
        self._usable = self._library is not None and all(w.dtype == torch.float32 and w.is_cpu for w in weights)
        self._made: tuple[ctypes.Array[Recurrence], list[Tensor | None]] | None = None

    def __call__(self, x: Tensor, marks: Tensor | None = None) -> Any:
        """Processes a batch of sequences."""
        if not (self._usable and x.dtype is torch.float32 and x.is_cpu and x.dim() == 3 and x.numel()):
            return self.operation.function(x, marks)
        batch, steps, inputs = x.shape
        if inputs != self._inputs or (marks is not None and marks.shape != (batch, steps)):
            return self.operation.function(x, marks)
        made = self._made  # looked at once, as other threads may predict too
        if made is None:
            assert self._library is not None
            self._made = made = recurrences(self._library, self.operation)
        x, marks = x.contiguous(), None if marks is None else marks.contiguous()
        shape = (batch, steps, self._width) if self.operation.sequences else (batch, self._width)
        y = torch.empty(len(made[0]), *shape) if self._apart else torch.empty(shape)
        apart = 4 * (y.stride(0) if self._apart else self._units)
        calls = type(made[0]).from_buffer_copy(made[0])
        for i, call in enumerate(calls):
            call.batch, call.whole_batch, call.steps = batch, batch, steps
            call.x, call.valid, call.y = x.data_ptr(), address(marks), y.data_ptr() + i * apart
        library = self._library
        assert library is not None
        library.run(library.functions.bigdl_recur, calls, self._count, ctypes.c_int64(threads()))
        return y if self.operation.merge is None else self.operation.merge(*y)


class Recurrences(ctypes.Structure):
    """``struct Recurrences`` of ``csrc/network.h``."""

    _fields_ = (("count", ctypes.c_int64), ("all", ctypes.c_void_p))


def recurrences(library: Library, operation: Recur) -> tuple[ctypes.Array[Recurrence], list[Tensor | None]]:
    """Returns the calls but for what each has of its own, and the tensors that they point to.

    Args:
        library: The library that the weights are packed for.
        operation: The operation, with the weights that it has now.
    """
    units, inputs = operation.units, operation.directions[0].weight().shape[1]
    width = units * (1 if operation.merge is not None else len(operation.directions))
    calls, kept = [], []
    for one in operation.directions:
        weights = _packed(library, operation, one)
        kept += weights
        calls.append(
            Recurrence(
                *(0, 0, inputs, units, 0, width),
                *(operation.cell, operation.activation, operation.inner_activation),
                *(one.backwards, operation.sequences, one.flipped, None, None, *map(address, weights), None),
            )
        )
    return (Recurrence * len(calls))(*calls), kept


def _packed(library: Library, operation: Recur, one: Direction) -> list[Tensor | None]:
    """Returns W packed and as tiles, b, and U packed."""
    lanes, gates = library.functions.bigdl_lanes(library.set), _GATES[operation.cell]
    w, u, b = (_interleaved(source().detach(), gates, lanes) for source in (one.weight, one.recurrent_weight, one.bias))
    tiles = library.tiles(torch.cat(w)) if w[0].shape[1] >= _FEWEST_FOR_TILES else None
    return [torch.cat([*map(library.packed, w)]), tiles, torch.cat(b), torch.cat([*map(library.packed, u)])]


def _interleaved(weight: Tensor, gates: Sequence[int], lanes: int) -> list[Tensor]:
    """Returns each piece's rows: a vector's lanes of one gate, then those of the next one; zeros behind the last unit.

    Args:
        weight: (gates * units, ...).
        gates: The gates of each piece.
        lanes: Of a vector.
    """
    units = len(weight) // sum(gates)
    padded = F.pad(weight.reshape(sum(gates), units, -1), (0, 0, 0, -units % lanes))
    vectors = padded.view(sum(gates), -1, lanes, padded.shape[2])
    pieces = torch.split_with_sizes(vectors, list(gates))
    return [piece.transpose(0, 1).reshape(-1, *weight.shape[1:]) for piece in pieces]
