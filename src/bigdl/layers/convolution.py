"""Convolutions (cross-correlations, as in Keras) over sequences, images and volumes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.errors import LayerError
from bigdl.graph import Layout, Shape
from bigdl.layers.affine import AffineLayer
from bigdl.layers.layouts import CONV_TF, CONV_TH
from bigdl.layers.spatial import (
    SpatialLayer,
    checked_border_mode,
    flat_padding,
    int_tuple,
    same_padding,
    window_output_length,
)
from bigdl.registry import layer

_CONVOLVE: dict[int, Callable[..., Tensor]] = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}


class Convolution(SpatialLayer, AffineLayer):
    """What the convolutions of all ranks share.

    W has Keras's layout: ``(*kernel, in, out)`` for channels last, ``(out, in, *kernel)`` for channels first,
    ``(length, 1, in, out)`` for sequences.

    Args:
        nb_filter: The number of filters, i.e. of output channels.
        kernel_size: The kernel's lengths.
        border_mode: ``"valid"``, or ``"same"`` as TensorFlow pads: the odd cell at the end.
        subsample: The strides.
        dilation: The distance of the kernel's cells.
        kwargs: See ``SpatialLayer`` and ``AffineLayer``.
    """

    def __init__(
        self,
        nb_filter: int,
        kernel_size: tuple[int, ...],
        *,
        border_mode: str,
        subsample: tuple[int, ...],
        dilation: tuple[int, ...] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.nb_filter = int(nb_filter)
        self.kernel_size = kernel_size
        self.border_mode = checked_border_mode(border_mode, self)
        self.subsample = subsample
        self.dilation = dilation or (1,) * self.rank

    def build(self, input_shape: Shape) -> None:
        """Creates W and b."""
        shape, layout = self._kernel(self.known_channels(input_shape))
        self.add_kernel(shape, layout, "tf" if self.channels_last else "th")
        if self.rank == 2:
            # oneDNN's convolutions are fastest in this format, whatever the ordering of the model.
            self.weight.data = self.weight.data.contiguous(memory_format=torch.channels_last)
        self.add_bias((self.nb_filter,))

    def _kernel(self, channels: int) -> tuple[tuple[int, ...], Layout]:
        if self.channels_last:
            return (*self.kernel_size, channels, self.nb_filter), CONV_TF
        return (self.nb_filter, channels, *self.kernel_size), CONV_TH

    def forward(self, x: Tensor) -> Tensor:
        """Convolves.

        Args:
            x: ``(batch, *spatial, channels)`` or ``(batch, channels, *spatial)``.
        """
        return self.activation(self.restore(self.convolve(self.channels_first(x))))

    def convolve(self, x: Tensor) -> Tensor:
        """Convolves a channels-first tensor, with bias, without activation."""
        padding: tuple[int, ...] = (0,) * self.rank
        if self.border_mode == "same":
            pads = same_padding(x.shape[2:], self.kernel_size, self.subsample, self.dilation)
            if all(before == after for before, after in pads):
                padding = tuple(before for before, _ in pads)
            else:
                x = F.pad(x, flat_padding(pads))
        return _CONVOLVE[self.rank](x, self.weight, self.bias, self.subsample, padding, self.dilation)

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        """Returns the output's shape."""
        lengths = [
            window_output_length(length, size, self.border_mode, step, distance)
            for length, size, step, distance in zip(
                self.split_shape(input_shape)[1], self.kernel_size, self.subsample, self.dilation, strict=True
            )
        ]
        if any(length is not None and length <= 0 for length in lengths):
            raise LayerError(
                f"Layer {self.name!r} ({type(self).__name__}): a kernel of {self.kernel_size} does not fit into an "
                f"input of shape {input_shape}."
            )
        return self.join_shape(input_shape[0], self.nb_filter, lengths)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {
            **super().get_config(),
            "nb_filter": self.nb_filter,
            "border_mode": self.border_mode,
        }


@layer()
class Convolution2D(Convolution):
    """Convolution over images.

    Args:
        nb_filter: The number of filters.
        nb_row: The kernel's rows.
        nb_col: The kernel's columns.
        init: The initialization of W.
        activation: A name or a function; the identity by default.
        border_mode: ``"valid"`` or ``"same"``.
        subsample: The strides (rows, columns).
        kwargs: See ``Convolution``.
    """

    rank: ClassVar[int] = 2
    input_ndim: ClassVar[tuple[int, ...] | None] = (4,)

    def __init__(
        self,
        nb_filter: int,
        nb_row: int,
        nb_col: int,
        init: Any = "glorot_uniform",
        activation: Any = None,
        weights: Any = None,
        border_mode: str = "valid",
        subsample: Sequence[int] = (1, 1),
        dim_ordering: str = "default",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            nb_filter,
            (int(nb_row), int(nb_col)),
            init=init,
            activation=activation,
            weights=weights,
            border_mode=border_mode,
            subsample=int_tuple(subsample, 2),
            dim_ordering=dim_ordering,
            **kwargs,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        rows, columns = self.kernel_size
        return {**super().get_config(), "nb_row": rows, "nb_col": columns, "subsample": self.subsample}
