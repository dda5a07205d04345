"""Functions that users wrote for Keras, run so that tensors behave in them as TensorFlow's do.

There ``x /= 255.`` makes another tensor and leaves the one that others hold alone, an array of NumPy may stand beside a
tensor, and slices may run backwards.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from types import MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor
from torch.overrides import TorchFunctionMode


def call_user(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Calls a function, an object or a method that may be a user's; the library's own are called as they are.

    Args:
        function: What is called.
        args: Its arguments; tensors may also be in lists and tuples.
        kwargs: Its arguments by name.

    Returns:
        What it returns, with ordinary tensors of torch.
    """
    if _is_library(function):
        return function(*args, **kwargs)
    with _UserTensors():
        made = function(*map(_lent, args), **{key: _lent(value) for key, value in kwargs.items()})
    return _returned(made)


def user_function(function: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a function that may be a user's as one to be called like any other; see ``call_user``."""
    if _is_library(function):
        return function

    @functools.wraps(function, updated=())  # also of objects, which may have no __dict__
    def call(*args: Any, **kwargs: Any) -> Any:
        return call_user(function, *args, **kwargs)

    return call


def _is_library(function: Callable[..., Any]) -> bool:
    known = type(function.__self__) if isinstance(function, MethodType) else function  # of a method, whose it is
    return str(getattr(known, "__module__", "")).startswith("bigdl.")


def subscript(x: Tensor, index: Any) -> Tensor:
    """Returns an item or a slice of a tensor as NumPy and TensorFlow do, also with steps backwards.

    Args:
        x: The tensor.
        index: A number, a slice, None, an ellipsis, a tensor, or a tuple of these.
    """
    parts = list(index) if isinstance(index, tuple) else [index]
    if not any(isinstance(part, slice) and part.step is not None and part.step < 0 for part in parts):
        return Tensor.__getitem__(x, index)
    axes = sum(part is not None and part is not Ellipsis for part in parts)
    place = next((i for i, part in enumerate(parts) if part is Ellipsis), None)
    if place is not None:
        parts[place : place + 1] = [slice(None)] * (x.dim() - axes)
    axis = 0
    for i, part in enumerate(parts):
        if isinstance(part, slice) and part.step is not None and part.step < 0:
            order = range(x.shape[axis])[part]
            first = torch.arange(len(order), device=x.device)
            x = x.index_select(axis, order.start + order.step * first)
            parts[i] = slice(None)
        axis += part is not None
    return Tensor.__getitem__(x, tuple(parts))


def operand(value: Any) -> Any:
    """Returns what stands beside a tensor in a form that torch takes: floats of an array in the default dtype."""
    if isinstance(value, np.ndarray):
        return torch.as_tensor(value, dtype=torch.get_default_dtype() if value.dtype.kind == "f" else None)
    return value.item() if isinstance(value, np.generic) else value


class Lengths(tuple[int | None, ...]):
    """A shape as TensorFlow gives it."""

    __slots__ = ()

    def as_list(self) -> list[int | None]:
        """Returns the lengths as a list."""
        return list(self)


class _UserTensor(Tensor):
    """A tensor while a user's function holds it."""

    # As torch wants it said: what is computed from it is an ordinary tensor, unless _UserTensors is at work.
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    __getitem__ = subscript

    def get_shape(self) -> Lengths:
        """Returns the shape; TensorFlow's name."""
        return Lengths(self.shape)


class _UserFakeTensor(FakeTensor):
    """The same of what stands for a tensor where torch follows a function, for an export."""

    __getitem__ = subscript
    get_shape = _UserTensor.get_shape


def _with_operand(name: str) -> Callable[[Tensor, Any], Any]:
    method = getattr(Tensor, name)

    def apply(self: Tensor, other: Any) -> Any:
        return method(self, operand(other))

    apply.__name__ = name
    return apply


for _kind in (_UserTensor, _UserFakeTensor):
    for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"):
        setattr(_kind, f"__{_name}__", _with_operand(f"__{_name}__"))
        setattr(_kind, f"__r{_name}__", _with_operand(f"__r{_name}__"))
        setattr(_kind, f"__i{_name}__", _with_operand(f"__{_name}__"))  # as TensorFlow: nothing changes in place
    for _name in ("lt", "le", "gt", "ge"):
        setattr(_kind, f"__{_name}__", _with_operand(f"__{_name}__"))


class _UserTensors(TorchFunctionMode):
    """Makes whatever torch computes a ``_UserTensor``."""

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        made = function(*args, **(kwargs or {}))
        for item in made if isinstance(made, tuple | list) else (made,):
            if type(item) in (Tensor, FakeTensor) and not any(item is arg for arg in args):
                item.__class__ = _UserTensor if type(item) is Tensor else _UserFakeTensor
        return made


def _lent(value: Any) -> Any:
    """Returns an argument as the user's function gets it; other kinds of tensors as they are."""
    if type(value) is FakeTensor:
        value = torch.ops.aten.alias.default(value)  # the caller's stays what it is
        value.__class__ = _UserFakeTensor
    elif type(value) in (Tensor, nn.Parameter):
        return value.as_subclass(_UserTensor)
    return type(value)(map(_lent, value)) if type(value) in (list, tuple) else value


def _returned(value: Any) -> Any:
    if isinstance(value, _UserTensor):
        return value.as_subclass(Tensor)
    if isinstance(value, _UserFakeTensor):
        value.__class__ = FakeTensor  # type: ignore[assignment]
    if isinstance(value, Mapping):
        return {key: _returned(item) for key, item in value.items()}
    return type(value)(map(_returned, value)) if type(value) in (list, tuple) else value
