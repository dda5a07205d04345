"""Functions of single values: arithmetic beyond operators, comparisons, types."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bigdl.errors import LayerError
from bigdl.graph import SymbolicTensor

Operand = Any
"""A tensor, of torch or of a graph, or a number."""

_DTYPES = {
    "float16": torch.float16,
    "float32": torch.float32,
    "float64": torch.float64,
    "uint8": torch.uint8,
    "int8": torch.int8,
    "int16": torch.int16,
    "int32": torch.int32,
    "int64": torch.int64,
    "bool": torch.bool,
}


def dtype_of(name: str) -> torch.dtype:
    """Returns torch's dtype for Keras's name of it.

    Raises:
        LayerError: There is none.
    """
    if name not in _DTYPES:
        raise LayerError(f"Unknown dtype {name!r}. Expected one of {', '.join(_DTYPES)}.")
    return _DTYPES[name]


def tensor(value: Any, dtype: str | None = None) -> Tensor:
    """Returns a number or nested lists of numbers as a tensor, of float32 unless said; a tensor as it is."""
    if isinstance(value, Tensor | SymbolicTensor):
        given: Any = value
        return given if dtype is None else cast(given, dtype)
    return torch.tensor(value, dtype=dtype_of(dtype or "float32"))


def cast(x: Any, dtype: str) -> Tensor:
    """Converts to a dtype; towards zero from floats to integers."""
    if not isinstance(x, Tensor | SymbolicTensor):
        return tensor(x, dtype)
    made: Tensor = x.to(dtype_of(dtype))
    return made


def zeros_like(x: Tensor, dtype: str | None = None, name: str | None = None) -> Tensor:
    """Zeros of the same shape, and of the same dtype unless another is given; tensors have no names."""
    return torch.zeros_like(x, dtype=None if dtype is None else dtype_of(dtype))


def ones_like(x: Tensor, dtype: str | None = None, name: str | None = None) -> Tensor:
    """Ones of the same shape, and of the same dtype unless another is given; tensors have no names."""
    return torch.ones_like(x, dtype=None if dtype is None else dtype_of(dtype))


def abs(x: Tensor) -> Tensor:
    """``|x|``."""
    return x.abs()


def square(x: Operand) -> Tensor:
    """``x^2``."""
    return tensor(x).square()


def sqrt(x: Operand) -> Tensor:
    """``sqrt(max(x, 0))``."""
    return tensor(x).clamp(min=0).sqrt()


def exp(x: Operand) -> Tensor:
    """``e^x``."""
    return tensor(x).exp()


def log(x: Operand) -> Tensor:
    """The natural logarithm."""
    return tensor(x).log()


def sin(x: Operand) -> Tensor:
    """The sine."""
    return tensor(x).sin()


def cos(x: Operand) -> Tensor:
    """The cosine."""
    return tensor(x).cos()


def round(x: Operand) -> Tensor:
    """To the nearest integer, halves to the even one."""
    return tensor(x).round()


def sign(x: Operand) -> Tensor:
    """-1, 0 or 1."""
    return tensor(x).sign()


def pow(x: Operand, a: Operand) -> Tensor:
    """``x^a``."""
    return torch.pow(tensor(x), a)


def clip(x: Tensor, min_value: float, max_value: float | None) -> Tensor:
    """``min(max(x, min_value), max_value)``."""
    if max_value is not None and max_value < min_value:
        max_value = min_value
    return x.clamp(min_value, max_value)


def _pair(x: Operand, y: Operand) -> tuple[Tensor, Tensor]:
    """Returns both as tensors; a number becomes one of the other's dtype."""
    if isinstance(x, SymbolicTensor) or isinstance(y, SymbolicTensor):
        return tensor(x), tensor(y)
    like = x if isinstance(x, Tensor) else tensor(y)
    return torch.as_tensor(x, dtype=like.dtype, device=like.device) if not isinstance(x, Tensor) else x, (
        y if isinstance(y, Tensor) else torch.as_tensor(y, dtype=like.dtype, device=like.device)
    )


def maximum(x: Operand, y: Operand) -> Tensor:
    """The larger one; where equal, gradients go to the first, as in TensorFlow."""
    a, b = _pair(x, y)
    return torch.where(a >= b, a, b)


def minimum(x: Operand, y: Operand) -> Tensor:
    """The smaller one; where equal, gradients go to the first, as in TensorFlow."""
    a, b = _pair(x, y)
    return torch.where(a <= b, a, b)


def equal(x: Operand, y: Operand) -> Tensor:
    """Where ``x == y``."""
    return torch.eq(tensor(x), y)


def not_equal(x: Operand, y: Operand) -> Tensor:
    """Where ``x != y``."""
    return torch.ne(tensor(x), y)


def greater(x: Operand, y: Operand) -> Tensor:
    """Where ``x > y``."""
    return torch.gt(tensor(x), y)


def greater_equal(x: Operand, y: Operand) -> Tensor:
    """Where ``x >= y``."""
    return torch.ge(tensor(x), y)


def lesser(x: Operand, y: Operand) -> Tensor:
    """Where ``x < y``."""
    return torch.lt(tensor(x), y)


def lesser_equal(x: Operand, y: Operand) -> Tensor:
    """Where ``x <= y``."""
    return torch.le(tensor(x), y)


def softmax(x: Tensor) -> Tensor:
    """Softmax over the last axis, of any rank."""
    return torch.softmax(x, dim=-1)
