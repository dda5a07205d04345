"""A layer's run by a kernel, and its gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Any

import torch
from torch import Tensor

from bigdl.layers.recurrent.cells import GatedCell, GRUCell, LSTMCell
from bigdl.layers.recurrent.gates import gate_groups, project
from bigdl.layers.recurrent.kernels.arrays import Arrays, Kernel
from bigdl.layers.recurrent.sequence import SequenceContext, State
from bigdl.layers.recurrent.steps import run_steps

Gradients = tuple[Tensor | None, ...]


def run_whole(
    kernel: Kernel, cell: GatedCell, x: Tensor, weight: Tensor, bias: Tensor, context: SequenceContext
) -> tuple[Tensor, State]:
    """Computes what ``run_steps`` does, by a kernel."""
    tensors = (x, weight, cell.weight, bias)
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        apply: Callable[..., tuple[Tensor, ...]] = _Whole.apply
        output, *state = apply(*tensors, kernel, cell, context)
    else:
        output, *state = _results(_run_forward(kernel, cell, x, weight, bias, context, keep=False))
    return output, tuple(state)


def _run_forward(
    kernel: Kernel, cell: GatedCell, x: Tensor, weight: Tensor, bias: Tensor, context: SequenceContext, *, keep: bool
) -> Arrays:
    gates = project(x, weight, bias, None if context.input_masks is None else context.input_masks.unsqueeze(2))
    # Two states of zeros may be one tensor.
    state = [tensor.clone() for tensor in context.state]
    shape = (*x.shape[:2], cell.weight.shape[1])
    arrays = Arrays(
        cell=cell.with_weight(cell.weight.contiguous()),
        backwards=context.backwards,
        valid=None if context.mask is None else context.mask.contiguous(),
        gates=gates,
        h=state[0],
        c=state[1] if isinstance(cell, LSTMCell) else None,
        outputs=gates.new_empty(shape) if context.sequences else None,
        previous_h=gates.new_empty(shape) if keep else None,
        memory=gates.new_empty(shape) if keep and isinstance(cell, LSTMCell | GRUCell) else None,
    )
    kernel.forward(arrays)
    return arrays


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
        ctx.save_for_backward(x, weight, recurrent_weight, bias, arrays.gates, arrays.previous_h, arrays.memory)
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
        *tensors, gates, previous_h, memory = ctx.saved_tensors
        if torch.is_grad_enabled():  # the gradient is to be differentiated in turn
            return (*_differentiable(ctx.cell, tensors, ctx.context, grad), None, None, None)
        x, weight, recurrent_weight, _ = tensors
        context: SequenceContext = ctx.context
        grad = grad.contiguous()
        arrays = Arrays(
            cell=ctx.cell.with_weight(recurrent_weight.contiguous()),
            backwards=context.backwards,
            valid=None if context.mask is None else context.mask.contiguous(),
            gates=gates,
            h=previous_h[:, 0],
            c=None,
            previous_h=previous_h,
            memory=memory,
            grad_outputs=grad if context.sequences else None,
            grad_h=None if context.sequences else grad,
            grad_gates=torch.empty_like(gates),
        )
        ctx.kernel.backward(arrays)
        gradients = _gradients(ctx.kernel, arrays, x, weight, context.input_masks, ctx.needs_input_grad)
        return (*gradients, None, None, None)


def _differentiable(cell: GatedCell, tensors: Sequence[Tensor], context: SequenceContext, grad: Tensor) -> Gradients:
    """Returns the gradients of x, W, U and b as functions of them, by running the steps one by one."""
    x, weight, recurrent_weight, bias = tensors
    output, _ = run_steps(cell.with_weight(recurrent_weight), x, weight, bias, context)
    wanted = [tensor for tensor in tensors if tensor.requires_grad]
    found = iter(torch.autograd.grad(output, wanted, grad, create_graph=True))
    return tuple(next(found) if tensor.requires_grad else None for tensor in tensors)


def _gradients(
    kernel: Kernel, arrays: Arrays, x: Tensor, weight: Tensor, input_masks: Tensor | None, needed: Sequence[bool]
) -> Gradients:
    """Returns the gradients of x, W, U and b from that of the projected inputs: a few large products."""
    cell, sums = arrays.cell, arrays.grad_gates
    assert sums is not None
    units = cell.weight.shape[1]
    of_inputs = gate_groups(input_masks, 0, len(cell.weight) // units, units)
    of_states = [
        (*group, states)
        for first, last, states in _inputs_of_gates(arrays)
        for group in gate_groups(cell.masks, first, last, units)
    ]

    def weight_gradient(like: Tensor, groups: Iterable[tuple[slice, Tensor | None, Tensor]]) -> Tensor:
        gradient = torch.empty_like(like, memory_format=torch.contiguous_format)
        for columns, mask, inputs in groups:
            went_in, came_out = _masked(inputs, mask).flatten(0, 1), sums[..., columns].flatten(0, 1)
            kernel.weight_gradient(came_out, went_in, gradient[columns])
        return gradient

    grads_of_inputs = (_masked(sums[..., columns] @ weight[columns], mask) for columns, mask in of_inputs)
    return (
        reduce(torch.add, grads_of_inputs) if needed[0] else None,
        weight_gradient(weight, [(*group, x) for group in of_inputs]) if needed[1] else None,
        weight_gradient(cell.weight, of_states) if needed[2] else None,
        sums.sum((0, 1)) if needed[3] else None,
    )


def _inputs_of_gates(arrays: Arrays) -> list[tuple[int, int, Tensor]]:
    """Returns what U was multiplied with: the first gate, the one behind the last, and their input."""
    assert arrays.previous_h is not None
    if isinstance(arrays.cell, GRUCell):
        assert arrays.memory is not None
        return [(0, 2, arrays.previous_h), (2, 3, arrays.memory)]
    return [(0, len(arrays.cell.weight) // arrays.cell.weight.shape[1], arrays.previous_h)]


def _masked(x: Tensor, mask: Tensor | None) -> Tensor:
    """Drops units of ``(batch, time, units)``, the same at every step."""
    return x if mask is None else x * mask.unsqueeze(1)
