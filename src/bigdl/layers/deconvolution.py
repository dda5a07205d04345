"""The transposed convolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from bigdl.errors import LayerError
from bigdl.graph import Layout, Shape
from bigdl.layers.convolution import Convolution2D
from bigdl.layers.layouts import DECONV_TF, DECONV_TH
from bigdl.layers.spatial import same_padding, window_output_lengths
from bigdl.registry import layer


@layer()
class Deconvolution2D(Convolution2D):
    """Transposed convolution (the gradient of a convolution): an image of ``output_shape`` from a smaller one.

    The output is the image that a convolution with this kernel, border mode and stride makes an image of the input's
    size from; a stride leaves several sizes possible, so it must be given. W lies as that of a ``Convolution2D``.

    Args:
        nb_filter: The number of filters, i.e. of output channels.
        nb_row: The kernel's rows.
        nb_col: The kernel's columns.
        output_shape: The output's shape in this layer's ordering; its batch size is not used.
        init: The initialization of W.
        activation: A name or a function; the identity by default.
        weights: Initial values ``[W, b]``.
        border_mode: ``"valid"`` or ``"same"``.
        subsample: The strides (rows, columns).
        dim_ordering: ``"tf"``, ``"th"`` or ``"default"``.
        kwargs: See ``Convolution``.

    Raises:
        LayerError: ``output_shape`` is no full shape with ``nb_filter`` channels.
    """

    def __init__(
        self,
        nb_filter: int,
        nb_row: int,
        nb_col: int,
        output_shape: Sequence[int | None],
        init: Any = "glorot_uniform",
        activation: Any = None,
        weights: Any = None,
        border_mode: str = "valid",
        subsample: Sequence[int] = (1, 1),
        dim_ordering: str = "default",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            nb_filter, nb_row, nb_col, init, activation, weights, border_mode, subsample, dim_ordering, **kwargs
        )
        self.result_shape = tuple(output_shape)
        if len(self.result_shape) != 4 or None in self.result_shape[1:]:
            raise LayerError(
                f"Layer {self.name!r} (Deconvolution2D): output_shape must be the batch size (or None) and three "
                f"known lengths. Received: {self.result_shape}."
            )
        channels, lengths = self.split_shape(self.result_shape)
        if channels != self.nb_filter:
            raise LayerError(
                f"Layer {self.name!r} (Deconvolution2D): output_shape must have nb_filter={self.nb_filter} channels. "
                f"Received: {self.result_shape} with dim_ordering={self.dim_ordering!r}."
            )
        self.output_lengths = tuple(int(length) for length in lengths if length is not None)

    def kernel(self, channels: int) -> tuple[tuple[int, ...], Layout]:
        """Returns W's shape and layout for so many input channels."""
        shape, _ = super().kernel(channels)
        return shape, DECONV_TF if self.channels_last else DECONV_TH

    def convolve(self, x: Tensor) -> Tensor:
        """Computes the transposed convolution of a channels-first tensor, with bias, without activation."""
        self.check_lengths(x.shape[2:])
        pads = [(0, 0), (0, 0)]
        if self.border_mode == "same":
            pads = same_padding(self.output_lengths, self.kernel_size, self.subsample)
        before = [pad[0] for pad in pads]
        # What the kernel's positions leave uncovered at the end; negative where more is to be cut there than before.
        extra = [
            length + 2 * cut - (n - 1) * step - size
            for length, cut, n, step, size in zip(
                self.output_lengths, before, x.shape[2:], self.subsample, self.kernel_size, strict=True
            )
        ]
        y = F.conv_transpose2d(x, self.weight, self.bias, self.subsample, before, [max(cells, 0) for cells in extra])
        rows, columns = self.output_lengths
        return y[:, :, :rows, :columns]

    @property
    def input_lengths(self) -> list[int]:
        """The rows and columns that an input must have: those that a convolution over the output would have."""
        lengths = window_output_lengths(self.output_lengths, self.kernel_size, self.border_mode, self.subsample)
        return [length for length in lengths if length is not None]

    def check_lengths(self, lengths: Sequence[int | None]) -> None:
        """Checks the input's lengths.

        Raises:
            LayerError: A convolution over the output would have other lengths.
        """
        expected = self.input_lengths
        if any(length not in (None, want) for length, want in zip(lengths, expected, strict=True)):
            raise LayerError(
                f"Layer {self.name!r} (Deconvolution2D): output_shape={self.result_shape} needs an input with rows and "
                f"columns {tuple(expected)}. Received: {tuple(lengths)}."
            )

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        """Returns the output's shape.

        Raises:
            LayerError: The input's lengths do not fit ``output_shape``.
        """
        self.check_lengths(self.split_shape(input_shape)[1])
        return self.join_shape(input_shape[0], self.nb_filter, self.output_lengths)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "output_shape": self.result_shape}


Deconv2D = Deconvolution2D
