"""How Keras's arrays lie in torch. Each layout is a view, so nothing is copied to read or write one."""

from __future__ import annotations

from functools import partial

from torch import Tensor

from bigdl.graph import SAME, Layout


def _transpose(x: Tensor) -> Tensor:
    return x.t()


def _out_in_first(x: Tensor) -> Tensor:
    """``(*kernel, in, out)`` to ``(out, in, *kernel)``."""
    return x.movedim((-1, -2), (0, 1))


def _in_out_last(x: Tensor) -> Tensor:
    """``(out, in, *kernel)`` to ``(*kernel, in, out)``."""
    return x.movedim((0, 1), (-1, -2))


def _last_two_first(x: Tensor) -> Tensor:
    """``(*kernel, in, out)`` to ``(in, out, *kernel)``."""
    return x.movedim((-2, -1), (0, 1))


def _first_two_last(x: Tensor) -> Tensor:
    """``(in, out, *kernel)`` to ``(*kernel, in, out)``."""
    return x.movedim((0, 1), (-2, -1))


def _swap_first_two(x: Tensor) -> Tensor:
    return x.transpose(0, 1)


MATRIX = Layout(_transpose, _transpose)
"""Keras ``(in, out)``, torch ``(out, in)``."""

CONV_TF = Layout(_out_in_first, _in_out_last)
"""Keras ``(*kernel, in, out)``, torch ``(out, in, *kernel)``."""

CONV_TH = SAME
"""Keras ``(out, in, *kernel)``, as torch."""

DECONV_TF = Layout(_last_two_first, _first_two_last)
"""Keras ``(*kernel, in, out)``, torch's transposed convolution ``(in, out, *kernel)``."""

DECONV_TH = Layout(_swap_first_two, _swap_first_two)
"""Keras ``(out, in, *kernel)``, torch's transposed convolution ``(in, out, *kernel)``."""


def _depthwise_to_torch(x: Tensor, channels_last: bool) -> Tensor:
    x = x.permute(2, 3, 0, 1) if channels_last else x.transpose(0, 1)
    return x.flatten(0, 1).unsqueeze(1)


def _depthwise_to_keras(x: Tensor, multiplier: int, channels_last: bool) -> Tensor:
    x = x.view(-1, multiplier, *x.shape[2:])
    return x.permute(2, 3, 0, 1) if channels_last else x.transpose(0, 1)


def depthwise(multiplier: int, channels_last: bool) -> Layout:
    """Returns the layout of the kernel of a convolution of each channel by itself.

    Keras ``(rows, columns, in, multiplier)`` or ``(multiplier, in, rows, columns)``, torch ``(in * multiplier, 1, rows,
    columns)``.

    Args:
        multiplier: The number of filters for each input channel.
        channels_last: Whether the first of Keras's layouts is meant.
    """
    return Layout(
        partial(_depthwise_to_torch, channels_last=channels_last),
        partial(_depthwise_to_keras, multiplier=multiplier, channels_last=channels_last),
    )
