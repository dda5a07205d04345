"""The loop over time as one operator of torch, for programs that ``torch.export`` makes."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from bigdl.layers.recurrent.sequence import Cell, State


def scan_sequence(
    cell: Cell, projected: Tensor, state: State, mask: Tensor | None, *, backwards: bool, sequences: bool
) -> tuple[Tensor | None, State]:
    """Does what ``run_sequence`` does, whatever the number of steps.

    A loop that is unrolled holds the nodes of every step: 80 steps of an LSTM take ten times as long to export, and the
    number of steps is fixed. The program of this one runs as fast.

    Args:
        cell: The step; the tensors that it holds are attributes of it.
        projected: See ``run_sequence``.
        state: See ``run_sequence``.
        mask: See ``run_sequence``.
        backwards: Whether the last step is processed first.
        sequences: Whether the outputs of all steps are wanted.
    """
    steps = [*cell.split(projected), *(() if mask is None else (mask,))]
    if backwards:
        steps = [part.flip(0) for part in steps]
    held = {name: value for name, value in vars(cell).items() if isinstance(value, Tensor)}

    def step(*values: Tensor) -> tuple[Tensor, ...]:
        before, inputs = values[: len(state)], values[len(state) : len(state) + len(steps)]
        bound = copy.copy(cell)
        vars(bound).update(zip(held, values[len(state) + len(steps) :], strict=True))
        after = bound.step(inputs, before)
        if mask is not None:
            after = tuple(torch.where(inputs[-1], new, old) for new, old in zip(after, before, strict=True))
        return (*after, after[0].clone()) if sequences else after

    # The operator takes no tensor twice, and none from around the step.
    first = tuple(part.clone() for part in state)
    results = torch.ops.higher_order.scan(step, first, tuple(part.clone() for part in steps), tuple(held.values()))
    after = tuple(results[: len(state)])
    return results[-1].transpose(0, 1) if sequences else None, after
