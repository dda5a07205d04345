"""Pooling over all positions at once."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from bigdl.graph import Shape
from bigdl.layers.spatial import SpatialLayer
from bigdl.registry import layer


class GlobalPooling(SpatialLayer):
    """What the global poolings share; the output is ``(batch, channels)``.

    Args:
        dim_ordering: ``"tf"``, ``"th"`` or ``"default"``; sequences have none.
        kwargs: See ``Layer``.
    """

    def __init__(self, dim_ordering: str = "default", **kwargs: Any) -> None:
        super().__init__(dim_ordering=dim_ordering, **kwargs)

    @property
    def spatial_axes(self) -> tuple[int, ...]:
        """The axes of the input that are neither the batch's nor the channels'."""
        first = 1 if self.channels_last else 2
        return tuple(range(first, first + self.rank))

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        """Returns the output's shape."""
        return (input_shape[0], self.split_shape(input_shape)[0])


class GlobalMaxPooling(GlobalPooling):
    """The largest value of each channel."""

    def forward(self, x: Tensor) -> Tensor:
        """Pools."""
        return x.amax(self.spatial_axes)


class GlobalAveragePooling(GlobalPooling):
    """The mean of each channel."""

    def forward(self, x: Tensor) -> Tensor:
        """Pools."""
        return x.mean(self.spatial_axes)


@layer()
class GlobalMaxPooling1D(GlobalMaxPooling):
    """The largest value of each channel of a sequence."""

    rank = 1
    input_ndim = (3,)


@layer()
class GlobalMaxPooling2D(GlobalMaxPooling):
    """The largest value of each channel of an image."""

    rank = 2
    input_ndim = (4,)


@layer()
class GlobalMaxPooling3D(GlobalMaxPooling):
    """The largest value of each channel of a volume."""

    rank = 3
    input_ndim = (5,)


@layer()
class GlobalAveragePooling1D(GlobalAveragePooling):
    """The mean of each channel of a sequence."""

    rank = 1
    input_ndim = (3,)


@layer()
class GlobalAveragePooling2D(GlobalAveragePooling):
    """The mean of each channel of an image."""

    rank = 2
    input_ndim = (4,)


@layer()
class GlobalAveragePooling3D(GlobalAveragePooling):
    """The mean of each channel of a volume."""

    rank = 3
    input_ndim = (5,)
