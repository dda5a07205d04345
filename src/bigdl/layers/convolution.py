"""Convolutions (cross-correlations, as in Keras) over sequences, images and volumes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.graph import Layer, Layout, Shape
from bigdl.layers.affine import AffineLayer
from bigdl.layers.layouts import CONV_TF, CONV_TH
from bigdl.layers.spatial import Pads, SpatialLayer, flat_padding, same_padding, window_output_lengths
from bigdl.registry import layer

_CONVOLVE: dict[int, Callable[..., Tensor]] = {1: F.conv2d, 2: F.conv2d, 3: F.conv3d}
_FAST_FORMAT = {4: torch.channels_last, 5: torch.channels_last_3d}


class Convolution(SpatialLayer, AffineLayer):
    """What the convolutions of all ranks share.

    W has Keras's layout: ``(*kernel, in, out)`` for channels last, ``(out, in, *kernel)`` for channels first,
    ``(length, 1, in, out)`` for sequences.

    Restrictions:
        ``border_mode="full"``, which only Keras on Theano has, is refused.

    Args:
        nb_filter: The number of filters, i.e. of output channels.
        kernel_size: The kernel's length on each axis.
        border_mode: ``"valid"``, or ``"same"`` as TensorFlow pads: the odd cell at the end.
        subsample: The stride on each axis.
        kwargs: See ``SpatialLayer`` and ``AffineLayer``.
    """

    def __init__(self, nb_filter: int, kernel_size: Any, *, border_mode: str, subsample: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.nb_filter = int(nb_filter)
        self.kernel_size = self.sizes("the kernel", kernel_size)
        self.border_mode = self.checked_border_mode(border_mode)
        self.subsample = self.sizes("subsample", subsample)
        self.dilation = (1,) * len(self.kernel_size)

    def build(self, input_shape: Shape) -> None:
        """Creates W and b."""
        shape, layout = self.kernel(self.known_channels(input_shape))
        self.add_kernel(shape, layout, self.kernel_ordering)
        # Kernels of this format make the outputs channels last, which torch pools and normalizes several times faster.
        self.weight.data = self.weight.data.contiguous(memory_format=_FAST_FORMAT[self.weight.dim()])
        self.add_bias((self.nb_filter,))

    def kernel(self, channels: int) -> tuple[tuple[int, ...], Layout]:
        """Returns W's shape and layout for so many input channels."""
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
        x, padding = self.pad(x)
        return _CONVOLVE[self.rank](x, self.weight, self.bias, self.subsample, padding, self.dilation)

    def pads(self, lengths: Sequence[int]) -> Pads:
        """Returns the zeros around images of these lengths, before and after."""
        window = (self.kernel_size, self.subsample, self.dilation)
        return [(0, 0)] * len(lengths) if self.border_mode == "valid" else same_padding(lengths, *window)

    def pad(self, x: Tensor) -> tuple[Tensor, tuple[int, ...]]:
        """Returns the tensor and the padding that is left to the kernel, which takes as much before as after."""
        pads = self.pads(x.shape[2:])
        # Of an open length, in a program of torch.export, the padding is no number and must not decide anything.
        if all(isinstance(before, int) and before == after for before, after in pads):
            return x, tuple(before for before, _ in pads)
        return F.pad(x, flat_padding(pads)), (0,) * len(pads)

    def get_output_shape_for(self, input_shape: Shape) -> Shape:
        """Returns the output's shape.

        Raises:
            LayerError: The kernel does not fit into the input.
        """
        lengths = window_output_lengths(
            self.split_shape(input_shape)[1], self.kernel_size, self.border_mode, self.subsample, self.dilation
        )
        return self.join_shape(input_shape[0], self.nb_filter, self.checked_lengths(lengths, input_shape))

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "nb_filter": self.nb_filter, "border_mode": self.border_mode}


def convert_sequence_kernel(layer: Layer, arrays: Sequence[Any]) -> Sequence[Any]:
    """Brings a kernel as older Keras stored it, ``(out, in, length, 1)``, into ``(length, 1, in, out)``.

    Args:
        layer: The convolution.
        arrays: The file's arrays, W first.
    """
    assert isinstance(layer, Convolution1D)
    if not arrays:
        return arrays
    old, length = arrays[0], layer.filter_length
    of_today = len(old.shape) != 4 or (old.shape[:2] == (length, 1) and old.shape[3] == layer.nb_filter)
    if of_today or old.shape[0] != layer.nb_filter or old.shape[2:] != (length, 1):
        return arrays
    order = (2, 3, 1, 0)
    shape = tuple(old.shape[axis] for axis in order)
    kernel = dataclasses.replace(old, shape=shape, read=lambda: np.transpose(old.read(), order))
    return [kernel, *arrays[1:]]


@layer(convert_sequence_kernel)
class Convolution1D(Convolution):
    """Convolution over sequences: ``(batch, length, in)`` to ``(batch, new length, out)``.

    Args:
        nb_filter: The number of filters.
        filter_length: The kernel's length.
        init: The initialization of W ``(filter_length, 1, in, out)``.
        activation: A name or a function; the identity by default.
        weights: Initial values ``[W, b]``.
        border_mode: ``"valid"`` or ``"same"``.
        subsample_length: The stride.
        input_dim: The number of channels of the input, for a first layer.
        input_length: The length of the input, for a first layer; None where it is open.
        kwargs: See ``Convolution``.
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

    @property
    def filter_length(self) -> int:
        """The kernel's length."""
        return self.kernel_size[0]

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {
            **super().get_config(),
            "filter_length": self.filter_length,
            "subsample_length": self.subsample[0],
            "input_dim": self.input_dim,
            "input_length": self.input_length,
        }


@layer()
class Convolution2D(Convolution):
    """Convolution over images: ``(batch, rows, columns, in)`` to ``(batch, rows, columns, out)`` for channels last.

    Args:
        nb_filter: The number of filters.
        nb_row: The kernel's rows.
        nb_col: The kernel's columns.
        init: The initialization of W.
        activation: A name or a function; the identity by default.
        weights: Initial values ``[W, b]``.
        border_mode: ``"valid"`` or ``"same"``.
        subsample: The strides (rows, columns).
        dim_ordering: ``"tf"``, ``"th"`` or ``"default"``.
        kwargs: See ``Convolution``.
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


@layer()
class Convolution3D(Convolution):
    """Convolution over volumes: ``(batch, d1, d2, d3, in)`` to ``(batch, d1, d2, d3, out)`` for channels last.

    Args:
        nb_filter: The number of filters.
        kernel_dim1: The kernel's length on the first axis.
        kernel_dim2: On the second.
        kernel_dim3: On the third.
        init: The initialization of W.
        activation: A name or a function; the identity by default.
        weights: Initial values ``[W, b]``.
        border_mode: ``"valid"`` or ``"same"``.
        subsample: The strides.
        dim_ordering: ``"tf"``, ``"th"`` or ``"default"``.
        kwargs: See ``Convolution``.
    """

    rank = 3
    input_ndim = (5,)

    def __init__(
        self,
        nb_filter: int,
        kernel_dim1: int,
        kernel_dim2: int,
        kernel_dim3: int,
        init: Any = "glorot_uniform",
        activation: Any = None,
        weights: Any = None,
        border_mode: str = "valid",
        subsample: Sequence[int] = (1, 1, 1),
        dim_ordering: str = "default",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            nb_filter,
            (kernel_dim1, kernel_dim2, kernel_dim3),
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
        one, two, three = self.kernel_size
        return {
            **super().get_config(),
            "kernel_dim1": one,
            "kernel_dim2": two,
            "kernel_dim3": three,
            "subsample": self.subsample,
        }


Conv1D, Conv2D, Conv3D = Convolution1D, Convolution2D, Convolution3D
