"""TensorFlow's names and arguments for functions of the backend, as Lambda layers call them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.layers import backend


def _elementwise(function: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    def apply(x: Any, name: str | None = None) -> Tensor:
        return function(backend.tensor(x))

    return apply


def _reduction(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def apply(
        input_tensor: Tensor,
        axis: Any = None,
        keep_dims: bool = False,
        name: str | None = None,
        reduction_indices: Any = None,
        keepdims: bool = False,
    ) -> Tensor:
        return function(input_tensor, reduction_indices if axis is None else axis, keep_dims or keepdims)

    return apply


def _binary(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def apply(x: Any, y: Any, name: str | None = None) -> Any:
        return function(x, y)

    return apply


def _divide(x: Any, y: Any) -> Tensor:
    return torch.div(backend.tensor(x), y)


def _reshape(tensor: Tensor, shape: Sequence[int], name: str | None = None) -> Tensor:
    return backend.reshape(tensor, shape)


def _transpose(a: Tensor, perm: Sequence[int] | None = None, name: str | None = None) -> Tensor:
    return backend.transpose(a) if perm is None else backend.permute_dimensions(a, perm)


def _expand_dims(input: Tensor, axis: int | None = None, name: str | None = None, dim: int | None = None) -> Tensor:
    place = dim if axis is None else axis
    return input.unsqueeze(-1 if place is None else place)


def _squeeze(input: Tensor, axis: Any = None, name: str | None = None, squeeze_dims: Any = None) -> Tensor:
    chosen = squeeze_dims if axis is None else axis
    if chosen is None:
        return input.squeeze()
    places = [chosen] if isinstance(chosen, int) else list(chosen)
    for place in sorted((p % input.dim() for p in places), reverse=True):
        input = backend.squeeze(input, place)
    return input


def _concat(values: Any, axis: Any, name: str | None = None) -> Tensor:
    if isinstance(values, int):  # the order before TensorFlow 1.0
        values, axis = axis, values
    return backend.concatenate(values, axis)


def _stack(values: Sequence[Tensor], axis: int = 0, name: str | None = None) -> Tensor:
    return torch.stack(list(values), dim=axis)


def _matmul(a: Tensor, b: Tensor, transpose_a: bool = False, transpose_b: bool = False) -> Tensor:
    return torch.matmul(a.mT if transpose_a else a, b.mT if transpose_b else b)


def _clip(t: Tensor, clip_value_min: float, clip_value_max: float, name: str | None = None) -> Tensor:
    return t.clamp(clip_value_min, clip_value_max)


def _cast(x: Any, dtype: str, name: str | None = None) -> Tensor:
    return backend.cast(x, dtype)


def _l2_normalize(x: Tensor, dim: Any, epsilon: float = 1e-12, name: str | None = None) -> Tensor:
    return x * x.square().sum(dim=dim, keepdim=True).clamp(min=epsilon).rsqrt()


def _softmax(logits: Tensor, dim: int = -1, name: str | None = None) -> Tensor:
    return torch.softmax(logits, dim=dim)


def _reverse(tensor: Tensor, axis: Sequence[int], name: str | None = None) -> Tensor:
    return backend.reverse(tensor, axis)


def _pad(tensor: Tensor, paddings: Sequence[Sequence[int]], name: str | None = None) -> Tensor:
    return F.pad(tensor, [int(side) for pair in reversed(paddings) for side in pair])


def _space_to_depth(input: Tensor, block_size: int, name: str | None = None) -> Tensor:
    """``(batch, rows, columns, channels)``: blocks of cells become channels, row by row."""
    batch, rows, columns, channels = input.shape
    blocks = input.reshape(batch, rows // block_size, block_size, columns // block_size, block_size, channels)
    return blocks.permute(0, 1, 3, 2, 4, 5).flatten(3)


def _depth_to_space(input: Tensor, block_size: int, name: str | None = None) -> Tensor:
    """The inverse of ``_space_to_depth``."""
    batch, rows, columns, depth = input.shape
    blocks = input.reshape(batch, rows, columns, block_size, block_size, depth // block_size**2)
    return blocks.permute(0, 1, 3, 2, 4, 5).reshape(batch, rows * block_size, columns * block_size, -1)


def _resize_images(images: Tensor, size: Sequence[int], method: int = 0, align_corners: bool = False) -> Tensor:
    """Resizes ``(batch, rows, columns, channels)``, bilinear (method 0) or to the nearest (1), as TensorFlow 1 does it.

    Cell i of the result lies at ``i * old / new``, or, with corners aligned, at ``i * (old - 1) / (new - 1)``.
    """
    if method not in (0, 1):
        raise NotImplementedError(f"tf.image.resize_images with method={method}")
    for axis, new in zip((1, 2), size, strict=True):
        images = _resize_axis(images, axis, int(new), bool(method), align_corners)
    return images


def _resize_axis(x: Tensor, axis: int, new: int, nearest: bool, align_corners: bool) -> Tensor:
    old = x.shape[axis]
    scale = (old - 1) / (new - 1) if align_corners and new > 1 else old / new
    places = torch.arange(new, dtype=torch.float32, device=x.device) * scale
    lower = (places.round() if nearest and align_corners else places.floor()).long().clamp(max=old - 1)
    if nearest:
        return x.index_select(axis, lower)
    weight = (places - lower).reshape([-1 if i == axis else 1 for i in range(x.dim())])
    first, second = x.index_select(axis, lower), x.index_select(axis, (lower + 1).clamp(max=old - 1))
    return first + (second - first) * weight


def _rgb_to_grayscale(images: Tensor, name: str | None = None) -> Tensor:
    weights = torch.tensor([0.2989, 0.587, 0.114], device=images.device)
    return (images * weights).sum(dim=-1, keepdim=True)


TENSORFLOW: Mapping[str, Callable[..., Any]] = {
    **{
        name: _elementwise(getattr(torch, name))
        for name in ("abs", "ceil", "cos", "exp", "floor", "log", "round", "sigmoid", "sign", "sin", "sqrt", "square")
    },
    **{name: _elementwise(getattr(torch, name)) for name in ("tanh", "zeros_like", "ones_like")},
    **{name: _elementwise(torch.neg) for name in ("neg", "negative")},
    "identity": _elementwise(lambda x: x),
    "stop_gradient": _elementwise(lambda x: x.detach()),
    "to_float": _elementwise(lambda x: x.float()),
    **{
        f"reduce_{name}": _reduction(getattr(backend, name))
        for name in ("all", "any", "max", "mean", "min", "prod", "sum")
    },
    "add": _binary(lambda x, y: x + y),
    **{name: _binary(lambda x, y: x - y) for name in ("sub", "subtract")},
    **{name: _binary(lambda x, y: x * y) for name in ("mul", "multiply")},
    **{name: _binary(_divide) for name in ("div", "divide", "truediv")},
    "maximum": _binary(backend.maximum),
    "minimum": _binary(backend.minimum),
    "pow": _binary(backend.pow),
    "reshape": _reshape,
    "transpose": _transpose,
    "expand_dims": _expand_dims,
    "squeeze": _squeeze,
    "concat": _concat,
    "stack": _stack,
    "pack": _stack,
    "matmul": _matmul,
    "clip_by_value": _clip,
    "cast": _cast,
    "constant": backend.tensor,
    "reverse": _reverse,
    "pad": _pad,
    "tile": backend.tile,
    "shape": lambda x: tuple(x.shape),
    "space_to_depth": _space_to_depth,
    "depth_to_space": _depth_to_space,
    "nn.relu": _elementwise(backend.relu),
    "nn.relu6": _elementwise(lambda x: backend.relu(x, max_value=6.0)),
    "nn.elu": _elementwise(backend.elu),
    "nn.sigmoid": _elementwise(backend.sigmoid),
    "nn.tanh": _elementwise(backend.tanh),
    "nn.softplus": _elementwise(backend.softplus),
    "nn.softsign": _elementwise(backend.softsign),
    "nn.softmax": _softmax,
    "nn.l2_normalize": _l2_normalize,
    "image.resize_images": _resize_images,
    "image.rgb_to_grayscale": _rgb_to_grayscale,
}
"""By the name behind ``tf.``."""
