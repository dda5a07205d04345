"""The kernel in Python: few of torch's operations for each step, in place, and the gradient written by hand.

What does not depend on the step before is computed for all steps at once: the projection of the inputs, and in the
backward pass every factor of the gradients. Time is the first axis, so that each step's values lie together.

It is for training LSTM and GRU; SimpleRNN and prediction are as fast step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from bigdl.layers import activations
from bigdl.layers.activations import Activation
from bigdl.layers.recurrent.cells import LSTMCell
from bigdl.layers.recurrent.gates import gate_groups, project
from bigdl.layers.recurrent.kernels.arrays import Arrays
from bigdl.layers.recurrent.kernels.slopes import SLOPES

_IN_PLACE: dict[Activation, Callable[[Tensor], Tensor]] = {
    activations.linear: lambda x: x,
    activations.relu: torch.relu_,
    activations.tanh: torch.tanh_,
    activations.sigmoid: torch.sigmoid_,
    activations.hard_sigmoid: lambda x: x.mul_(0.2).add_(0.5).clamp_(0, 1),
}


class StepwiseKernel:
    """See ``Kernel``."""

    def forward(self, arrays: Arrays) -> None:
        """See ``Kernel``."""
        _Forward(arrays).run()

    def backward(self, arrays: Arrays) -> None:
        """See ``Kernel``."""
        _Backward(arrays).run()

    def weight_gradient(self, sums: Tensor, inputs: Tensor, gradient: Tensor, total: Tensor | None = None) -> None:
        """See ``Kernel``."""
        came_out, went_in = (tensor.transpose(0, 1).flatten(0, 1) for tensor in (sums, inputs))
        torch.mm(came_out.t(), went_in, out=gradient)
        if total is not None:
            torch.sum(came_out, 0, out=total)


Product = list[tuple[Sequence[Tensor], Tensor, Tensor | None]]
"""Of gates that have their input in common: their sums at each step, their part of U, the dropout mask of the input."""


class _Pass:
    """What both directions share. Views of each step are made once for all: they cost as much as the work on them.

    Args:
        arrays: The arrays of the call.
        gates: The projected inputs, or the activated gates, ``(time, batch, gates * units)``.
    """

    def __init__(self, arrays: Arrays, gates: Tensor) -> None:
        self.arrays = arrays
        self.cell, self.units = arrays.cell, arrays.units
        self.activation, self.inner_activation = self.cell.activation, self.cell.inner_activation
        self.steps = len(gates)
        self.order = range(self.steps)[::-1] if arrays.backwards else range(self.steps)
        self.gates = gates.view(*gates.shape[:2], -1, self.units)
        self.valid = None if arrays.valid is None else arrays.valid.t().unsqueeze(2)

    def product(self, sums: Tensor, first: int, last: int) -> Product:
        """Cuts the gates ``first`` to ``last - 1`` into those with one input; see ``gate_groups``."""
        flat, weight = sums.flatten(2), self.cell.weight
        groups = gate_groups(self.cell.masks, first, last, self.units)
        return [(flat[..., columns].unbind(0), weight[columns], mask) for columns, mask in groups]


class _Forward(_Pass):
    def __init__(self, arrays: Arrays) -> None:
        super().__init__(arrays, project(arrays.x.transpose(0, 1), arrays.weight, arrays.bias, arrays.input_masks))
        self.states = [self._room(state) for state in (arrays.h, arrays.c) if state is not None]
        self.before = [before.unbind(0) for before, _ in self.states]
        self.after = [after.unbind(0) for _, after in self.states]

    def _room(self, first: Tensor) -> tuple[Tensor, Tensor]:
        """Returns room for a state before each step and after it, in the order of time."""
        states = first.new_empty(self.steps + 1, *first.shape)
        before, after = (states[1:], states[:-1]) if self.arrays.backwards else (states[:-1], states[1:])
        before[self.order[0]] = first
        return before, after

    def run(self) -> None:
        """Runs all steps."""
        arrays = self.arrays
        memory = self.lstm() if isinstance(self.cell, LSTMCell) else self.gru()
        before, after = self.states[0]
        # Copies: what is given away may be changed by its user.
        arrays.h, *c = (after[self.order[-1]].clone() for _, after in self.states)
        arrays.c = c[0] if c else None
        if arrays.sequences:
            ordered = (after.flip(0) if arrays.backwards else after).transpose(0, 1)
            arrays.outputs = ordered.clone(memory_format=torch.contiguous_format)
        if arrays.keep:
            arrays.gates, arrays.previous_h = self.gates.flatten(2).transpose(0, 1), before.transpose(0, 1)
            arrays.memory = memory.transpose(0, 1)

    def in_order(self) -> Iterator[int]:
        """Gives the steps; after each, takes the states before it over where it does not count."""
        valid = [] if self.valid is None else self.valid.unbind(0)
        for t in self.order:
            yield t
            for before, after in zip(self.before, self.after, strict=True) if valid else ():
                torch.where(valid[t], after[t], before[t], out=after[t])

    def lstm(self) -> Tensor:
        """Computes all steps; returns c before each."""
        (h, c), (next_h, next_c) = self.before, self.after
        product, inner = self.product(self.gates, 0, 4), self.gates[:, :, :2].unbind(0)
        i, f, g, o = (gate.unbind(0) for gate in self.gates.unbind(2))
        for t in self.in_order():
            _add_product(product, t, h[t])
            _activate(self.inner_activation, inner[t])
            _activate(self.activation, g[t])
            _activate(self.inner_activation, o[t])
            torch.mul(f[t], c[t], out=next_c[t]).addcmul_(i[t], g[t])
            torch.mul(o[t], self.activation(next_c[t]), out=next_h[t])
        return self.states[1][0]

    def gru(self) -> Tensor:
        """Computes all steps; returns the candidate's input at each."""
        (h,), (next_h,) = self.before, self.after
        product, inner = self.product(self.gates, 0, 2), self.gates[:, :, :2].unbind(0)
        of_candidate = self.product(self.gates, 2, 3)
        z, r, g = (gate.unbind(0) for gate in self.gates.unbind(2))
        memory = torch.empty_like(self.states[0][0])
        reset = memory.unbind(0)
        for t in self.in_order():
            _add_product(product, t, h[t])
            _activate(self.inner_activation, inner[t])
            _add_product(of_candidate, t, torch.mul(r[t], h[t], out=reset[t]))
            torch.lerp(_activate(self.activation, g[t]), h[t], z[t], out=next_h[t])
        return memory


def _add_product(product: Product, t: int, x: Tensor) -> None:
    """Adds the product of x with U to the sums of some gates."""
    for sums, weight, mask in product:
        sums[t].addmm_(x if mask is None else x * mask, weight.t())


class _Backward(_Pass):
    def __init__(self, arrays: Arrays) -> None:
        assert arrays.gates is not None
        super().__init__(arrays, arrays.gates.transpose(0, 1))
        self.slope, self.inner_slope = SLOPES[self.activation], SLOPES[self.inner_activation]
        self.sums = torch.empty_like(self.gates)
        self.dh = torch.zeros_like(arrays.h) if arrays.grad_h is None else arrays.grad_h.clone()

    def run(self) -> None:
        """Runs all steps, the last one first."""
        if isinstance(self.cell, LSTMCell):
            self.lstm()
        else:
            self.gru()
        arrays, sums = self.arrays, self.sums.flatten(2)
        arrays.grad_gates = sums.transpose(0, 1)
        if arrays.wants_grad_x:
            groups = gate_groups(arrays.input_masks, 0, arrays.gate_count, self.units)
            products = [(sums[..., columns] @ arrays.weight[columns], mask) for columns, mask in groups]
            parts = [product if mask is None else product * mask for product, mask in products]
            arrays.grad_x = (parts[0] if len(parts) == 1 else torch.stack(parts).sum(0)).transpose(0, 1)

    def counted(self, *factors: Tensor) -> Sequence[Tensor]:
        """Returns factors side by side for each step, ``(batch, n, units)``, 0 where it does not count."""
        joined = torch.stack(factors, 2)
        return (joined if self.valid is None else joined.mul_(self.valid.unsqueeze(3))).unbind(0)

    def passed_on(self, share: Tensor) -> Sequence[Tensor]:
        """Returns the share of a gradient that each step leaves as it is: all, where it does not count."""
        return (share if self.valid is None else torch.where(self.valid, share, 1.0)).unbind(0)

    def in_order(self) -> Iterator[int]:
        """Gives the steps; before each, adds the gradient of its output to that of h."""
        given = self.arrays.grad_outputs
        grad_outputs = None if given is None else given.unbind(1)
        for position in range(self.steps)[::-1]:
            if grad_outputs is not None:
                self.dh.add_(grad_outputs[position])
            yield self.order[position]

    def lstm(self) -> None:
        """Computes all steps."""
        i, f, g, o = self.gates.unbind(2)
        c = _time_first(self.arrays.memory)
        y = self.activation(torch.mul(f, c).addcmul_(i, g))
        of_dc = self.counted(g * self.inner_slope(i), c * self.inner_slope(f), i * self.slope(g))
        of_dh, to_dc = self.counted(y * self.inner_slope(o)), self.counted(o * self.slope(y))
        c_left, h_left = self.passed_on(f), self.passed_on(torch.zeros_like(f))
        product, dh, dc = self.product(self.sums, 0, 4), self.dh.unsqueeze(1), torch.zeros_like(self.dh).unsqueeze(1)
        first_sums, last_sums = self.sums[:, :, :3].unbind(0), self.sums[:, :, 3:].unbind(0)
        for t in self.in_order():
            dc.addcmul_(dh, to_dc[t])
            torch.mul(dc, of_dc[t], out=first_sums[t])
            torch.mul(dh, of_dh[t], out=last_sums[t])
            dc[:, 0].mul_(c_left[t])
            _add_back_product(product, t, self.dh.mul_(h_left[t]))

    def gru(self) -> None:
        """Computes all steps."""
        z, r, g = self.gates.unbind(2)
        h = _time_first(self.arrays.previous_h)
        of_dh = self.counted((h - g) * self.inner_slope(z), (1 - z) * self.slope(g))
        of_reset, to_dh = self.counted(h * self.inner_slope(r)), r.unbind(0)
        left = self.passed_on(z)
        product, of_candidate = self.product(self.sums, 0, 2), self.product(self.sums, 2, 3)
        outer_sums, r_sums = self.sums[:, :, ::2].unbind(0), self.sums[:, :, 1:2].unbind(0)
        dh, grad_reset = self.dh, torch.empty_like(self.dh)
        for t in self.in_order():
            torch.mul(dh.unsqueeze(1), of_dh[t], out=outer_sums[t])
            _add_back_product(of_candidate, t, grad_reset.zero_())
            torch.mul(grad_reset.unsqueeze(1), of_reset[t], out=r_sums[t])
            _add_back_product(product, t, dh.mul_(left[t]).addcmul_(grad_reset, to_dh[t]))


def _add_back_product(product: Product, t: int, target: Tensor) -> None:
    """Adds the product of the gradients of some gates' sums with U to the gradient of their input."""
    for sums, weight, mask in product:
        if mask is None:
            target.addmm_(sums[t], weight)
        else:
            target.addcmul_(sums[t] @ weight, mask)


def _time_first(tensor: Tensor | None) -> Tensor:
    assert tensor is not None
    return tensor.transpose(0, 1)


def _activate(activation: Activation, x: Tensor) -> Tensor:
    """Applies an activation in place."""
    return _IN_PLACE[activation](x) if activation in _IN_PLACE else x.copy_(activation(x))
