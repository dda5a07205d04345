"""The steps of a network that ``csrc/run_network.h`` runs, and what they take and make, for inputs of known shapes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

from bigdl.native import Library, address
from bigdl.programs.images import DepthwiseConvolve, Pool
from bigdl.programs.operations import Convolve, Operation, Ref
from bigdl.programs.phases import Step
from bigdl.programs.segments import Segment

Adders = Mapping[type[Operation], Callable[["Assembly", Any, int], None]]


class TooSmallError(Exception):
    """Nothing would be left of an input."""


class Assembly:
    """Makes the steps.

    Attributes:
        steps: The steps, in order.
        shapes: The shape of one row of each value that a step takes or makes, by the number of its slot.
        entries: The slots of what comes from outside.
        slots: Those of what is made, by the number of the operation.
        products: How many products one row takes, or what takes as long.
        kept_alive: The weights whose addresses the steps have.
        library: The library.
        segment: The operations.
        inputs: What comes from outside.

    Args:
        library: The library.
        segment: The operations.
        inputs: A tensor for each entry; how many rows it has makes no difference.
        adders: What adds the steps of an operation, given the slot of its first input, by the operation's class; the
            first class that fits counts.

    Raises:
        TooSmallError: An operation would make nothing of an input of such a shape.
    """

    def __init__(self, library: Library, segment: Segment, inputs: Sequence[Tensor], adders: Adders) -> None:
        self.steps: list[Step] = []
        # Sequences are images of one column.
        self.shapes = [tuple(x.shape[1:]) if x.dim() != 3 else (x.shape[2], x.shape[1], 1) for x in inputs]
        self.entries = {ref: slot for slot, ref in enumerate(segment.entries)}
        self.slots: dict[int, int] = {}
        self.products = 0
        self.kept_alive: list[Any] = []
        self.library = library
        self.inputs = inputs
        self.segment = segment
        self._last_use = {ref.number: i for i, op in enumerate(segment.operations) for ref in op.inputs}
        for self._at, operation in enumerate(segment.operations):
            add = next(add for kind, add in adders.items() if isinstance(operation, kind))
            add(self, operation, self.slot(operation.inputs[0]))

    def slot(self, ref: Ref) -> int:
        """Returns where a value is."""
        return self.entries[ref] if ref in self.entries else self.slots[ref.number]

    def row_shape(self, operation: Operation, x: int) -> tuple[int, ...]:
        """Returns the shape of one row of what an operation takes: images that are taken for rows have one axis."""
        shape = self.shapes[x]
        layout = self.segment.layouts.get(operation.inputs[0].number)
        return (math.prod(shape),) if layout == "rows" else shape

    def make(self, operation: Operation, shape: Sequence[int]) -> int:
        """Returns a new slot for what an operation makes."""
        if min(shape) < 1:
            raise TooSmallError
        self.shapes.append(tuple(shape))
        self.slots[operation.number] = slot = len(self.shapes) - 1
        return slot

    def make_over(self, operation: Operation, x: int) -> int:
        """Returns a slot of the same shape; the same one, where that may be."""
        if not self.is_free(x):
            return self.make(operation, self.shapes[x])
        self.slots[operation.number] = x
        return x

    def is_free(self, slot: int) -> bool:
        """Whether nobody needs what is in a slot after the operation at hand, and the slot is our own."""
        numbers = [number for number, one in self.slots.items() if one == slot]
        return bool(numbers) and not any(
            number in self.segment.exits or self._last_use[number] > self._at for number in numbers
        )

    def keep(self, *tensors: Tensor | None) -> list[int | None]:
        """Keeps weights and biases, without gaps, and returns their addresses."""
        kept = [None if tensor is None else tensor.contiguous() for tensor in tensors]
        self.kept_alive += kept
        return [address(tensor) for tensor in kept]


def windows(
    operation: Convolve | DepthwiseConvolve | Pool, lengths: Sequence[int]
) -> tuple[Sequence[tuple[int, int]], list[int]]:
    """Returns what is around images of some lengths, and the number of positions, by axis.

    Args:
        operation: What has windows.
        lengths: The images' lengths.

    Raises:
        TooSmallError: There are no positions.
    """
    pads = operation.pads(lengths)
    gaps = operation.dilation if isinstance(operation, Convolve) else (1,) * len(lengths)
    axes = zip(lengths, pads, operation.size, gaps, operation.stride, strict=True)
    positions = [(n + sum(pad) - (k - 1) * gap - 1) // step + 1 for n, pad, k, gap, step in axes]
    if min(positions) < 1:
        raise TooSmallError
    return pads, positions
