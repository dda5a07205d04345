"""Random tensors, drawn from torch's default generator unless a seed is given."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from bigdl.layers.backend.elementwise import dtype_of
from bigdl.layers.settings import floatx


def random_normal(
    shape: Sequence[int], mean: float = 0.0, std: float = 1.0, dtype: str | None = None, seed: int | None = None
) -> Tensor:
    """Values from N(mean, std)."""
    return _empty(shape, dtype).normal_(mean, std, generator=_generator(seed))


def random_uniform(
    shape: Sequence[int], low: float = 0.0, high: float = 1.0, dtype: str | None = None, seed: int | None = None
) -> Tensor:
    """Values from U(low, high)."""
    return _empty(shape, dtype).uniform_(low, high, generator=_generator(seed))


def random_binomial(shape: Sequence[int], p: float = 0.0, dtype: str | None = None, seed: int | None = None) -> Tensor:
    """1 with probability ``p``, else 0."""
    return _empty(shape, dtype).bernoulli_(p, generator=_generator(seed))


def random_uniform_variable(
    shape: Sequence[int],
    low: float,
    high: float,
    dtype: str | None = None,
    name: str | None = None,
    seed: int | None = None,
) -> Tensor:
    """Values from U(low, high)."""
    return random_uniform(shape, low, high, dtype, seed)


def random_normal_variable(
    shape: Sequence[int],
    mean: float,
    scale: float,
    dtype: str | None = None,
    name: str | None = None,
    seed: int | None = None,
) -> Tensor:
    """Values from N(mean, scale)."""
    return random_normal(shape, mean, scale, dtype, seed)


def dropout(x: Tensor, level: float, noise_shape: Sequence[int] | None = None, seed: int | None = None) -> Tensor:
    """Sets a share ``level`` of the values to zero and scales the rest by ``1 / (1 - level)``, in training or not.

    Args:
        x: The values.
        level: The share, from 0 to below 1.
        noise_shape: The shape of the pattern of zeros, which is broadcast; the values' by default.
        seed: Makes the pattern the same at every call.
    """
    keep = 1.0 - level
    pattern = torch.rand(tuple(noise_shape or x.shape), generator=_generator(seed)).to(x.device) < keep
    return x * pattern / keep


def _empty(shape: Sequence[int], dtype: str | None) -> Tensor:
    return torch.empty(tuple(shape), dtype=dtype_of(dtype or floatx()))


def _generator(seed: int | None) -> torch.Generator | None:
    return None if seed is None else torch.Generator().manual_seed(int(seed))
