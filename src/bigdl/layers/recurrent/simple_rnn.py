"""The fully connected recurrent layer."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from bigdl.layers.activations import Activation
from bigdl.layers.recurrent.base import Recurrent
from bigdl.layers.recurrent.gates import RecurrentProduct
from bigdl.layers.recurrent.sequence import State
from bigdl.registry import layer


class SimpleRNNCell:
    """``h' = activation(x + h U)``.

    Args:
        product: The product with U.
        activation: The activation.
    """

    def __init__(self, product: RecurrentProduct, activation: Activation) -> None:
        self.product = product
        self.activation = activation

    def split(self, projected: Tensor) -> tuple[Tensor]:
        """Returns the projected input, whole."""
        return (projected,)

    def step(self, inputs: Sequence[Tensor], state: State) -> State:
        """Returns the next state ``(h,)``."""
        return (self.activation(self.product(inputs[0], state[0])),)


@layer()
class SimpleRNN(Recurrent):
    """``h' = activation(x W + h U + b)``.

    Its arguments are those of ``Recurrent``. As in Keras, ``dropout_W`` has no effect unless ``consume_less="cpu"``.
    """

    gates = "h"
    array_order = "h"

    @property
    def input_dropout(self) -> float:
        """The share of input units that is dropped."""
        return self.dropout_W if self.consume_less == "cpu" else 0.0

    def cell(self, masks: Tensor | None) -> SimpleRNNCell:
        """Returns the cell for one call."""
        return SimpleRNNCell(RecurrentProduct(self.recurrent_weight, masks), self.activation)
