"""The derivatives of Keras's activations, from their values."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from bigdl.layers import activations
from bigdl.layers.activations import Activation

Slope = Callable[[Tensor, Tensor], Tensor]
"""``slope(grad, y)``: the gradient of an activation's input, from that of its value ``y`` and the value itself."""


def _softmax(grad: Tensor, y: Tensor) -> Tensor:
    product = grad * y
    return product - y * product.sum(-1, keepdim=True)


SLOPES: dict[Activation, Slope] = {
    activations.linear: lambda grad, y: grad,
    activations.relu: lambda grad, y: grad * (y > 0),
    activations.tanh: torch.ops.aten.tanh_backward,
    activations.sigmoid: torch.ops.aten.sigmoid_backward,
    activations.hard_sigmoid: lambda grad, y: grad * (0.2 * ((y > 0) & (y < 1))),
    activations.softsign: lambda grad, y: grad * (1 - y.abs()).square(),
    activations.softplus: lambda grad, y: grad * -torch.expm1(-y),
    activations.elu: lambda grad, y: grad * (y.clamp(max=0) + 1),
    activations.softmax: _softmax,
}
