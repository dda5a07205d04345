"""Cutting the borders off sequences, images and volumes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from bigdl.errors import LayerError
from bigdl.graph import Shape
from bigdl.layers.spatial import Pads, SpatialLayer
from bigdl.registry import layer


class Cropping(SpatialLayer):
    """What the croppings share.

    Args:
        cropping: For each axis how many cells are cut off (before, after).
        kwargs: See ``SpatialLayer``.
    """

    def __init__(self, cropping: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cuts = self.read_cropping(cropping)

    def read_cropping(self, cropping: Any) -> Pads:
        """Returns the number of cells cut off before and after on each axis.

        Raises:
            LayerError: ``cropping`` has not the form that the layer takes.
        """
        if not isinstance(cropping, Sequence) or len(cropping) != self.rank:
            raise LayerError(
                f"Layer {self.name!r} ({type(self).__name__}): cropping must have one pair for each of {self.rank} "
                f"axes. Received: {cropping!r}."
            )
        pairs = [self.integers(f"cropping[{i}]", pair, 2) for i, pair in enumerate(cropping)]
        return [(before, after) for before, after in pairs]

    def forward(self, x: Tensor) -> Tensor:
        """Returns a view without the borders."""
        for axis, (before, after) in enumerate(self.cuts, start=1 if self.channels_last else 2):
            x = x.narrow(axis, before, x.shape[axis] - before - after)
        return x

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        """Returns the output's shape.

        Raises:
            LayerError: The input is smaller than what is cut off.
        """
        channels, lengths = self.split_shape(input_shape)
        left = [
            None if length is None else length - before - after
            for length, (before, after) in zip(lengths, self.cuts, strict=False)
        ]
        return self.join_shape(input_shape[0], channels, self.checked_lengths(left, input_shape, least=0))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "cropping": tuple(self.cuts)}


@layer()
class Cropping1D(Cropping):
    """Cuts the ends off a sequence.

    Args:
        cropping: How many steps are cut off (before, after).
        kwargs: See ``Layer``.
    """

    rank = 1
    input_ndim = (3,)

    def __init__(self, cropping: Sequence[int] = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, **kwargs)

    def read_cropping(self, cropping: Any) -> Pads:
        """Returns the number of steps cut off before and after."""
        before, after = self.integers("cropping", cropping, 2)
        return [(before, after)]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "cropping": self.cuts[0]}


@layer()
class Cropping2D(Cropping):
    """Cuts the borders off an image.

    Args:
        cropping: How many rows and columns are cut off: ((above, below), (left, right)).
        dim_ordering: ``"tf"``, ``"th"`` or ``"default"``.
        kwargs: See ``Layer``.
    """

    rank = 2
    input_ndim = (4,)

    def __init__(
        self, cropping: Sequence[Sequence[int]] = ((0, 0), (0, 0)), dim_ordering: str = "default", **kwargs: Any
    ) -> None:
        super().__init__(cropping, dim_ordering=dim_ordering, **kwargs)


@layer()
class Cropping3D(Cropping):
    """Cuts the borders off a volume.

    Args:
        cropping: For each axis how many cells are cut off (before, after).
        dim_ordering: ``"tf"``, ``"th"`` or ``"default"``.
        kwargs: See ``Layer``.
    """

    rank = 3
    input_ndim = (5,)

    def __init__(
        self,
        cropping: Sequence[Sequence[int]] = ((1, 1), (1, 1), (1, 1)),
        dim_ordering: str = "default",
        **kwargs: Any,
    ) -> None:
        super().__init__(cropping, dim_ordering=dim_ordering, **kwargs)
