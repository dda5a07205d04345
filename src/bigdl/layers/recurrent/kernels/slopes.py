"""The derivatives of Keras's activations, from their values."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from bigdl.layers import activations
from bigdl.layers.activations import Activation

SLOPES: dict[Activation, Callable[[Tensor], Tensor]] = {
    activations.linear: torch.ones_like,
    activations.relu: lambda y: (y > 0).to(y.dtype),
    activations.tanh: lambda y: 1 - y * y,
    activations.sigmoid: lambda y: y * (1 - y),
    activations.hard_sigmoid: lambda y: ((y > 0) & (y < 1)).to(y.dtype).mul_(0.2),
    activations.softsign: lambda y: (1 - y.abs()).square_(),
    activations.softplus: lambda y: -torch.expm1(-y),
    activations.elu: lambda y: y.clamp(max=0).add_(1),
}
"""From the value ``y`` to the slope there. Softmax is not among them: its values depend on each other."""
