"""Layers that disturb their input in training and pass it on unchanged otherwise."""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.nn import functional as F

from bigdl.graph import Layer
from bigdl.registry import layer


@layer()
class Dropout(Layer):
    """Sets a share of the input to zero in training and scales the rest by ``1 / (1 - p)`` (Srivastava et al. 2014).

    Args:
        p: The share; outside (0, 1) nothing is dropped, as in Keras.
        kwargs: See ``Layer``.
    """

    supports_masking = True

    def __init__(self, p: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.p = float(p)

    def forward(self, x: Tensor) -> Tensor:
        """Drops in training mode."""
        return F.dropout(x, self.p) if self.training and 0.0 < self.p < 1.0 else x

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "p": self.p}
