"""The kernel in Python: torch's operations in place, step by step, with the gradient written by hand."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from bigdl.layers import activations
from bigdl.layers.activations import Activation
from bigdl.layers.recurrent.cells import GRUCell, LSTMCell
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
        masks = None if arrays.input_masks is None else arrays.input_masks.unsqueeze(2)
        _Forward(arrays, project(arrays.x, arrays.weight, arrays.bias, masks)).run()

    def backward(self, arrays: Arrays) -> None:
        """See ``Kernel``."""
        assert arrays.gates is not None
        assert arrays.grad_gates is not None
        _Backward(arrays, arrays.gates, arrays.grad_gates).run()
        if arrays.grad_x is not None:
            arrays.grad_x.zero_()
            for columns, mask in gate_groups(arrays.input_masks, 0, arrays.gate_count, arrays.units):
                product = arrays.grad_gates[..., columns] @ arrays.weight[columns]
                arrays.grad_x += product if mask is None else product * mask.unsqueeze(1)

    def weight_gradient(self, sums: Tensor, inputs: Tensor, gradient: Tensor, total: Tensor | None = None) -> None:
        """See ``Kernel``."""
        if total is not None:
            torch.sum(sums, 0, out=total)
        torch.mm(sums.t(), inputs, out=gradient)


class _Pass:
    """What both directions share.

    Args:
        arrays: The arrays of the call.
        gates: The projected inputs, or the activated gates, ``(batch, time, gates * units)``.
    """

    def __init__(self, arrays: Arrays, gates: Tensor) -> None:
        cell = arrays.cell
        batch, steps, _ = gates.shape
        self.arrays = arrays
        self.units = arrays.units
        self.weight = cell.weight
        self.activation, self.inner_activation = cell.activation, cell.inner_activation
        self.order = range(steps)[::-1] if arrays.backwards else range(steps)
        self.gates = _steps(gates.view(batch, steps, -1, self.units))
        self.previous_h, self.memory = _steps(arrays.previous_h), _steps(arrays.memory)
        self.valid = [] if arrays.valid is None else list(arrays.valid.unsqueeze(-1).unbind(1))

    def groups(self, first: int, last: int) -> list[tuple[slice, Tensor | None]]:
        """Returns the gates ``first`` to ``last - 1`` in groups with one input; see ``gate_groups``."""
        return gate_groups(self.arrays.cell.masks, first, last, self.units)


class _Forward(_Pass):
    def __init__(self, arrays: Arrays, projected: Tensor) -> None:
        super().__init__(arrays, projected if arrays.gates is None else arrays.gates.copy_(projected))

    def run(self) -> None:
        """Runs all steps."""
        outputs, h = _steps(self.arrays.outputs), self.arrays.h
        step = {LSTMCell: self.lstm, GRUCell: self.gru}.get(type(self.arrays.cell), self.simple_rnn)
        for position, t in enumerate(self.order):
            if self.previous_h:
                self.previous_h[t].copy_(h)
            step(t)
            if outputs:
                outputs[position].copy_(h)

    def add_product(self, t: int, first: int, last: int, x: Tensor) -> None:
        """Adds the product of x with U to the projected inputs of some gates."""
        sums = self.gates[t].flatten(1)
        for columns, mask in self.groups(first, last):
            sums[:, columns].addmm_(x if mask is None else x * mask, self.weight[columns].t())

    def keep(self, t: int, state: Tensor, new: Tensor) -> None:
        """Takes over the new state where the step counts."""
        if self.valid:
            torch.where(self.valid[t], new, state, out=state)
        else:
            state.copy_(new)

    def simple_rnn(self, t: int) -> None:
        """Computes one step."""
        self.add_product(t, 0, 1, self.arrays.h)
        self.keep(t, self.arrays.h, _activate(self.activation, self.gates[t][:, 0]))

    def lstm(self, t: int) -> None:
        """Computes one step."""
        h, c = self.arrays.h, self.arrays.c
        assert c is not None
        self.add_product(t, 0, 4, h)
        if self.memory:
            self.memory[t].copy_(c)
        i, f = _activate(self.inner_activation, self.gates[t][:, :2]).unbind(1)
        g = _activate(self.activation, self.gates[t][:, 2])
        o = _activate(self.inner_activation, self.gates[t][:, 3])
        self.keep(t, c, torch.mul(f, c).addcmul_(i, g))
        self.keep(t, h, o * self.activation(c))

    def gru(self, t: int) -> None:
        """Computes one step."""
        h = self.arrays.h
        self.add_product(t, 0, 2, h)
        z, r = _activate(self.inner_activation, self.gates[t][:, :2]).unbind(1)
        reset = r * h
        if self.memory:
            self.memory[t].copy_(reset)
        self.add_product(t, 2, 3, reset)
        self.keep(t, h, torch.lerp(_activate(self.activation, self.gates[t][:, 2]), h, z))


class _Backward(_Pass):
    def __init__(self, arrays: Arrays, gates: Tensor, grad_gates: Tensor) -> None:
        super().__init__(arrays, gates)
        self.grad_gates = _steps(grad_gates.view(*gates.shape[:2], -1, self.units))
        self.slope, self.inner_slope = SLOPES[self.activation], SLOPES[self.inner_activation]
        self.dh = torch.zeros_like(arrays.h) if arrays.grad_h is None else arrays.grad_h.clone()
        self.dc = torch.zeros_like(arrays.h)

    def run(self) -> None:
        """Runs all steps, the last one first."""
        grad_outputs = _steps(self.arrays.grad_outputs)
        step = {LSTMCell: self.lstm, GRUCell: self.gru}.get(type(self.arrays.cell), self.simple_rnn)
        for position, t in reversed(list(enumerate(self.order))):
            if grad_outputs:
                self.dh += grad_outputs[position]
            if not self.valid:
                self.dh, self.dc = step(t)
                continue
            # A step that does not count hands the gradients on as they are.
            valid, dh, dc = self.valid[t], self.dh, self.dc
            self.dh, self.dc = dh * valid, dc * valid
            stepped = step(t)
            self.dh, self.dc = torch.where(valid, stepped[0], dh), torch.where(valid, stepped[1], dc)

    def back_product(self, t: int, first: int, last: int) -> Tensor:
        """Multiplies the gradients of some gates' sums by U: the gradient of their input."""
        sums = self.grad_gates[t].flatten(1)
        products = [(sums[:, columns] @ self.weight[columns], mask) for columns, mask in self.groups(first, last)]
        return torch.stack([product if mask is None else product * mask for product, mask in products]).sum(0)

    def simple_rnn(self, t: int) -> tuple[Tensor, Tensor]:
        """Computes the gradients before one step from those after it."""
        self.grad_gates[t][:, 0] = self.slope(self.dh, self.gates[t][:, 0])
        return self.back_product(t, 0, 1), self.dc

    def lstm(self, t: int) -> tuple[Tensor, Tensor]:
        """Computes the gradients before one step from those after it."""
        i, f, g, o = self.gates[t].unbind(1)
        c = self.memory[t]
        y = self.activation(torch.mul(f, c).addcmul_(i, g))
        dc = self.dc + self.slope(self.dh * o, y)
        before = dc * f
        grads = (
            self.inner_slope(dc * g, i),
            self.inner_slope(dc * c, f),
            self.slope(dc * i, g),
            self.inner_slope(self.dh * y, o),
        )
        torch.stack(grads, 1, out=self.grad_gates[t])
        return self.back_product(t, 0, 4), before

    def gru(self, t: int) -> tuple[Tensor, Tensor]:
        """Computes the gradients before one step from those after it."""
        z, r, g = self.gates[t].clone().unbind(1)
        h, grad = self.previous_h[t], self.grad_gates[t]
        grad[:, 0] = self.inner_slope(self.dh * (h - g), z)
        grad[:, 2] = self.slope(self.dh * (1 - z), g)
        grad_reset = self.back_product(t, 2, 3)
        grad[:, 1] = self.inner_slope(grad_reset * h, r)
        return (self.dh * z).addcmul_(grad_reset, r) + self.back_product(t, 0, 2), self.dc


def _steps(tensor: Tensor | None) -> list[Tensor]:
    """Returns the steps of ``(batch, time, ...)``; an empty list for None."""
    return [] if tensor is None else list(tensor.unbind(1))


def _activate(activation: Activation, x: Tensor) -> Tensor:
    """Applies an activation in place."""
    return _IN_PLACE[activation](x) if activation in _IN_PLACE else x.copy_(activation(x))
