"""The loop over time that all recurrent layers share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from bigdl.layers.recurrent.scanned import scan_sequence

State = tuple[Tensor, ...]
"""What a cell carries from step to step; the first tensor is also its output."""


class Cell(Protocol):
    """The step of a recurrent layer, its weights and dropout masks bound for one call."""

    def split(self, projected: Tensor) -> Sequence[Tensor]:
        """Cuts the projected input (time first) into the tensors that ``step`` takes, once for all steps."""

    def step(self, inputs: Sequence[Tensor], state: State) -> State:
        """Returns the state after one step.

        Args:
            inputs: One step of each tensor that ``split`` returned.
            state: The state before it.
        """


@dataclass(frozen=True, slots=True)
class SequenceContext:
    """What a recurrent layer takes beside a batch of sequences and the weights.

    Attributes:
        input_masks: Dropout masks of the inputs ``(1 or gates, batch, in)``, or None.
        state: The state before the first step; no gradient flows to it.
        mask: True where a step counts, ``(batch, time)``; None where all steps do.
        backwards: Whether the last step is processed first.
        sequences: Whether the outputs of all steps are wanted.
    """

    input_masks: Tensor | None
    state: State
    mask: Tensor | None
    backwards: bool
    sequences: bool


def run_sequence(
    cell: Cell,
    projected: Tensor,
    state: State,
    mask: Tensor | None = None,
    *,
    backwards: bool = False,
    sequences: bool = True,
) -> tuple[Tensor | None, State]:
    """Runs a cell over a sequence.

    A masked step leaves the state, and with it the output, as it was (Keras 1.2.2's ``K.rnn``).

    Args:
        cell: The step.
        projected: The inputs of all steps, multiplied by the input weights, ``(time, batch, ...)``; time is not empty.
        state: The state before the first step.
        mask: True where a step counts, ``(time, batch)`` with axes of length 1 up to the state's rank; None where all
            steps do.
        backwards: Whether the last step is processed first.
        sequences: Whether the outputs of all steps are wanted.

    Returns:
        The outputs in the order of processing, ``(batch, time, ...)``, None if they are not wanted; and the last state.
    """
    if torch.compiler.is_exporting():
        return scan_sequence(cell, projected, state, mask, backwards=backwards, sequences=sequences)
    steps = list(zip(*(part.unbind(0) for part in cell.split(projected)), strict=True))
    valid: list[Tensor] | list[None] = [None] * len(steps) if mask is None else list(mask.unbind(0))
    if backwards:
        steps.reverse()
        valid.reverse()
    outputs = []
    for inputs, counts in zip(steps, valid, strict=True):
        after = cell.step(inputs, state)
        if counts is not None:
            after = tuple(torch.where(counts, new, old) for new, old in zip(after, state, strict=True))
        state = after
        outputs.append(state[0])
    return torch.stack(outputs, 1) if sequences else None, state
