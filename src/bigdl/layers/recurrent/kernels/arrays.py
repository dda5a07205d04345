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
        backwards: Whether the last step is processed first.
        valid: False where the state stays as it was, ``(batch, time)``; None where all steps count.
        gates: The projected inputs, then the activated gates, ``(batch, time, gates * units)``.
        h: The state, the first one, then the last, ``(batch, units)``.
        c: The same of an LSTM's memory; None in another cell.
        outputs: The outputs in the order of processing, ``(batch, time, units)``; None if they are not wanted.
        previous_h: h before each step, ``(batch, time, units)``; None if there will be no backward pass, like the next.
        memory: c before each step (LSTM), ``r * h`` (GRU), of the same shape; None in a SimpleRNN.
        grad_outputs: The gradient of ``outputs``; None for 0.
        grad_h: The gradient of the last h; None for 0.
        grad_gates: The gradient of the projected inputs, which the backward pass writes.
    """

    cell: GatedCell
    backwards: bool
    valid: Tensor | None
    gates: Tensor
    h: Tensor
    c: Tensor | None
    outputs: Tensor | None = None
    previous_h: Tensor | None = None
    memory: Tensor | None = None
    grad_outputs: Tensor | None = None
    grad_h: Tensor | None = None
    grad_gates: Tensor | None = None


class Kernel(Protocol):
    """Computes all steps of a call, forward and backward."""

    def forward(self, arrays: Arrays) -> None:
        """Writes the gates, the last state, and what else is not None."""

    def backward(self, arrays: Arrays) -> None:
        """Writes ``grad_gates`` from what ``forward`` wrote and the gradients of the outputs."""

    def weight_gradient(self, sums: Tensor, inputs: Tensor, gradient: Tensor) -> None:
        """Writes the transpose of ``sums`` times ``inputs``.

        Args:
            sums: The gradient of what the weight was multiplied into, ``(rows, outputs)``.
            inputs: What it was multiplied with, ``(rows, inputs)``.
            gradient: Contiguous, ``(outputs, inputs)``.
        """
