"""What a kernel reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from bigdl.layers.recurrent.cells import GatedCell


@dataclass(slots=True)
class Arrays:
    """The arrays of one call over a batch of sequences, contiguous, of one dtype; ``csrc/sequence.h`` has the same.

    Attributes:
        cell: The cell: its kind, U, dropout masks, activations.
        x: The inputs, ``(batch, time, in)``.
        weight: W as ``(gates * units, in)``.
        bias: b as ``(gates * units,)``.
        input_masks: Dropout masks of the inputs ``(1 or gates, batch, in)``, or None.
        valid: False where the state stays as it was, ``(batch, time)``; None where all steps count.
        backwards: Whether the last step is processed first.
        h: The state, the first one, then the last, ``(batch, units)``.
        c: The same of an LSTM's memory; None in another cell.
        outputs: The outputs in the order of processing, ``(batch, time, units)``; None if they are not wanted.
        gates: The activated gates, ``(batch, time, gates * units)``; None if there will be no backward pass, like the
            next.
        previous_h: h before each step, ``(batch, time, units)``.
        memory: c before each step (LSTM), ``r * h`` (GRU), of the same shape; None in a SimpleRNN.
        grad_outputs: The gradient of ``outputs``; None for 0.
        grad_h: The gradient of the last h; None for 0.
        grad_gates: The gradient of the sums that the gates were computed from, which the backward pass writes; it may
            be ``gates``.
        grad_x: The gradient of the inputs, which it writes too; None if it is not wanted.
    """

    cell: GatedCell
    x: Tensor
    weight: Tensor
    bias: Tensor
    input_masks: Tensor | None
    valid: Tensor | None
    backwards: bool
    h: Tensor
    c: Tensor | None
    outputs: Tensor | None = None
    gates: Tensor | None = None
    previous_h: Tensor | None = None
    memory: Tensor | None = None
    grad_outputs: Tensor | None = None
    grad_h: Tensor | None = None
    grad_gates: Tensor | None = None
    grad_x: Tensor | None = None

    @property
    def units(self) -> int:
        """The number of units."""
        return self.cell.weight.shape[1]

    @property
    def gate_count(self) -> int:
        """The number of gates."""
        return len(self.cell.weight) // self.units


class Kernel(Protocol):
    """Computes all steps of a call, forward and backward."""

    def forward(self, arrays: Arrays) -> None:
        """Writes the last state, and what else is not None."""

    def backward(self, arrays: Arrays) -> None:
        """Writes ``grad_gates`` and ``grad_x`` from what ``forward`` kept and the gradients of the outputs."""

    def weight_gradient(self, sums: Tensor, inputs: Tensor, gradient: Tensor, total: Tensor | None = None) -> None:
        """Writes the transpose of ``sums`` times ``inputs``.

        Args:
            sums: The gradient of what the weight was multiplied into, ``(rows, outputs)``.
            inputs: What it was multiplied with, ``(rows, inputs)``.
            gradient: Contiguous, ``(outputs, inputs)``.
            total: Where the total of the rows of ``sums`` is wanted too: the gradient of the bias, ``(outputs,)``.
        """
