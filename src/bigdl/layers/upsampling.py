"""Repeating each cell of sequences, images and volumes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from bigdl.graph import Shape
from bigdl.layers.spatial import SpatialLayer
from bigdl.programs.upsampling import repeated
from bigdl.registry import layer


class UpSampling(SpatialLayer):
    """What the upsamplings share.

    Args:
        size: How often a cell is repeated on each axis.
        kwargs: See ``SpatialLayer``.
    """

    def __init__(self, size: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = self.sizes("size", size)

    def forward(self, x: Tensor) -> Tensor:
        """Repeats each cell."""
        return self.restore(repeated(self.channels_first(x), self.size))

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        """Returns the output's shape."""
        channels, lengths = self.split_shape(input_shape)
        repeated = [
            None if length is None else length * times for length, times in zip(lengths, self.size, strict=True)
        ]
        return self.join_shape(input_shape[0], channels, repeated)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), **self.size_config()}

    def size_config(self) -> dict[str, Any]:
        """Returns the size's part of the configuration."""
        return {"size": self.size}


@layer()
class UpSampling1D(UpSampling):
    """Repeats each step of a sequence.

    Args:
        length: How often.
        kwargs: See ``Layer``.
    """

    rank = 1
    input_ndim = (3,)

    def __init__(self, length: int = 2, **kwargs: Any) -> None:
        super().__init__(length, **kwargs)

    def size_config(self) -> dict[str, Any]:
        """Returns the size's part of the configuration."""
        return {"length": self.size[0]}


@layer()
class UpSampling2D(UpSampling):
    """Repeats the rows and columns of an image.

    Args:
        size: How often (rows, columns).
        dim_ordering: ``"tf"``, ``"th"`` or ``"default"``.
        kwargs: See ``Layer``.
    """

    rank = 2
    input_ndim = (4,)

    def __init__(self, size: Sequence[int] = (2, 2), dim_ordering: str = "default", **kwargs: Any) -> None:
        super().__init__(size, dim_ordering=dim_ordering, **kwargs)


@layer()
class UpSampling3D(UpSampling):
    """Repeats the cells of a volume.

    Args:
        size: How often on each axis.
        dim_ordering: ``"tf"``, ``"th"`` or ``"default"``.
        kwargs: See ``Layer``.
    """

    rank = 3
    input_ndim = (5,)

    def __init__(self, size: Sequence[int] = (2, 2, 2), dim_ordering: str = "default", **kwargs: Any) -> None:
        super().__init__(size, dim_ordering=dim_ordering, **kwargs)
