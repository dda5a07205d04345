"""The gated recurrent unit."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from bigdl.layers import activations
from bigdl.layers.recurrent.base import Recurrent
from bigdl.layers.recurrent.cells import GRUCell
from bigdl.registry import layer


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

    def cell(self, weight: Tensor, masks: Tensor | None) -> GRUCell:
        """Returns the cell for one call."""
        return GRUCell(weight, masks, self.activation, self.inner_activation)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "inner_activation": activations.name_of(self.inner_activation)}
