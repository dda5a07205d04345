"""Pooling over windows of sequences, images and volumes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from bigdl.graph import Shape
from bigdl.layers.spatial import (
    SpatialLayer,
    checked_border_mode,
    flat_padding,
    int_tuple,
    same_padding,
    window_output_length,
)
from bigdl.registry import layer

_MAX: dict[int, Callable[..., Tensor]] = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}
_AVERAGE: dict[int, Callable[..., Tensor]] = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}


class Pooling(SpatialLayer):
    """What the poolings of all ranks share.

    Args:
        pool_size: The window's lengths.
        strides: Its steps; its lengths by default.
        border_mode: ``"valid"``, or ``"same"`` as TensorFlow pads: the odd cell at the end.
        kwargs: See ``SpatialLayer``.
    """

    def __init__(
        self, pool_size: tuple[int, ...], strides: tuple[int, ...] | None, border_mode: str, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.pool_size = pool_size
        self.strides = strides or pool_size
        self.border_mode = checked_border_mode(border_mode, self)

    def forward(self, x: Tensor) -> Tensor:
        """Pools; channels are kept."""
        x = self.channels_first(x)
        pads = [(0, 0)] * self.rank
        if self.border_mode == "same":
            pads = same_padding(x.shape[2:], self.pool_size, self.strides, (1,) * self.rank)
        return self.restore(self.pool(x, pads))

    def pool(self, x: Tensor, pads: list[tuple[int, int]]) -> Tensor:
        """Pools a channels-first tensor that is padded by so much (before, after) on each axis."""
        raise NotImplementedError

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        """Returns the output's shape."""
        channels, lengths = self.split_shape(input_shape)
        pooled = [
            window_output_length(length, size, self.border_mode, step)
            for length, size, step in zip(lengths, self.pool_size, self.strides, strict=True)
        ]
        return self.join_shape(input_shape[0], channels, pooled)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "border_mode": self.border_mode,
        }


class MaxPooling(Pooling):
    """The largest value of each window."""

    def pool(self, x: Tensor, pads: list[tuple[int, int]]) -> Tensor:
        """Pools; padding never wins."""
        if any(side for pad in pads for side in pad):
            x = F.pad(x, flat_padding(pads), value=float("-inf"))
        return _MAX[self.rank](x, self.pool_size, self.strides)


class AveragePooling(Pooling):
    """The mean of each window, over the cells inside the input."""

    def pool(self, x: Tensor, pads: list[tuple[int, int]]) -> Tensor:
        """Pools; padding does not count."""
        average = _AVERAGE[self.rank]
        if not any(side for pad in pads for side in pad):
            return average(x, self.pool_size, self.strides)
        padding = flat_padding(pads)
        cells = F.pad(x.new_ones(1, 1, *x.shape[2:]), padding)
        return average(F.pad(x, padding), self.pool_size, self.strides) / average(cells, self.pool_size, self.strides)


class _Pooling2D(Pooling):
    """Pooling over images.

    Args:
        pool_size: The window (rows, columns).
        strides: Its steps; ``pool_size`` by default.
        border_mode: ``"valid"`` or ``"same"``.
        dim_ordering: ``"tf"``, ``"th"`` or ``"default"``.
        kwargs: See ``Layer``.
    """

    rank = 2
    input_ndim = (4,)

    def __init__(
        self,
        pool_size: Sequence[int] = (2, 2),
        strides: Sequence[int] | None = None,
        border_mode: str = "valid",
        dim_ordering: str = "default",
        **kwargs: Any,
    ) -> None:
        steps = None if strides is None else int_tuple(strides, 2)
        super().__init__(int_tuple(pool_size, 2), steps, border_mode, dim_ordering=dim_ordering, **kwargs)


@layer()
class MaxPooling2D(_Pooling2D, MaxPooling):
    """Max pooling over images; arguments as in ``_Pooling2D``."""


@layer()
class AveragePooling2D(_Pooling2D, AveragePooling):
    """Average pooling over images; arguments as in ``_Pooling2D``."""
