"""Layers that add to the loss and change nothing else."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from bigdl.graph import Layer
from bigdl.layers.regularizers import L1L2Regularizer
from bigdl.registry import layer


@layer()
class ActivityRegularization(Layer):
    """Adds ``l1 sum|x| + l2 sum x^2`` of its input, over the whole batch, to the loss.

    Args:
        l1: The factor of the absolute values.
        l2: The factor of the squares.
        kwargs: See ``Layer``.
    """

    supports_masking = True
    returns_input = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.l1 = float(l1)
        self.l2 = float(l2)
        self.activity_regularizer = L1L2Regularizer(l1, l2)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the input."""
        return x

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "l1": self.l1, "l2": self.l2}
