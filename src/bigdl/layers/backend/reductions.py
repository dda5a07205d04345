"""Functions over axes, and products that sum over one. An axis of None stands for all of them, the batch included."""

from __future__ import annotations

import torch
from torch import Tensor

from bigdl.errors import LayerError

Axis = int | list[int] | tuple[int, ...] | None


def _axes(x: Tensor, axis: Axis) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.dim()))
    return (axis,) if isinstance(axis, int) else tuple(axis)


def _numbers(x: Tensor) -> Tensor:
    return x.float() if x.dtype == torch.bool else x


def sum(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum."""
    return x.sum(dim=_axes(x, axis), keepdim=keepdims)


def mean(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean; of truth values their share."""
    return _numbers(x).mean(dim=_axes(x, axis), keepdim=keepdims)


def max(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest value."""
    return x.amax(dim=_axes(x, axis), keepdim=keepdims)


def min(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest value."""
    return x.amin(dim=_axes(x, axis), keepdim=keepdims)


def prod(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The product."""
    for each in sorted((a % x.dim() for a in _axes(x, axis)), reverse=True):
        x = x.prod(dim=each, keepdim=keepdims)
    return x


def var(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The biased variance."""
    x = _numbers(x)
    return mean((x - mean(x, axis, keepdims=True)).square(), axis, keepdims)


def std(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The root of the biased variance."""
    return var(x, axis, keepdims).sqrt()


def any(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """1 where any value is not zero, else 0."""
    return (x != 0).to(torch.uint8).amax(dim=_axes(x, axis), keepdim=keepdims)


def all(x: Tensor, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """1 where no value is zero, else 0."""
    return (x != 0).to(torch.uint8).amin(dim=_axes(x, axis), keepdim=keepdims)


def argmax(x: Tensor, axis: int = -1) -> Tensor:
    """The place of the largest value."""
    return x.argmax(dim=axis)


def argmin(x: Tensor, axis: int = -1) -> Tensor:
    """The place of the smallest value."""
    return x.argmin(dim=axis)


def l2_normalize(x: Tensor, axis: int) -> Tensor:
    """``x / sqrt(max(sum x^2, 1e-12))``, the sum over one axis."""
    return x * x.square().sum(dim=axis, keepdim=True).clamp(min=1e-12).rsqrt()


def dot(x: Tensor, y: Tensor) -> Tensor:
    """Sums over the last axis of x and the last but one of y, as Theano does: (2, 3).(4, 3, 5) is (2, 4, 5)."""
    product: Tensor = torch.tensordot(x, y, dims=([-1], [-2] if y.dim() > 1 else [0]))
    return product


def batch_dot(x: Tensor, y: Tensor, axes: int | list[int] | tuple[int, int] | None = None) -> Tensor:
    """Multiplies sample by sample, as Keras 1.2.2 does it on TensorFlow.

    Two tensors of rank 2 give one number a sample, ``(batch, 1)``. Those of higher rank are stacks of matrices:
    the axis of x that is summed over is its last one if ``axes[0]`` says so, else the last but one; of y likewise.

    Args:
        x: A tensor.
        y: A tensor of the same rank.
        axes: The axis of each that is summed over, the batch being axis 0.

    Raises:
        LayerError: The ranks differ.
    """
    if x.dim() != y.dim():
        raise LayerError(
            f"batch_dot needs tensors of the same rank. Received: shapes {tuple(x.shape)} and {tuple(y.shape)}."
        )
    pair = (axes, axes) if isinstance(axes, int) else axes
    if x.dim() == 2:
        first, second = pair or (1, 1)
        product = (x if first == second else x.t()) * y
        return product.sum(dim=second).unsqueeze(1)
    if pair is not None and pair[0] != x.dim() - 1:
        x = x.transpose(-1, -2)
    if pair is not None and pair[1] == y.dim() - 1:
        y = y.transpose(-1, -2)
    return torch.matmul(x, y)
