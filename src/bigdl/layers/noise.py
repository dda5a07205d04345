"""Layers that disturb their input in training and pass it on unchanged otherwise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from bigdl.graph import Layer
from bigdl.layers.spatial import SpatialLayer
from bigdl.programs import dropped
from bigdl.registry import layer


@layer()
class Dropout(Layer):
    """Sets a share of the input to zero in training and scales the rest by ``1 / (1 - p)`` (Srivastava et al. 2014).

    Args:
        p: The share; outside (0, 1) nothing is dropped, as in Keras.
        noise_shape: The shape of the pattern of zeros, which is broadcast over the input: (batch, 1, features) drops
            the same features at every step. The input's by default.
        seed: Makes the patterns independent of torch's generator; they are the same from each new layer.
        kwargs: See ``Layer``.
    """

    supports_masking = True

    def __init__(
        self, p: float, noise_shape: Sequence[int] | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.p = float(p)
        self.returns_input = not 0.0 < self.p < 1.0
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed
        self._generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Drops in training mode."""
        if not self.share():
            return x
        shape = self.pattern_shape(x)
        if self.seed is None and shape == x.shape:
            return dropped(x, self.p)
        kept = x.new_empty(shape).bernoulli_(1.0 - self.p, generator=self.generator(x.device))
        return x * (kept / (1.0 - self.p))

    def share(self) -> float:
        """Returns the share that is dropped in the mode that the layer is in."""
        return self.p if self.training and 0.0 < self.p < 1.0 else 0.0

    def pattern_shape(self, x: Tensor) -> tuple[int, ...]:
        """Returns the shape of the pattern of zeros."""
        return self.noise_shape or tuple(x.shape)

    def generator(self, device: torch.device) -> torch.Generator | None:
        """Returns the layer's own generator if it has a seed, None for torch's."""
        if self.seed is not None and (self._generator is None or self._generator.device != device):
            self._generator = torch.Generator(device).manual_seed(int(self.seed))
        return self._generator

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them: without shape and seed."""
        return {**super().get_config(), "p": self.p}


class SpatialDropout(SpatialLayer, Dropout):
    """Drops whole channels (Tompson et al. 2015).

    Args:
        p: The share of channels.
        kwargs: See ``SpatialLayer`` and ``Dropout``.
    """

    def __init__(self, p: float, **kwargs: Any) -> None:
        super().__init__(p=p, **kwargs)

    def pattern_shape(self, x: Tensor) -> tuple[int, ...]:
        """Returns the shape of the pattern of zeros: 1 on the spatial axes."""
        ones = (1,) * self.rank
        return (x.shape[0], *ones, x.shape[-1]) if self.channels_last else (x.shape[0], x.shape[1], *ones)


@layer()
class SpatialDropout1D(SpatialDropout):
    """Drops whole channels of sequences.

    Args:
        p: The share of channels.
        kwargs: See ``Dropout``.
    """

    rank = 1
    input_ndim = (3,)


@layer()
class SpatialDropout2D(SpatialDropout):
    """Drops whole channels of images.

    Args:
        p: The share of channels.
        dim_ordering: ``"tf"``, ``"th"`` or ``"default"``.
        kwargs: See ``Dropout``.
    """

    rank = 2
    input_ndim = (4,)

    def __init__(self, p: float, dim_ordering: str = "default", **kwargs: Any) -> None:
        super().__init__(p, dim_ordering=dim_ordering, **kwargs)


@layer()
class SpatialDropout3D(SpatialDropout):
    """Drops whole channels of volumes.

    Args:
        p: The share of channels.
        dim_ordering: ``"tf"``, ``"th"`` or ``"default"``.
        kwargs: See ``Dropout``.
    """

    rank = 3
    input_ndim = (5,)

    def __init__(self, p: float, dim_ordering: str = "default", **kwargs: Any) -> None:
        super().__init__(p, dim_ordering=dim_ordering, **kwargs)


@layer()
class GaussianNoise(Layer):
    """Adds N(0, sigma) in training.

    Args:
        sigma: The standard deviation.
        kwargs: See ``Layer``.
    """

    supports_masking = True

    def __init__(self, sigma: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sigma = float(sigma)

    def forward(self, x: Tensor) -> Tensor:
        """Adds noise in training mode."""
        return x + self.sigma * torch.randn_like(x) if self.training else x

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "sigma": self.sigma}


@layer()
class GaussianDropout(Layer):
    """Multiplies by N(1, sqrt(p / (1 - p))) in training (Srivastava et al. 2014).

    Args:
        p: As of a ``Dropout`` with noise of the same variance; outside (0, 1) nothing is changed, as in Keras.
        kwargs: See ``Layer``.
    """

    supports_masking = True

    def __init__(self, p: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.p = float(p)
        self.returns_input = not 0.0 < self.p < 1.0

    def forward(self, x: Tensor) -> Tensor:
        """Multiplies by noise in training mode."""
        if not (self.training and 0.0 < self.p < 1.0):
            return x
        return x * (1.0 + math.sqrt(self.p / (1.0 - self.p)) * torch.randn_like(x))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "p": self.p}
