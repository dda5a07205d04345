"""Pooling over windows of sequences, images and volumes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.graph import Shape
from bigdl.layers.spatial import Pads, SpatialLayer, flat_padding, same_padding, window_output_lengths
from bigdl.registry import layer

Pool = Callable[..., Tensor]
_MAX: dict[int, Pool] = {1: F.max_pool2d, 2: F.max_pool2d, 3: F.max_pool3d}
_AVERAGE: dict[int, Pool] = {1: F.avg_pool2d, 2: F.avg_pool2d, 3: F.avg_pool3d}


class Pooling(SpatialLayer):
    """What the poolings of all ranks share.

    Args:
        pool_size: The window's length on each axis.
        strides: Its steps; its lengths by default.
        border_mode: ``"valid"``, or ``"same"`` as TensorFlow pads: the odd cell at the end.
        kwargs: See ``SpatialLayer``.
    """

    def __init__(self, pool_size: Any, strides: Any, border_mode: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pool_size = self.sizes("pool_size", pool_size)
        self.strides = self.pool_size if strides is None else self.sizes("strides", strides)
        self.border_mode = self.checked_border_mode(border_mode)

    def forward(self, x: Tensor) -> Tensor:
        """Pools; channels are kept."""
        return self.restore(self.pool_images(self.channels_first(x)))

    def pool_images(self, x: Tensor) -> Tensor:
        """Pools a channels-first tensor in the layer's border mode."""
        return self.pool(x, (0,) * (x.dim() - 2)) if self.border_mode == "valid" else self.pool_same(x)

    def pads(self, lengths: Sequence[int]) -> Pads:
        """Returns how far windows reach over images of some lengths, before and after, by axis."""
        if self.border_mode == "valid":
            return [(0, 0)] * len(lengths)
        return same_padding(lengths, self.pool_size, self.strides)

    def pool(self, x: Tensor, padding: Sequence[int], ceil_mode: bool = False) -> Tensor:
        """Pools a channels-first tensor; padding does not count.

        Args:
            x: The tensor.
            padding: The cells added on either side of each axis.
            ceil_mode: Whether a last window may reach over the end.
        """
        raise NotImplementedError

    def pool_same(self, x: Tensor) -> Tensor:
        """Pools a channels-first tensor with TensorFlow's padding, without a padded copy.

        The odd cell comes last. With a stride, that is a last window that reaches over the end; with stride 1, it is as
        much padding before, and one position less.
        """
        lengths = x.shape[2:]
        pads = self.pads(lengths)
        if not all(isinstance(length, int) for length in lengths):  # open, in a program of torch.export
            return self.pool_padded(x, flat_padding(pads))
        padding = [after if step == 1 else before for (before, after), step in zip(pads, self.strides, strict=True)]
        y = self.pool(x, padding, ceil_mode=True)
        for axis, (expected, length) in enumerate(zip(self.output_lengths(lengths), y.shape[2:], strict=True), start=2):
            if expected is not None and expected < length:
                y = y.narrow(axis, length - expected, expected)
        return y

    def pool_padded(self, x: Tensor, pads: list[int]) -> Tensor:
        """Pools a channels-first tensor by way of a padded copy.

        Args:
            x: The tensor.
            pads: The padding, in the order of ``torch.nn.functional.pad``.
        """
        raise NotImplementedError

    def output_lengths(self, lengths: Sequence[int | None]) -> list[int | None]:
        """Returns the number of windows on each axis."""
        return window_output_lengths(lengths, self.pool_size, self.border_mode, self.strides)

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        """Returns the output's shape.

        Raises:
            LayerError: The window does not fit into the input.
        """
        channels, lengths = self.split_shape(input_shape)
        return self.join_shape(
            input_shape[0], channels, self.checked_lengths(self.output_lengths(lengths), input_shape)
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), **self.window_config(), "border_mode": self.border_mode}

    def window_config(self) -> dict[str, Any]:
        """Returns the window's part of the configuration."""
        return {"pool_size": self.pool_size, "strides": self.strides}


class MaxPooling(Pooling):
    """The largest value of each window."""

    def pool(self, x: Tensor, padding: Sequence[int], ceil_mode: bool = False) -> Tensor:
        """Pools a channels-first tensor; padding never wins."""
        return _MAX[self.rank](x, self.pool_size, self.strides, padding, ceil_mode=ceil_mode)

    def pool_padded(self, x: Tensor, pads: list[int]) -> Tensor:
        """Pools a channels-first tensor between values that never win."""
        return self.pool(F.pad(x, pads, value=-math.inf), (0,) * self.rank)


class AveragePooling(Pooling):
    """The mean of each window, over the cells inside the input."""

    def pool(self, x: Tensor, padding: Sequence[int], ceil_mode: bool = False) -> Tensor:
        """Pools a channels-first tensor; padding does not count."""
        average = _AVERAGE[self.rank]
        return average(x, self.pool_size, self.strides, padding, ceil_mode=ceil_mode, count_include_pad=False)

    def pool_padded(self, x: Tensor, pads: list[int]) -> Tensor:
        """Pools a channels-first tensor: the mean over the padded one by the share of cells that are no padding."""
        none = (0,) * self.rank
        return self.pool(F.pad(x, pads), none) / self.pool(F.pad(torch.ones_like(x[:1, :1]), pads), none)


class _Pooling1D(Pooling):
    """Pooling over sequences ``(batch, length, channels)``.

    Args:
        pool_length: The window's length.
        stride: Its step; ``pool_length`` by default.
        border_mode: ``"valid"`` or ``"same"``.
        kwargs: See ``Layer``.
    """

    rank: ClassVar[int] = 1
    input_ndim: ClassVar[tuple[int, ...] | None] = (3,)

    def __init__(
        self, pool_length: int = 2, stride: int | None = None, border_mode: str = "valid", **kwargs: Any
    ) -> None:
        super().__init__(pool_length, stride, border_mode, **kwargs)

    def window_config(self) -> dict[str, Any]:
        """Returns the window's part of the configuration."""
        return {"pool_length": self.pool_size[0], "stride": self.strides[0]}


class _Pooling2D(Pooling):
    """Pooling over images.

    Args:
        pool_size: The window (rows, columns).
        strides: Its steps; ``pool_size`` by default.
        border_mode: ``"valid"`` or ``"same"``.
        dim_ordering: ``"tf"``, ``"th"`` or ``"default"``.
        kwargs: See ``Layer``.
    """

    rank: ClassVar[int] = 2
    input_ndim: ClassVar[tuple[int, ...] | None] = (4,)

    def __init__(
        self,
        pool_size: Sequence[int] = (2, 2),
        strides: Sequence[int] | None = None,
        border_mode: str = "valid",
        dim_ordering: str = "default",
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, border_mode, dim_ordering=dim_ordering, **kwargs)


class _Pooling3D(Pooling):
    """Pooling over volumes.

    Args:
        pool_size: The window's length on each axis.
        strides: Its steps; ``pool_size`` by default.
        border_mode: ``"valid"`` or ``"same"``.
        dim_ordering: ``"tf"``, ``"th"`` or ``"default"``.
        kwargs: See ``Layer``.
    """

    rank: ClassVar[int] = 3
    input_ndim: ClassVar[tuple[int, ...] | None] = (5,)

    def __init__(
        self,
        pool_size: Sequence[int] = (2, 2, 2),
        strides: Sequence[int] | None = None,
        border_mode: str = "valid",
        dim_ordering: str = "default",
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size, strides, border_mode, dim_ordering=dim_ordering, **kwargs)


@layer()
class MaxPooling1D(_Pooling1D, MaxPooling):
    """Max pooling over sequences; arguments as in ``_Pooling1D``."""


@layer()
class MaxPooling2D(_Pooling2D, MaxPooling):
    """Max pooling over images; arguments as in ``_Pooling2D``."""


@layer()
class MaxPooling3D(_Pooling3D, MaxPooling):
    """Max pooling over volumes; arguments as in ``_Pooling3D``."""


@layer()
class AveragePooling1D(_Pooling1D, AveragePooling):
    """Average pooling over sequences; arguments as in ``_Pooling1D``."""


@layer()
class AveragePooling2D(_Pooling2D, AveragePooling):
    """Average pooling over images; arguments as in ``_Pooling2D``."""


@layer()
class AveragePooling3D(_Pooling3D, AveragePooling):
    """Average pooling over volumes; arguments as in ``_Pooling3D``."""

    def pool_same(self, x: Tensor) -> Tensor:
        """Pools a channels-first tensor with TensorFlow's padding.

        Torch's average over volumes, unlike its other poolings, takes no window that is longer than the input.
        """
        if all(size <= length for size, length in zip(self.pool_size, x.shape[2:], strict=True)):
            return super().pool_same(x)
        return self.pool_padded(x, flat_padding(same_padding(x.shape[2:], self.pool_size, self.strides)))
