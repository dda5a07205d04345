"""A layer's run by a kernel, and its gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from bigdl.layers.recurrent.cells import GatedCell, GRUCell, LSTMCell
from bigdl.layers.recurrent.gates import gate_groups
from bigdl.layers.recurrent.kernels.arrays import Arrays, Kernel
from bigdl.layers.recurrent.sequence import SequenceContext, State
from bigdl.layers.recurrent.steps import run_steps
from bigdl.programs.by_hand import calling

Gradients = tuple[Tensor | None, ...]


def run_whole(
    kernel: Kernel, cell: GatedCell, x: Tensor, weight: Tensor, bias: Tensor, context: SequenceContext
) -> tuple[Tensor, State]:
    """Computes what ``run_steps`` does, by a kernel."""
    tensors = (x, weight, cell.weight, bias)
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        output, *state = _apply(*tensors, kernel, cell, context)
    else:
        output, *state = _results(_run_forward(kernel, cell, x, weight, bias, context, keep=False))
    return output, tuple(state)


def _run_forward(
    kernel: Kernel, cell: GatedCell, x: Tensor, weight: Tensor, bias: Tensor, context: SequenceContext, *, keep: bool
) -> Arrays:
    arrays = _arrays(cell, x, weight, bias, context, keep=keep)
    kernel.forward(arrays)
    return arrays


def _arrays(
    cell: GatedCell, x: Tensor, weight: Tensor, bias: Tensor, context: SequenceContext, *, keep: bool
) -> Arrays:
    return Arrays(
        cell=cell.with_weight(cell.weight.contiguous()),
        x=x.contiguous(),
        weight=weight.contiguous(),
        bias=bias.contiguous(),
        input_masks=context.input_masks,
        valid=None if context.mask is None else context.mask.to(torch.bool).expand(x.shape[:2]).contiguous(),
        backwards=context.backwards,
        sequences=context.sequences,
        keep=keep,
        h=context.state[0],
        c=context.state[1] if isinstance(cell, LSTMCell) else None,
    )


def _results(arrays: Arrays) -> list[Tensor]:
    """Returns the output, and the tensors of the last state."""
    output = arrays.h if arrays.outputs is None else arrays.outputs
    return [output, arrays.h] if arrays.c is None else [output, arrays.h, arrays.c]


class _Whole(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        recurrent_weight: Tensor,
        bias: Tensor,
        kernel: Kernel,
        cell: GatedCell,
        context: SequenceContext,
    ) -> tuple[Tensor, ...]:
        arrays = _run_forward(kernel, cell, x, weight, bias, context, keep=True)
        ctx.kernel, ctx.cell, ctx.context = kernel, cell, context
        ctx.save_for_backward(x, weight, recurrent_weight, bias)
        # Not among the saved tensors, as the backward pass writes over the gates.
        ctx.kept = (arrays.gates, arrays.previous_h, arrays.memory)
        ctx.set_materialize_grads(False)
        output, *state = _results(arrays)
        # The last state is for the next batch only: no gradient flows through it.
        state = [tensor.clone() if tensor is output else tensor for tensor in state]
        ctx.mark_non_differentiable(*state)
        return output, *state

    @staticmethod
    def backward(ctx: Any, grad: Tensor | None, *_: Tensor | None) -> Gradients:
        if grad is None:
            return (None,) * 7
        tensors = ctx.saved_tensors
        if torch.is_grad_enabled():  # the gradient is to be differentiated in turn
            return (*_differentiable(ctx.cell, tensors, ctx.context, grad), None, None, None)
        x, weight, recurrent_weight, bias = tensors
        cell = ctx.cell.with_weight(recurrent_weight)
        kept, ctx.kept = ctx.kept, None
        if kept is None:  # this is a second backward pass
            again = _run_forward(ctx.kernel, cell, x, weight, bias, ctx.context, keep=True)
            kept = (again.gates, again.previous_h, again.memory)
        arrays = _arrays(cell, x, weight, bias, ctx.context, keep=True)
        arrays.gates, arrays.previous_h, arrays.memory = kept
        if arrays.sequences:
            arrays.grad_outputs = grad.contiguous()
        else:
            arrays.grad_h = grad.contiguous()
        arrays.wants_grad_x = ctx.needs_input_grad[0]
        ctx.kernel.backward(arrays)
        return (arrays.grad_x, *_weight_gradients(ctx.kernel, arrays, ctx.needs_input_grad), None, None, None)


_apply: Callable[..., tuple[Tensor, ...]] = calling(_Whole)


def _differentiable(cell: GatedCell, tensors: Sequence[Tensor], context: SequenceContext, grad: Tensor) -> Gradients:
    """Returns the gradients of x, W, U and b as functions of them, by running the steps one by one."""
    x, weight, recurrent_weight, bias = tensors
    output, _ = run_steps(cell.with_weight(recurrent_weight), x, weight, bias, context)
    wanted = [tensor for tensor in tensors if tensor.requires_grad]
    found = iter(torch.autograd.grad(output, wanted, grad, create_graph=True))
    return tuple(next(found) if tensor.requires_grad else None for tensor in tensors)


def _weight_gradients(kernel: Kernel, arrays: Arrays, needed: Sequence[bool]) -> Gradients:
    """Returns the gradients of W, U and b from that of the sums that the gates were computed from."""
    cell, sums, units = arrays.cell, arrays.grad_gates, arrays.units
    assert sums is not None

    def gradient(like: Tensor, groups: Iterable[tuple[slice, Tensor | None, Tensor]], bias: Tensor | None) -> Tensor:
        found = torch.empty_like(like)
        for columns, mask, inputs in groups:
            masked = inputs if mask is None else inputs * mask.unsqueeze(1)
            total = None if bias is None else bias[columns]
            kernel.weight_gradient(sums[..., columns], masked, found[columns], total)
        return found

    of_inputs = gate_groups(arrays.input_masks, 0, arrays.gate_count, units)
    of_states = [
        (*group, states)
        for first, last, states in _inputs_of_gates(arrays)
        for group in gate_groups(cell.masks, first, last, units)
    ]
    bias = torch.empty_like(arrays.bias) if needed[3] else None
    return (
        gradient(arrays.weight, [(*group, arrays.x) for group in of_inputs], None) if needed[1] else None,
        gradient(cell.weight, of_states, bias) if needed[2] or needed[3] else None,
        bias,
    )


def _inputs_of_gates(arrays: Arrays) -> list[tuple[int, int, Tensor]]:
    """Returns what U was multiplied with: the first gate, the one behind the last, and their input."""
    assert arrays.previous_h is not None
    if isinstance(arrays.cell, GRUCell):
        assert arrays.memory is not None
        return [(0, 2, arrays.previous_h), (2, 3, arrays.memory)]
    return [(0, arrays.gate_count, arrays.previous_h)]
