"""What all layers over images, sequences and volumes share: the place of the channels, and lengths of windows.

Inside, channels come second, as torch has them. A channels-last tensor with its axes permuted *is* torch's
channels_last memory format, so going in and out copies nothing. Sequences are images of one column, as in Keras: torch
has fast channels-last kernels for images, none for sequences.
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar

from torch import Tensor

from bigdl.errors import LayerError
from bigdl.graph import Layer, Shape
from bigdl.layers.settings import checked_dim_ordering

Pads = list[tuple[int, int]]
"""How many cells are added (or removed) before and after, by spatial axis."""


class SpatialLayer(Layer):
    """A layer over ``rank`` spatial axes and one of channels.

    Args:
        dim_ordering: ``"tf"`` for channels last, ``"th"`` for channels first, ``"default"`` for the process's default.
            Sequences (rank 1) are always channels last.
        kwargs: See ``Layer``.
    """

    rank: ClassVar[int]

    def __init__(self, *, dim_ordering: str = "default", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dim_ordering = "tf" if self.rank == 1 else checked_dim_ordering(dim_ordering)

    @property
    def channels_last(self) -> bool:
        """Whether the channels are the last axis."""
        return self.dim_ordering == "tf"

    @property
    def kernel_ordering(self) -> str:
        """The ordering in which Keras counts the fans of a kernel: that of a sequence's counts as ``"th"``."""
        return "th" if self.rank == 1 else self.dim_ordering

    def channels_first(self, x: Tensor) -> Tensor:
        """Returns the tensor as ``(batch, channels, *spatial)``, a sequence with one column."""
        if self.rank == 1:
            x = x.unsqueeze(2)
        return x.movedim(-1, 1) if self.channels_last else x

    def restore(self, x: Tensor) -> Tensor:
        """Returns a tensor ``(batch, channels, *spatial)`` in this layer's ordering, a sequence without its column."""
        if self.channels_last:
            x = x.movedim(1, -1)
        return x.squeeze(2) if self.rank == 1 else x

    def split_shape(self, shape: Shape) -> tuple[int | None, Shape]:
        """Returns the number of channels and the spatial lengths of a shape in this layer's ordering."""
        channels, lengths = (shape[-1], shape[1:-1]) if self.channels_last else (shape[1], shape[2:])
        return channels, (*lengths, 1) if self.rank == 1 else lengths

    def join_shape(self, batch: int | None, channels: int | None, lengths: Sequence[int | None]) -> Shape:
        """Returns the shape in this layer's ordering."""
        lengths = lengths[: self.rank]
        return (batch, *lengths, channels) if self.channels_last else (batch, channels, *lengths)

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

    def sizes(self, argument: str, value: Any) -> tuple[int, ...]:
        """Returns a positive integer for each spatial axis, a sequence's column included.

        Args:
            argument: The argument's name, for the message.
            value: One integer per axis; a single one stands for all.

        Raises:
            LayerError: It is anything else.
        """
        given = (value,) * self.rank if isinstance(value, Real) else value
        return tuple(self.integers(argument, given, self.rank, least=1)) + (1,) * (self.rank == 1)

    def integers(self, argument: str, value: Any, count: int, least: int = 0) -> list[int]:
        """Returns ``count`` integers that are not less than ``least``.

        Raises:
            LayerError: It is anything else.
        """
        if isinstance(value, list | tuple) and len(value) == count:
            numbers = [int(number) for number in value]
            if min(numbers) >= least:
                return numbers
        number = "an integer" if count == 1 else f"{count} integers"
        raise LayerError(
            f"Layer {self.name!r} ({type(self).__name__}): {argument} must be {number} of at least {least}. "
            f"Received: {value!r}."
        )

    def checked_border_mode(self, border_mode: str, allowed: Sequence[str] = ("valid", "same")) -> str:
        """Returns the border mode.

        Raises:
            LayerError: It is none of those allowed (Keras 1.2.2 on TensorFlow refuses ``"full"``).
        """
        if border_mode not in allowed:
            raise LayerError(
                f"Layer {self.name!r} ({type(self).__name__}): border_mode must be one of {', '.join(allowed)}. "
                f"Received: {border_mode!r}."
            )
        return border_mode

    def checked_lengths(
        self, lengths: Sequence[int | None], input_shape: Shape, least: int = 1
    ) -> Sequence[int | None]:
        """Returns the output's lengths.

        Raises:
            LayerError: One of them is less than ``least``.
        """
        if any(length is not None and length < least for length in lengths):
            hint = "" if self.rank == 1 else f" Is dim_ordering={self.dim_ordering!r} what the model was built with?"
            raise LayerError(
                f"Layer {self.name!r} ({type(self).__name__}): an input of shape {input_shape} is too small, nothing "
                f"would be left of it (output lengths {tuple(lengths[: self.rank])}).{hint}"
            )
        return lengths

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them; sequences have no ordering.

        Keras leaves the ordering of padding, cropping and upsampling out, and guesses when it reads its own files. It
        takes the argument all the same, so it is always written here.
        """
        config = super().get_config()
        return config if self.rank == 1 else {**config, "dim_ordering": self.dim_ordering}


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


def window_output_lengths(
    lengths: Sequence[int | None],
    window: Sequence[int],
    border_mode: str,
    stride: Sequence[int],
    dilation: Sequence[int] | None = None,
) -> list[int | None]:
    """Returns ``window_output_length`` of each axis."""
    axes = zip(lengths, window, stride, dilation or (1,) * len(window), strict=True)
    return [window_output_length(length, size, border_mode, step, gap) for length, size, step, gap in axes]


def same_padding(
    lengths: Sequence[int], window: Sequence[int], stride: Sequence[int], dilation: Sequence[int] | None = None
) -> Pads:
    """Returns TensorFlow's padding for border mode ``same``: the odd cell comes after.

    Args:
        lengths: The input's lengths.
        window: The window's.
        stride: Its steps.
        dilation: The distance of its cells, 1 by default.
    """
    pads = []
    for length, size, step, gap in zip(lengths, window, stride, dilation or (1,) * len(window), strict=True):
        extent = (size - 1) * gap + 1
        total = max((-(-length // step) - 1) * step + extent - length, 0)
        pads.append((total // 2, total - total // 2))
    return pads


def flat_padding(pads: Sequence[tuple[int, int]]) -> list[int]:
    """Returns padding by axis in the order of ``torch.nn.functional.pad``, the last axis first."""
    return [side for pad in reversed(pads) for side in pad]
