"""Locally connected layers: convolutions whose kernel differs from position to position."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor

from bigdl.errors import LayerError
from bigdl.graph import Shape
from bigdl.layers.affine import AffineLayer
from bigdl.layers.spatial import SpatialLayer, window_output_lengths
from bigdl.registry import layer


class LocallyConnected(SpatialLayer, AffineLayer):
    """What the locally connected layers share: a matrix W of patch times filters for each position.

    W is ``(positions, patch, filters)``; a patch runs over (row, column, channel) for channels last, (channel, row,
    column) for channels first.

    Restrictions:
        ``border_mode="valid"`` only, and inputs of fixed size, as in Keras.

    Args:
        nb_filter: The number of filters, i.e. of output channels.
        kernel_size: A patch's length on each axis.
        border_mode: ``"valid"``.
        subsample: The stride on each axis.
        kwargs: See ``SpatialLayer`` and ``AffineLayer``.
    """

    def __init__(self, nb_filter: int, kernel_size: Any, *, border_mode: str, subsample: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.nb_filter = int(nb_filter)
        self.kernel_size = self.sizes("the kernel", kernel_size)
        self.border_mode = self.checked_border_mode(border_mode, ("valid",))
        self.subsample = self.sizes("subsample", subsample)

    def build(self, input_shape: Shape) -> None:
        """Creates W and b.

        Raises:
            LayerError: A length of the input is not known.
        """
        lengths = self.output_lengths(input_shape)
        if None in lengths:
            raise LayerError(
                f"Layer {self.name!r} ({type(self).__name__}) needs an input of fixed size, as each position has its "
                f"own weights. Received: shape {input_shape}."
            )
        self.positions = tuple(cast(Sequence[int], lengths))
        patch = math.prod(self.kernel_size) * self.known_channels(input_shape)
        self.add_kernel((math.prod(self.positions), patch, self.nb_filter), dim_ordering=self.kernel_ordering)
        self.add_bias((*self.positions[: self.rank], self.nb_filter))

    def forward(self, x: Tensor) -> Tensor:
        """Multiplies each position's patch by its matrix.

        Args:
            x: ``(batch, *spatial, channels)`` or ``(batch, channels, *spatial)``.
        """
        patches = self.patches(self.channels_first(x))
        bias = self.position_bias()
        y = patches @ self.weight if bias is None else torch.baddbmm(bias, patches, self.weight)
        images = y.view(*self.positions, *y.shape[1:]).permute(2, 3, 0, 1)
        return self.activation(self.restore(images))

    def patches(self, x: Tensor) -> Tensor:
        """Maps ``(batch, channels, rows, columns)`` to ``(positions, batch, patch)``."""
        (rows, columns), (row_step, column_step) = self.kernel_size, self.subsample
        windows = x.unfold(2, rows, row_step).unfold(3, columns, column_step)
        order = (2, 3, 0, 4, 5, 1) if self.channels_last else (2, 3, 0, 1, 4, 5)
        return windows.permute(order).flatten(3).flatten(0, 1)

    def position_bias(self) -> Tensor | None:
        """Returns b as ``(positions, 1, filters)``.

        For channels first Keras reads the memory of b ``(rows, columns, filters)`` as ``(filters, rows, columns)``.
        """
        if self.bias is None:
            return None
        flat = self.bias.flatten()
        by_position = flat.view(-1, self.nb_filter) if self.channels_last else flat.view(self.nb_filter, -1).t()
        return by_position.unsqueeze(1)

    def output_lengths(self, input_shape: Shape) -> Sequence[int | None]:
        """Returns the number of positions on each axis.

        Raises:
            LayerError: The kernel does not fit into the input.
        """
        lengths = self.split_shape(input_shape)[1]
        return self.checked_lengths(
            window_output_lengths(lengths, self.kernel_size, self.border_mode, self.subsample), input_shape
        )

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        """Returns the output's shape.

        Raises:
            LayerError: The input is not of the size that the layer was built for.
        """
        lengths = tuple(self.output_lengths(input_shape))
        if lengths != self.positions:
            raise LayerError(
                f"Layer {self.name!r} ({type(self).__name__}) was built for {self.positions[: self.rank]} positions. "
                f"Received: shape {input_shape}, which has {lengths[: self.rank]}."
            )
        return self.join_shape(input_shape[0], self.nb_filter, lengths)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "nb_filter": self.nb_filter, "border_mode": self.border_mode}


@layer()
class LocallyConnected1D(LocallyConnected):
    """A ``Convolution1D`` with other weights at each position.

    Args:
        nb_filter: The number of filters.
        filter_length: The kernel's length.
        init: The initialization of W ``(positions, filter_length * in, out)``.
        activation: A name or a function; the identity by default.
        weights: Initial values ``[W, b]``, b ``(positions, out)``.
        border_mode: ``"valid"``.
        subsample_length: The stride.
        input_dim: The number of channels of the input, for a first layer.
        input_length: The length of the input, for a first layer.
        kwargs: See ``LocallyConnected``.
    """

    rank = 1
    input_ndim = (3,)

    def __init__(
        self,
        nb_filter: int,
        filter_length: int,
        init: Any = "glorot_uniform",
        activation: Any = None,
        weights: Any = None,
        border_mode: str = "valid",
        subsample_length: int = 1,
        *,
        input_dim: int | None = None,
        input_length: int | None = None,
        **kwargs: Any,
    ) -> None:
        if input_dim:
            kwargs["input_shape"] = (input_length, input_dim)
        super().__init__(
            nb_filter,
            filter_length,
            init=init,
            activation=activation,
            weights=weights,
            border_mode=border_mode,
            subsample=subsample_length,
            **kwargs,
        )
        self.input_dim = input_dim
        self.input_length = input_length

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {
            **super().get_config(),
            "filter_length": self.kernel_size[0],
            "subsample_length": self.subsample[0],
            "input_dim": self.input_dim,
            "input_length": self.input_length,
        }


@layer()
class LocallyConnected2D(LocallyConnected):
    """A ``Convolution2D`` with other weights at each position.

    Args:
        nb_filter: The number of filters.
        nb_row: The kernel's rows.
        nb_col: The kernel's columns.
        init: The initialization of W ``(positions, nb_row * nb_col * in, out)``.
        activation: A name or a function; the identity by default.
        weights: Initial values ``[W, b]``, b ``(rows, columns, out)``.
        border_mode: ``"valid"``.
        subsample: The strides (rows, columns).
        dim_ordering: ``"tf"``, ``"th"`` or ``"default"``.
        kwargs: See ``LocallyConnected``.
    """

    rank = 2
    input_ndim = (4,)

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
            (nb_row, nb_col),
            init=init,
            activation=activation,
            weights=weights,
            border_mode=border_mode,
            subsample=subsample,
            dim_ordering=dim_ordering,
            **kwargs,
        )

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        rows, columns = self.kernel_size
        return {**super().get_config(), "nb_row": rows, "nb_col": columns, "subsample": self.subsample}
