"""How Keras's arrays lie in torch. Each layout is a view, so nothing is copied to read or write one."""

from __future__ import annotations

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


def _conv1d_to_torch(x: Tensor) -> Tensor:
    """``(length, 1, in, out)`` to ``(out, in, length)``."""
    return x.squeeze(1).permute(2, 1, 0)


def _conv1d_to_keras(x: Tensor) -> Tensor:
    """``(out, in, length)`` to ``(length, 1, in, out)``."""
    return x.permute(2, 1, 0).unsqueeze(1)


MATRIX = Layout(_transpose, _transpose)
"""Keras ``(in, out)``, torch ``(out, in)``."""

CONV_1D = Layout(_conv1d_to_torch, _conv1d_to_keras)
"""Keras ``(length, 1, in, out)``, torch ``(out, in, length)``."""

CONV_TF = Layout(_out_in_first, _in_out_last)
"""Keras ``(*kernel, in, out)``, torch ``(out, in, *kernel)``."""

CONV_TH = SAME
"""Keras ``(out, in, *kernel)``, as torch."""
