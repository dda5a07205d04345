"""The gated recurrent unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from bigdl.layers import activations
from bigdl.layers.activations import Activation
from bigdl.layers.recurrent.base import Recurrent
from bigdl.layers.recurrent.gates import RecurrentProduct
from bigdl.layers.recurrent.sequence import State
from bigdl.registry import layer


class GRUCell:
    """One step of a GRU.

    Args:
        gates: The product with U of the gates z and r.
        candidate: The product with U of the candidate.
        units: The number of units.
        activation: The activation of the candidate.
        inner_activation: The activation of the gates.
    """

    def __init__(
        self,
        gates: RecurrentProduct,
        candidate: RecurrentProduct,
        units: int,
        activation: Activation,
        inner_activation: Activation,
    ) -> None:
        self.gates = gates
        self.candidate = candidate
        self.units = units
        self.activation = activation
        self.inner_activation = inner_activation

    def split(self, projected: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the projected input of the two gates, and that of the candidate."""
        return projected[..., : 2 * self.units], projected[..., 2 * self.units :]

    def step(self, inputs: Sequence[Tensor], state: State) -> State:
        """Returns the next state ``(h,)``."""
        (h,) = state
        z, r = self.gates(inputs[0], h).chunk(2, 1)
        candidate = self.activation(self.candidate(inputs[1], self.inner_activation(r) * h))
        return (torch.lerp(candidate, h, self.inner_activation(z)),)


@layer()
class GRU(Recurrent):
    """The gated recurrent unit (Cho et al. 2014), its reset gate applied before the product.

    ``z, r = inner_activation(x W + h U + b)``, ``g = activation(x W_h + (r * h) U_h + b_h)``,
    ``h' = z * h + (1 - z) * g``.

    Args:
        output_dim: The number of units.
        init: The initialization of W; of U too unless ``consume_less="gpu"``.
        inner_init: The initialization of U where ``consume_less="gpu"``.
        activation: The activation of the candidate, a name or a function.
        inner_activation: The activation of the gates.
        W_regularizer: A penalty of W; of U too unless ``consume_less="gpu"``.
        U_regularizer: A penalty of U where ``consume_less="gpu"``.
        b_regularizer: A penalty of b.
        dropout_W: The share of input units to drop in training.
        dropout_U: The share of recurrent units to drop in training.
        kwargs: See ``Recurrent``.
    """

    gates = "zrh"
    array_order = "zrh"

    def __init__(
        self,
        output_dim: int,
        init: Any = "glorot_uniform",
        inner_init: Any = "orthogonal",
        activation: Any = "tanh",
        inner_activation: Any = "hard_sigmoid",
        W_regularizer: Any = None,
        U_regularizer: Any = None,
        b_regularizer: Any = None,
        dropout_W: float = 0.0,
        dropout_U: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            output_dim,
            init,
            inner_init,
            activation,
            W_regularizer,
            U_regularizer,
            b_regularizer,
            dropout_W,
            dropout_U,
            **kwargs,
        )
        self.inner_activation = activations.get(inner_activation)

    def cell(self, masks: Tensor | None) -> GRUCell:
        """Returns the cell for one call."""
        gate_masks = candidate_masks = masks
        if masks is not None and not self.joint_arrays:
            gate_masks, candidate_masks = masks[:2], masks[2:]
        units = self.output_dim
        return GRUCell(
            RecurrentProduct(self.recurrent_weight[: 2 * units], gate_masks),
            RecurrentProduct(self.recurrent_weight[2 * units :], candidate_masks),
            units,
            self.activation,
            self.inner_activation,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "inner_activation": activations.name_of(self.inner_activation)}
