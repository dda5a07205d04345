"""The fully connected recurrent layer."""

from __future__ import annotations

from torch import Tensor

from bigdl.layers.recurrent.base import Recurrent
from bigdl.layers.recurrent.cells import SimpleRNNCell
from bigdl.registry import layer


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

    def cell(self, weight: Tensor, masks: Tensor | None) -> SimpleRNNCell:
        """Returns the cell for one call."""
        return SimpleRNNCell(weight, masks, self.activation)
