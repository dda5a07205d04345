"""What all layers over images, sequences and volumes share: the place of the channels, and lengths of windows.

Inside, channels come second, as torch has them. A channels-last tensor with its axes permuted *is* torch's
channels_last memory format, so going in and out copies nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from torch import Tensor

from bigdl.errors import LayerError
from bigdl.graph import Layer, Shape
from bigdl.layers.settings import checked_dim_ordering


class SpatialLayer(Layer):
    """A layer over ``rank`` spatial axes and one of channels.

    Args:
        dim_ordering: ``"tf"`` for channels last, ``"th"`` for channels first, ``"default"`` for the process's default.
            Sequences (rank 1) are always channels last.
        kwargs: See ``Layer``.
    """

    rank: ClassVar[int]

    def __init__(self, dim_ordering: str = "default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dim_ordering = checked_dim_ordering(dim_ordering)

    @property
    def channels_last(self) -> bool:
        """Whether the channels are the last axis."""
        return self.rank == 1 or self.dim_ordering == "tf"

    def channels_first(self, x: Tensor) -> Tensor:
        """Returns the tensor as ``(batch, channels, *spatial)``."""
        return x.movedim(-1, 1) if self.channels_last else x

    def restore(self, x: Tensor) -> Tensor:
        """Returns a tensor ``(batch, channels, *spatial)`` in this layer's ordering."""
        return x.movedim(1, -1) if self.channels_last else x

    def split_shape(self, shape: Shape) -> tuple[int | None, Shape]:
        """Returns the number of channels and the spatial lengths of a shape in this layer's ordering."""
        return (shape[-1], shape[1:-1]) if self.channels_last else (shape[1], shape[2:])

    def join_shape(self, batch: int | None, channels: int | None, spatial: Sequence[int | None]) -> Shape:
        """Returns the shape in this layer's ordering."""
        return (batch, *spatial, channels) if self.channels_last else (batch, channels, *spatial)

    def known_channels(self, input_shape: Shape) -> int:
        """Returns the number of channels of the input.

        Raises:
            LayerError: It is not known.
        """
        channels = self.split_shape(input_shape)[0]
        if channels is None:
            raise LayerError(
                f"Layer {self.name!r} ({type(self).__name__}) must know the number of channels of its input. "
                f"Received: shape {input_shape} with dim_ordering={self.dim_ordering!r}."
            )
        return channels

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them; sequences have no ordering.

        Keras leaves the ordering of padding, cropping and upsampling out, and guesses when it reads its own files. It
        takes the argument all the same, so it is always written here.
        """
        config = super().get_config()
        return config if self.rank == 1 else {**config, "dim_ordering": self.dim_ordering}


def checked_border_mode(border_mode: str, layer: Layer, allowed: Sequence[str] = ("valid", "same")) -> str:
    """Returns the border mode.

    Raises:
        LayerError: It is none of those allowed (Keras 1.2.2 on TensorFlow refuses ``"full"``).
    """
    if border_mode not in allowed:
        raise LayerError(
            f"Layer {layer.name!r} ({type(layer).__name__}): border_mode must be one of {', '.join(allowed)}. "
            f"Received: {border_mode!r}."
        )
    return border_mode


def window_output_length(
    length: int | None, window: int, border_mode: str, stride: int, dilation: int = 1
) -> int | None:
    """Returns the number of positions of a sliding window, None for an unknown length.

    Args:
        length: The length that it slides over.
        window: Its size.
        border_mode: ``"valid"`` or ``"same"``.
        stride: Its step.
        dilation: The distance of its cells.
    """
    if length is None:
        return None
    extent = (window - 1) * dilation + 1
    covered = length if border_mode == "same" else length - extent + 1
    return -(-covered // stride)


def same_padding(
    lengths: Sequence[int], window: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> list[tuple[int, int]]:
    """Returns TensorFlow's padding for border mode ``same``: (before, after) by axis, the odd cell after."""
    pads = []
    for length, size, step, distance in zip(lengths, window, stride, dilation, strict=True):
        extent = (size - 1) * distance + 1
        total = max((-(-length // step) - 1) * step + extent - length, 0)
        pads.append((total // 2, total - total // 2))
    return pads


def flat_padding(pads: Sequence[tuple[int, int]]) -> list[int]:
    """Returns padding by axis in the order of ``torch.nn.functional.pad``, the last axis first."""
    return [side for pad in reversed(pads) for side in pad]


def int_tuple(value: Any, rank: int) -> tuple[int, ...]:
    """Returns one integer per axis: a number stands for all of them."""
    return (int(value),) * rank if isinstance(value, int | float) else tuple(int(v) for v in value)
