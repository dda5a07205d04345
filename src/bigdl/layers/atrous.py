"""Atrous (dilated) convolutions: the kernel's cells lie apart (Yu and Koltun 2016)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bigdl.errors import LayerError
from bigdl.layers.convolution import Convolution, Convolution1D, Convolution2D, convert_sequence_kernel
from bigdl.registry import layer


def _check_rate(layer: Convolution, rate: Sequence[int]) -> None:
    """Raises LayerError where Keras 1.2.2 on TensorFlow does: unequal rates, or a rate together with a stride."""
    strided, dilated = max(layer.subsample) > 1, max(rate) > 1
    if len(set(rate)) > 1 or (strided and dilated):
        raise LayerError(
            f"Layer {layer.name!r} ({type(layer).__name__}): the rates must be equal, and 1 where the stride is not. "
            f"Received: atrous_rate={tuple(rate)} with strides {layer.subsample}."
        )


@layer(convert_sequence_kernel)
class AtrousConvolution1D(Convolution1D):
    """Convolution over sequences with a kernel whose cells lie ``atrous_rate`` steps apart.

    Restrictions:
        A stride only where the rate is 1, as in Keras; ``border_mode="full"`` is refused.

    Args:
        nb_filter: The number of filters.
        filter_length: The number of the kernel's cells.
        init: The initialization of W ``(filter_length, 1, in, out)``.
        activation: A name or a function; the identity by default.
        weights: Initial values ``[W, b]``.
        border_mode: ``"valid"`` or ``"same"``.
        subsample_length: The stride; 1 unless the rate is 1.
        atrous_rate: The distance of the kernel's cells.
        kwargs: See ``Convolution1D``.
    """

    def __init__(
        self,
        nb_filter: int,
        filter_length: int,
        init: Any = "glorot_uniform",
        activation: Any = None,
        weights: Any = None,
        border_mode: str = "valid",
        subsample_length: int = 1,
        atrous_rate: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(nb_filter, filter_length, init, activation, weights, border_mode, subsample_length, **kwargs)
        self.dilation = self.sizes("atrous_rate", atrous_rate)
        _check_rate(self, self.dilation[:1])

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "atrous_rate": self.dilation[0]}


@layer()
class AtrousConvolution2D(Convolution2D):
    """Convolution over images with a kernel whose cells lie ``atrous_rate`` rows and columns apart.

    Restrictions:
        Equal rates, and strides only where they are 1, as in Keras; ``border_mode="full"`` is refused.

    Args:
        nb_filter: The number of filters.
        nb_row: The rows of the kernel's cells.
        nb_col: The columns of the kernel's cells.
        init: The initialization of W.
        activation: A name or a function; the identity by default.
        weights: Initial values ``[W, b]``.
        border_mode: ``"valid"`` or ``"same"``.
        subsample: The strides (rows, columns); 1 unless the rates are 1.
        atrous_rate: The distance of the kernel's cells (rows, columns).
        dim_ordering: ``"tf"``, ``"th"`` or ``"default"``.
        kwargs: See ``Convolution``.
    """

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
        atrous_rate: Sequence[int] = (1, 1),
        dim_ordering: str = "default",
        **kwargs: Any,
    ) -> None:
        super().__init__(
            nb_filter, nb_row, nb_col, init, activation, weights, border_mode, subsample, dim_ordering, **kwargs
        )
        self.dilation = self.sizes("atrous_rate", atrous_rate)
        _check_rate(self, self.dilation)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {**super().get_config(), "atrous_rate": self.dilation}


AtrousConv1D, AtrousConv2D = AtrousConvolution1D, AtrousConvolution2D
