"""Functions that reorder, repeat, join and pad values without changing any."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.errors import LayerError
from bigdl.layers.backend.elementwise import cast
from bigdl.layers.settings import checked_dim_ordering


def reshape(x: Tensor, shape: Sequence[int]) -> Tensor:
    """The same values in another shape, batch included."""
    return x.reshape(tuple(shape))


def flatten(x: Tensor) -> Tensor:
    """All values on one axis."""
    return x.reshape(-1)


def batch_flatten(x: Tensor) -> Tensor:
    """All values of a sample on one axis."""
    return x.flatten(1) if x.dim() > 1 else x.unsqueeze(1)


def permute_dimensions(x: Tensor, pattern: Sequence[int]) -> Tensor:
    """Reorders the axes."""
    return x.permute(*pattern)


def transpose(x: Tensor) -> Tensor:
    """Reverses the order of the axes."""
    return x.permute(*reversed(range(x.dim())))


def expand_dims(x: Tensor, dim: int = -1) -> Tensor:
    """Adds an axis of length 1."""
    return x.unsqueeze(dim)


def squeeze(x: Tensor, axis: int) -> Tensor:
    """Removes an axis of length 1.

    Raises:
        LayerError: It has another length.
    """
    if x.shape[axis] != 1:
        raise LayerError(f"squeeze needs an axis of length 1. Received: axis={axis} of shape {tuple(x.shape)}.")
    return x.squeeze(axis)


def concatenate(tensors: Sequence[Tensor], axis: int = -1) -> Tensor:
    """Joins along an axis."""
    return torch.cat(list(tensors), dim=axis)


def stack(x: Sequence[Tensor]) -> Tensor:
    """Joins along a new first axis."""
    return torch.stack(list(x))


def tile(x: Tensor, n: int | Sequence[int]) -> Tensor:
    """Repeats the whole tensor along each axis."""
    return x.repeat(*([n] if isinstance(n, int) else n))


def repeat(x: Tensor, n: int) -> Tensor:
    """Repeats vectors along a new axis: ``(batch, size)`` to ``(batch, n, size)``."""
    return x.unsqueeze(1).expand(-1, n, -1)


def repeat_elements(x: Tensor, rep: int, axis: int) -> Tensor:
    """Repeats every slice of an axis."""
    return x.repeat_interleave(rep, dim=axis)


def reverse(x: Tensor, axes: int | Sequence[int]) -> Tensor:
    """Turns axes round."""
    return x.flip([axes] if isinstance(axes, int) else list(axes))


def gather(reference: Tensor, indices: Tensor) -> Tensor:
    """Slices of the first axis by number."""
    return reference[cast(indices, "int64")]


def one_hot(indices: Tensor, nb_classes: int) -> Tensor:
    """1 at each number's place on a new last axis, 0 elsewhere."""
    classes = torch.arange(nb_classes, device=indices.device)
    return (cast(indices, "int64").unsqueeze(-1) == classes).float()


def arange(start: int, stop: int | None = None, step: int = 1, dtype: str = "int32") -> Tensor:
    """Whole numbers from ``start`` up to, without, ``stop``; from 0 to ``start`` where that is all."""
    first, last = (0, max(start, 0)) if stop is None else (start, stop)
    return cast(torch.arange(first, last, step), dtype)


def temporal_padding(x: Tensor, padding: int = 1) -> Tensor:
    """Zeros before and after the steps of ``(batch, steps, features)``."""
    return asymmetric_temporal_padding(x, padding, padding)


def asymmetric_temporal_padding(x: Tensor, left_pad: int = 1, right_pad: int = 1) -> Tensor:
    """Zeros before and after the steps of ``(batch, steps, features)``."""
    return F.pad(x, [0, 0, left_pad, right_pad])


def spatial_2d_padding(x: Tensor, padding: Sequence[int] = (1, 1), dim_ordering: str = "default") -> Tensor:
    """Zeros around images."""
    return asymmetric_spatial_2d_padding(x, padding[0], padding[0], padding[1], padding[1], dim_ordering)


def asymmetric_spatial_2d_padding(
    x: Tensor,
    top_pad: int = 1,
    bottom_pad: int = 1,
    left_pad: int = 1,
    right_pad: int = 1,
    dim_ordering: str = "default",
) -> Tensor:
    """Zeros around images, of its own number on each side."""
    sides = [left_pad, right_pad, top_pad, bottom_pad]
    return F.pad(x, sides if checked_dim_ordering(dim_ordering) == "th" else [0, 0, *sides])


def resize_images(X: Tensor, height_factor: int, width_factor: int, dim_ordering: str) -> Tensor:
    """Repeats rows and columns of images."""
    rows, columns = (2, 3) if checked_dim_ordering(dim_ordering) == "th" else (1, 2)
    return repeat_elements(repeat_elements(X, height_factor, rows), width_factor, columns)
