"""Zeros around sequences, images and volumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from bigdl.errors import LayerError
from bigdl.graph import Shape
from bigdl.layers.spatial import Pads, SpatialLayer, flat_padding
from bigdl.registry import layer


class ZeroPadding(SpatialLayer):
    """What the zero paddings share; a subclass says how its ``padding`` is to be read.

    Args:
        padding: Kept for the configuration.
        kwargs: See ``SpatialLayer``.
    """

    def __init__(self, padding: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.padding = padding
        self.pads = self.read_padding(padding)

    def read_padding(self, padding: Any) -> Pads:
        """Returns the number of zeros before and after on each axis.

        Raises:
            LayerError: ``padding`` has not the form that the layer takes.
        """
        raise NotImplementedError

    def read_sides(self, padding: Mapping[str, Any], sides: Sequence[str]) -> list[int]:
        """Returns the entries of a mapping by side, 0 where there is none.

        Raises:
            LayerError: It has other keys.
        """
        unknown = sorted(set(padding) - set(sides))
        if unknown:
            raise LayerError(
                f"Layer {self.name!r} ({type(self).__name__}): padding takes the keys {', '.join(sides)}. "
                f"Received: {', '.join(unknown)}."
            )
        return self.integers("padding", [padding.get(side, 0) for side in sides], len(sides))

    def forward(self, x: Tensor) -> Tensor:
        """Adds the zeros."""
        return self.restore(F.pad(self.channels_first(x), flat_padding(self.pads)))

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        """Returns the output's shape."""
        channels, lengths = self.split_shape(input_shape)
        padded = [
            None if length is None else before + length + after
            for length, (before, after) in zip(lengths, self.pads, strict=True)
        ]
        return self.join_shape(input_shape[0], channels, padded)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "padding": self.padding}


@layer()
class ZeroPadding1D(ZeroPadding):
    """Zeros before and after a sequence.

    Args:
        padding: Their number on either side; or (before, after); or a mapping with some of ``left_pad`` and
            ``right_pad``.
        kwargs: See ``Layer``.
    """

    rank = 1
    input_ndim = (3,)

    def __init__(self, padding: int | Sequence[int] | Mapping[str, int] = 1, **kwargs: Any) -> None:
        super().__init__(padding, **kwargs)

    def read_padding(self, padding: Any) -> Pads:
        """Returns the number of zeros before and after, none beside."""
        if isinstance(padding, Mapping):
            before, after = self.read_sides(padding, ("left_pad", "right_pad"))
        else:
            before, after = self.integers("padding", (padding,) * 2 if isinstance(padding, Real) else padding, 2)
        return [(before, after), (0, 0)]


@layer()
class ZeroPadding2D(ZeroPadding):
    """Zeros around an image.

    Args:
        padding: Their number (above and below, left and right); or (above, below, left, right); or a mapping with some
            of ``top_pad``, ``bottom_pad``, ``left_pad`` and ``right_pad``.
        dim_ordering: ``"tf"``, ``"th"`` or ``"default"``.
        kwargs: See ``Layer``.
    """

    rank = 2
    input_ndim = (4,)

    def __init__(
        self, padding: Sequence[int] | Mapping[str, int] = (1, 1), dim_ordering: str = "default", **kwargs: Any
    ) -> None:
        super().__init__(padding, dim_ordering=dim_ordering, **kwargs)

    def read_padding(self, padding: Any) -> Pads:
        """Returns the number of zeros above and below, left and right."""
        if isinstance(padding, Mapping):
            sides = self.read_sides(padding, ("top_pad", "bottom_pad", "left_pad", "right_pad"))
        elif isinstance(padding, Sequence) and len(padding) == 2:
            rows, columns = self.integers("padding", padding, 2)
            sides = [rows, rows, columns, columns]
        else:
            sides = self.integers("padding", padding, 4)
        top, bottom, left, right = sides
        return [(top, bottom), (left, right)]


@layer()
class ZeroPadding3D(ZeroPadding):
    """Zeros around a volume.

    Args:
        padding: Their number on either side of each axis.
        dim_ordering: ``"tf"``, ``"th"`` or ``"default"``.
        kwargs: See ``Layer``.
    """

    rank = 3
    input_ndim = (5,)

    def __init__(self, padding: Sequence[int] = (1, 1, 1), dim_ordering: str = "default", **kwargs: Any) -> None:
        super().__init__(padding, dim_ordering=dim_ordering, **kwargs)

    def read_padding(self, padding: Any) -> Pads:
        """Returns the number of zeros before and after on each axis."""
        return [(number, number) for number in self.integers("padding", padding, 3)]
