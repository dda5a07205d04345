"""A recurrent layer's run, step by step: the reference, and what autograd, exports and other devices use."""

from __future__ import annotations

from torch import Tensor

from bigdl.layers.recurrent.cells import GatedCell
from bigdl.layers.recurrent.gates import project
from bigdl.layers.recurrent.sequence import SequenceContext, State, run_sequence


def run_steps(
    cell: GatedCell, x: Tensor, weight: Tensor, bias: Tensor, context: SequenceContext
) -> tuple[Tensor, State]:
    """Runs a cell over a batch of sequences.

    Args:
        cell: The cell.
        x: The inputs ``(batch, time, in)``.
        weight: W as ``(gates * units, in)``.
        bias: b as ``(gates * units,)``.
        context: What else is needed.

    Returns:
        The outputs in the order of processing ``(batch, time, units)``, or the last one ``(batch, units)``; and the
        last state.
    """
    outputs, state = run_sequence(
        cell,
        project(x.transpose(0, 1), weight, bias, context.input_masks),
        context.state,
        None if context.mask is None else context.mask.t().unsqueeze(-1),
        backwards=context.backwards,
        sequences=context.sequences,
    )
    return state[0] if outputs is None else outputs, state
