"""The mask of merged tensors, and where Keras 1.2.2 refuses to make one."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from bigdl.errors import LayerError
from bigdl.graph import MaskKind, Shape


def joined_kind(
    mode: str, kinds: Sequence[MaskKind | None], concat_axis: int, shapes: Sequence[Shape]
) -> MaskKind | None:
    """Returns the type of the mask of merged tensors; Keras always makes one of ``uint8``.

    Args:
        mode: The mode of the ``Merge``.
        kinds: The type of each input's mask, or None.
        concat_axis: The axis that ``concat`` joins along.
        shapes: The inputs' shapes.

    Raises:
        LayerError: Keras cannot join these masks.
    """
    given = {kind for kind in kinds if kind is not None}
    if not given or mode in ("dot", "cos"):
        return None
    if mode == "max":
        raise LayerError("mode 'max' takes no masks, but an input has one. Keras 1.2.2 refuses this too.")
    if mode == "concat" and None in kinds:
        _check_unmasked(kinds, concat_axis, shapes)
        given.add("uint8")
    if len(given) > 1:
        raise LayerError(
            "an input has a mask of Embedding(mask_zero=True), which is of type bool, another one a mask of Masking or "
            "none at all, which is of type uint8. Keras 1.2.2 cannot join these."
        )
    return "uint8"


def _check_unmasked(kinds: Sequence[MaskKind | None], concat_axis: int, shapes: Sequence[Shape]) -> None:
    """Checks that ones in the place of an absent mask fit the others; they have the input's full shape."""
    rank = len(shapes[0])
    lengths = [shape[-1] for shape, kind in zip(shapes, kinds, strict=True) if kind is None]
    if concat_axis % rank != rank - 1 and any(length != 1 for length in lengths):
        raise LayerError(
            f"an input with a mask and one without cannot be joined along axis {concat_axis}. Keras 1.2.2 refuses this "
            "too."
        )


def joined_mask(mode: str, x: Sequence[Tensor], masks: Sequence[Tensor | None], concat_axis: int) -> Tensor | None:
    """Returns the mask of merged tensors: true where all masks are.

    Args:
        mode: The mode of the ``Merge``.
        x: The tensors.
        masks: The mask of each (bool), or None.
        concat_axis: The axis that ``concat`` joins along.

    Raises:
        LayerError: The masks are of different ranks.
    """
    given = [mask for mask in masks if mask is not None]
    if not given or mode in ("dot", "cos"):
        return None
    if mode != "concat":
        return torch.stack(given).all(dim=0)
    parts = [_full_rank(values, mask) for values, mask in zip(x, masks, strict=True)]
    if len({part.dim() for part in parts}) > 1:
        raise LayerError("Merge: the masks of the inputs are of different ranks. Keras 1.2.2 cannot join these.")
    return torch.cat(parts, dim=concat_axis).all(dim=-1)


def _full_rank(values: Tensor, mask: Tensor | None) -> Tensor:
    if mask is None:
        return torch.ones_like(values, dtype=torch.bool)
    return mask.unsqueeze(-1) if mask.dim() < values.dim() else mask
