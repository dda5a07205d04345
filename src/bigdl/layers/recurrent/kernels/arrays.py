"""What a kernel reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from bigdl.layers.recurrent.cells import GatedCell


@dataclass(slots=True)
class Arrays:
    """What a kernel takes and gives in one call over a batch of sequences; all of one dtype.

    Attributes:
        cell: The cell: its kind, U, dropout masks, activations.
        x: The inputs, ``(batch, time, in)``.
        weight: W as ``(gates * units, in)``.
        bias: b as ``(gates * units,)``.
        input_masks: Dropout masks of the inputs ``(1 or gates, batch, in)``, or None.
        valid: False where the state stays as it was, ``(batch, time)``; None where all steps count.
        backwards: Whether the last step is processed first.
        sequences: Whether the outputs of all steps are wanted.
        keep: Whether there may be a backward pass.
        h: The state, the first one, then the last, ``(batch, units)``; a kernel may write into it.
        c: The same of an LSTM's memory; None in another cell.
        outputs: The outputs in the order of processing, ``(batch, time, units)``, if wanted.
        gates: The activated gates, ``(batch, time, gates * units)``, kept like the next two.
        previous_h: h before each step, ``(batch, time, units)``.
        memory: c before each step (LSTM), ``r * h`` (GRU), of the same shape; None in a SimpleRNN.
        grad_outputs: The gradient of ``outputs``; None for 0.
        grad_h: The gradient of the last h; None for 0.
        wants_grad_x: Whether the gradient of the inputs is wanted.
        grad_gates: The gradient of the sums that the gates were computed from; may take the place of ``gates``.
        grad_x: The gradient of the inputs.
    """

    cell: GatedCell
    x: Tensor
    weight: Tensor
    bias: Tensor
    input_masks: Tensor | None
    valid: Tensor | None
    backwards: bool
    sequences: bool
    keep: bool
    h: Tensor
    c: Tensor | None
    outputs: Tensor | None = None
    gates: Tensor | None = None
    previous_h: Tensor | None = None
    memory: Tensor | None = None
    grad_outputs: Tensor | None = None
    grad_h: Tensor | None = None
    wants_grad_x: bool = False
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
        """Computes the outputs and the last state, and keeps what ``backward`` needs, as the call asks for."""

    def backward(self, arrays: Arrays) -> None:
        """Computes ``grad_gates`` and ``grad_x`` from what ``forward`` kept and the gradients of the outputs."""

    def weight_gradient(self, sums: Tensor, inputs: Tensor, gradient: Tensor, total: Tensor | None = None) -> None:
        """Writes the transpose of ``sums`` times ``inputs``, over all samples and steps.

        Args:
            sums: The gradient of what the weight was multiplied into, ``(batch, time, outputs)``.
            inputs: What it was multiplied with, ``(batch, time, inputs)``.
            gradient: Contiguous, ``(outputs, inputs)``.
            total: Where the total of ``sums`` is wanted too: the gradient of the bias, ``(outputs,)``.
        """
