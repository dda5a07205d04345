"""Which steps of a network are run for a few rows at a time, so that what they hand on stays in the cache."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

from bigdl.programs.network_structures import NONE

# In values of four bytes. What a step of a group may read of weights, and have of values for one row; what all steps of
# a group may read of weights, and have of values: so that it stays in a cache of a megabyte or two.
_WEIGHTS_OF_STEP, _VALUES_OF_ROW, _WEIGHTS, _VALUES = 1 << 16, 1 << 16, 1 << 17, 1 << 18


@dataclass(slots=True)
class Step:
    """A step of the network.

    Attributes:
        kind: What it is.
        input: The slot that it reads.
        output: The slot that it writes.
        other: Another one that it reads.
        call: Its structure.
        weights: How many values its weights are.
        activation: The number of its activation.
        columns: The length of the axis of ``softmax``.
    """

    kind: int
    input: int
    output: int
    other: int = NONE
    call: ctypes.Structure | None = None
    weights: int = 0
    activation: int = 0
    columns: int = 1


def phases_of(steps: Sequence[Step], sizes: Sequence[int]) -> list[tuple[list[Step], int]]:
    """Returns the steps of each phase, and for how many rows at a time they are run, 0 for all at once.

    Args:
        steps: All steps, in their order.
        sizes: How many values of one row each slot holds.
    """
    phases: list[tuple[list[Step], int]] = []
    weights = 0
    for step in steps:
        values = sum(sizes[slot] for slot in (step.input, step.other, step.output) if slot != NONE)
        fits = step.weights <= _WEIGHTS_OF_STEP and values <= _VALUES_OF_ROW
        rows = _VALUES // values if fits else 0
        weights += step.weights
        if phases and bool(phases[-1][1]) == fits and (not fits or weights <= _WEIGHTS):
            before, group = phases.pop()
            phases.append(([*before, step], min(group, rows)))
        else:
            phases.append(([step], rows))
            weights = step.weights
    return phases
