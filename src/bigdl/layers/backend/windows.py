"""Functions of windows: convolutions and pooling. Kernels are those of TensorFlow, which are not flipped.

With ``dim_ordering="tf"`` tensors are ``(batch, *lengths, channels)`` and kernels ``(*lengths, in, out)``; with
``"th"`` ``(batch, channels, *lengths)`` and ``(out, in, *lengths)``. ``image_shape``, ``volume_shape`` and
``filter_shape`` are Keras's arguments for Theano.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.errors import LayerError
from bigdl.layers.backend.arrays import repeat_elements
from bigdl.layers.settings import checked_dim_ordering
from bigdl.layers.spatial import flat_padding, same_padding


def conv1d(
    x: Tensor,
    kernel: Tensor,
    stride: int = 1,
    border_mode: str = "valid",
    image_shape: Any = None,
    filter_shape: Any = None,
) -> Tensor:
    """Convolves ``(batch, length, channels)`` with ``(length, in, out)``."""
    return _convolved(x, kernel, (stride,), border_mode, "tf", (1,))


def conv2d(
    x: Tensor,
    kernel: Tensor,
    strides: Sequence[int] = (1, 1),
    border_mode: str = "valid",
    dim_ordering: str = "default",
    image_shape: Any = None,
    filter_shape: Any = None,
    filter_dilation: Sequence[int] = (1, 1),
) -> Tensor:
    """Convolves images."""
    return _convolved(x, kernel, strides, border_mode, dim_ordering, filter_dilation)


def atrous_conv2d(
    x: Tensor,
    kernel: Tensor,
    rate: int = 1,
    border_mode: str = "valid",
    dim_ordering: str = "default",
    image_shape: Any = None,
    filter_shape: Any = None,
) -> Tensor:
    """Convolves images, the kernel's cells being ``rate`` apart."""
    return _convolved(x, kernel, (1, 1), border_mode, dim_ordering, (rate, rate))


def conv3d(
    x: Tensor,
    kernel: Tensor,
    strides: Sequence[int] = (1, 1, 1),
    border_mode: str = "valid",
    dim_ordering: str = "default",
    volume_shape: Any = None,
    filter_shape: Any = None,
) -> Tensor:
    """Convolves volumes."""
    return _convolved(x, kernel, strides, border_mode, dim_ordering, (1, 1, 1))


def separable_conv2d(
    x: Tensor,
    depthwise_kernel: Tensor,
    pointwise_kernel: Tensor,
    strides: Sequence[int] = (1, 1),
    border_mode: str = "valid",
    dim_ordering: str = "default",
) -> Tensor:
    """Convolves each channel of images by its own kernels, then mixes what comes out.

    Args:
        x: The images.
        depthwise_kernel: A kernel whose ``out`` is the number of results of each channel.
        pointwise_kernel: A kernel of 1 x 1.
        strides: The strides.
        border_mode: ``"valid"`` or ``"same"``.
        dim_ordering: Where the channels are.
    """
    first = checked_dim_ordering(dim_ordering) == "th"
    kernel = depthwise_kernel if first else depthwise_kernel.permute(3, 2, 0, 1)
    multiplier, channels = kernel.shape[:2]
    grouped = kernel.transpose(0, 1).reshape(channels * multiplier, 1, *kernel.shape[2:])
    y = x if first else x.movedim(-1, 1)
    y = _padded(y, grouped.shape[2:], strides, border_mode, (1, 1))
    y = F.conv2d(y, grouped, None, tuple(strides), groups=channels)
    y = y if first else y.movedim(1, -1)
    return conv2d(y, pointwise_kernel, dim_ordering=dim_ordering)


def deconv2d(
    x: Tensor,
    kernel: Tensor,
    output_shape: Sequence[int | None],
    strides: Sequence[int] = (1, 1),
    border_mode: str = "valid",
    dim_ordering: str = "default",
    image_shape: Any = None,
    filter_shape: Any = None,
) -> Tensor:
    """Returns the gradient of a convolution with regard to its input (a transposed convolution).

    Args:
        x: What the convolution would give.
        kernel: Its kernel; ``in`` are the channels of ``x``.
        output_shape: The shape of its input, which the strides leave open.
        strides: Its strides.
        border_mode: Its border mode.
        dim_ordering: Where the channels are.
        image_shape: Keras's argument.
        filter_shape: Keras's argument.
    """
    first = checked_dim_ordering(dim_ordering) == "th"
    lengths = [int(n) for n in (output_shape[2:] if first else output_shape[1:-1]) if n is not None]
    weight = kernel.transpose(0, 1) if first else kernel.permute(2, 3, 0, 1)
    y = x if first else x.movedim(-1, 1)
    pads = (
        same_padding(lengths, weight.shape[2:], strides, (1, 1)) if border_mode == "same" else [(0, 0)] * len(lengths)
    )
    whole = F.conv_transpose2d(y, weight, None, tuple(strides))
    wanted = [length + before + after for length, (before, after) in zip(lengths, pads, strict=True)]
    whole = F.pad(whole, flat_padding([(0, n - m) for n, m in zip(wanted, whole.shape[2:], strict=True)]))
    for axis, (length, (before, _)) in enumerate(zip(lengths, pads, strict=True), start=2):
        whole = whole.narrow(axis, before, length)
    return whole if first else whole.movedim(1, -1)


def pool2d(
    x: Tensor,
    pool_size: Sequence[int],
    strides: Sequence[int] = (1, 1),
    border_mode: str = "valid",
    dim_ordering: str = "default",
    pool_mode: str = "max",
) -> Tensor:
    """Pools images; ``pool_mode`` is ``"max"`` or ``"avg"``."""
    return _pooled(x, pool_size, strides, border_mode, dim_ordering, pool_mode)


def pool3d(
    x: Tensor,
    pool_size: Sequence[int],
    strides: Sequence[int] = (1, 1, 1),
    border_mode: str = "valid",
    dim_ordering: str = "default",
    pool_mode: str = "max",
) -> Tensor:
    """Pools volumes; ``pool_mode`` is ``"max"`` or ``"avg"``."""
    return _pooled(x, pool_size, strides, border_mode, dim_ordering, pool_mode)


def resize_volumes(X: Tensor, depth_factor: int, height_factor: int, width_factor: int, dim_ordering: str) -> Tensor:
    """Repeats the slices of volumes along each axis."""
    start = 2 if checked_dim_ordering(dim_ordering) == "th" else 1
    for axis, factor in enumerate((depth_factor, height_factor, width_factor), start):
        X = repeat_elements(X, factor, axis)
    return X


def spatial_3d_padding(x: Tensor, padding: Sequence[int] = (1, 1, 1), dim_ordering: str = "default") -> Tensor:
    """Zeros around volumes."""
    sides = flat_padding([(n, n) for n in padding])
    return F.pad(x, sides if checked_dim_ordering(dim_ordering) == "th" else [0, 0, *sides])


def _convolved(
    x: Tensor,
    kernel: Tensor,
    strides: Sequence[int],
    border_mode: str,
    dim_ordering: str,
    dilation: Sequence[int],
) -> Tensor:
    first = checked_dim_ordering(dim_ordering) == "th"
    weight = kernel if first else kernel.movedim((-1, -2), (0, 1))
    y = _padded(x if first else x.movedim(-1, 1), weight.shape[2:], strides, border_mode, dilation)
    convolve: Callable[..., Tensor] = (F.conv1d, F.conv2d, F.conv3d)[len(strides) - 1]
    y = convolve(y, weight, None, tuple(strides), 0, tuple(dilation))
    return y if first else y.movedim(1, -1)


def _padded(
    x: Tensor,
    size: Sequence[int],
    strides: Sequence[int],
    border_mode: str,
    dilation: Sequence[int],
    value: float = 0.0,
) -> Tensor:
    """Pads as TensorFlow does for ``"same"``: the odd cell at the end."""
    if border_mode == "valid":
        return x
    if border_mode != "same":
        raise LayerError(f"border_mode must be 'valid' or 'same'. Received: {border_mode!r}.")
    return F.pad(x, flat_padding(same_padding(x.shape[2:], size, strides, dilation)), value=value)


def _pooled(
    x: Tensor, pool_size: Sequence[int], strides: Sequence[int], border_mode: str, dim_ordering: str, pool_mode: str
) -> Tensor:
    if pool_mode not in ("max", "avg"):
        raise LayerError(f"pool_mode must be 'max' or 'avg'. Received: {pool_mode!r}.")
    first = checked_dim_ordering(dim_ordering) == "th"
    y = x if first else x.movedim(-1, 1)
    size, step, dilation = tuple(pool_size), tuple(strides), (1,) * len(pool_size)
    if pool_mode == "max":
        largest: Callable[..., Tensor] = F.max_pool2d if len(size) == 2 else F.max_pool3d
        y = largest(_padded(y, size, step, border_mode, dilation, -torch.inf), size, step)
    else:
        average: Callable[..., Tensor] = F.avg_pool2d if len(size) == 2 else F.avg_pool3d
        counts = average(_padded(torch.ones_like(y), size, step, border_mode, dilation), size, step)
        y = average(_padded(y, size, step, border_mode, dilation), size, step) / counts  # padding does not count
    return y if first else y.movedim(1, -1)
