"""The layer that marks steps of a sequence as missing."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from bigdl.graph import Layer, MaskKind
from bigdl.registry import layer


@layer()
class Masking(Layer):
    """Masks the steps all of whose values are ``mask_value``, and sets them to zero.

    Args:
        mask_value: The value.
        kwargs: See ``Layer``.
    """

    supports_masking = True
    creates_mask = True

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = float(mask_value)

    def forward(self, x: Tensor) -> Tensor:
        """Sets masked steps of ``(batch, time, ...)`` to zero."""
        return x * (x != self.mask_value).any(-1, keepdim=True)

    def mask_kind(self, kinds: list[MaskKind | None]) -> MaskKind | None:
        """Returns the type of Keras's ``K.any``, whatever the input's mask."""
        return "uint8"

    def compute_mask(self, x: Tensor, mask: Any) -> Tensor:
        """Returns True where a step of ``(batch, time, ...)`` holds another value than ``mask_value``."""
        return (x != self.mask_value).any(-1)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "mask_value": self.mask_value}
