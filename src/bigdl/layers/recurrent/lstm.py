"""The long short-term memory."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from bigdl.graph.weight import Initializer
from bigdl.layers import activations, initializations
from bigdl.layers.recurrent.base import Recurrent
from bigdl.layers.recurrent.cells import LSTMCell
from bigdl.registry import layer


@layer()
class LSTM(Recurrent):
    """The long short-term memory (Hochreiter and Schmidhuber 1997).

    ``i, f, o = inner_activation(x W + h U + b)``, ``g = activation(x W_c + h U_c + b_c)``, ``c' = f * c + i * g``,
    ``h' = o * activation(c')``.

    Args:
        output_dim: The number of units.
        init: The initialization of W; of U too unless ``consume_less="gpu"``.
        inner_init: The initialization of U where ``consume_less="gpu"``.
        forget_bias_init: The initialization of the forget gate's bias (ones: Jozefowicz et al. 2015).
        activation: The activation of the candidate and of the memory, a name or a function.
        inner_activation: The activation of the gates.
        W_regularizer: A penalty of W; of U too unless ``consume_less="gpu"``.
        U_regularizer: A penalty of U where ``consume_less="gpu"``.
        b_regularizer: A penalty of b.
        dropout_W: The share of input units to drop in training.
        dropout_U: The share of recurrent units to drop in training.
        kwargs: See ``Recurrent``.
    """

    gates = "ifco"
    array_order = "icfo"
    state_count = 2

    def __init__(
        self,
        output_dim: int,
        init: Any = "glorot_uniform",
        inner_init: Any = "orthogonal",
        forget_bias_init: Any = "one",
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
        self.forget_bias_init = forget_bias_init
        self.inner_activation = activations.get(inner_activation)

    def bias_init(self, gate: str) -> Initializer:
        """Returns the initialization of one gate's bias."""
        return initializations.get(self.forget_bias_init) if gate == "f" else initializations.zero

    def cell(self, weight: Tensor, masks: Tensor | None) -> LSTMCell:
        """Returns the cell for one call."""
        return LSTMCell(weight, masks, self.activation, self.inner_activation)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {
            **super().get_config(),
            "forget_bias_init": initializations.name_of(self.forget_bias_init),
            "inner_activation": activations.name_of(self.inner_activation),
        }
