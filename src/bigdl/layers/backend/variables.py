"""Tensors with values of their own, and what is known of a tensor: shape, rank, dtype.

A variable of Keras is a torch tensor here, and has its value at once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bigdl.errors import LayerError
from bigdl.graph import Shape, SymbolicTensor, Weight
from bigdl.graph.phase import is_training
from bigdl.layers.backend.elementwise import dtype_of
from bigdl.layers.settings import floatx

Array = NDArray[Any]
Value = Any
"""What has a value that can be read and written: tensors, a layer's weights, the numbers of an optimizer (arrays)."""


def variable(value: Any, dtype: str | None = None, name: str | None = None) -> Tensor:
    """Returns a new tensor.

    Args:
        value: Its value: an array, a number, nested lists, or a tensor, which is copied.
        dtype: Its dtype; ``floatx()`` by default.
        name: Keras's argument; tensors have no names.
    """
    if isinstance(value, Tensor):
        return value.detach().clone().to(dtype_of(dtype or floatx()))
    return torch.from_numpy(np.array(value)).to(dtype_of(dtype or floatx()))


def zeros(shape: Sequence[int], dtype: str | None = None, name: str | None = None) -> Tensor:
    """Returns a new tensor of zeros."""
    return torch.zeros(tuple(shape), dtype=dtype_of(dtype or floatx()))


def ones(shape: Sequence[int], dtype: str | None = None, name: str | None = None) -> Tensor:
    """Returns a new tensor of ones."""
    return torch.ones(tuple(shape), dtype=dtype_of(dtype or floatx()))


def eye(size: int, dtype: str | None = None, name: str | None = None) -> Tensor:
    """Returns a new identity matrix."""
    return torch.eye(size, dtype=dtype_of(dtype or floatx()))


def eval(x: Value) -> Array:
    """Returns the value of a tensor; see ``get_value``."""
    return get_value(x)


def get_value(x: Value) -> Array:
    """Returns the value of a tensor, a weight, or a number of an optimizer: a new array, or a number of NumPy.

    Raises:
        LayerError: It is a tensor of a graph, which has no value.
    """
    if isinstance(x, SymbolicTensor):
        raise LayerError(
            f"{x} is a tensor of a graph and has no value. Ask for it with K.function(inputs, [tensor])(arrays), or "
            "make a Model of it and predict."
        )
    if isinstance(x, Weight):
        return x.numpy()
    array: Array = np.array(x.detach().cpu().numpy() if isinstance(x, Tensor) else x)
    return array[()]  # a single value as a number


def set_value(x: Value, value: Any) -> None:
    """Writes a value.

    Args:
        x: A tensor, a weight of a layer, or a number of an optimizer (``K.set_value(model.optimizer.lr, 0.01)``).
        value: The value, of the same shape.

    Raises:
        LayerError: The shape differs.
    """
    array = np.asarray(value)
    if tuple(x.shape) != array.shape:
        raise LayerError(f"set_value expects a value of shape {tuple(x.shape)}. Received: shape {array.shape}.")
    if isinstance(x, np.ndarray):
        x[...] = array
    elif isinstance(x, Weight):
        x.assign(torch.from_numpy(np.array(array)))
    else:
        with torch.no_grad():
            x.copy_(torch.from_numpy(np.array(array)))


def batch_get_value(xs: Iterable[Value]) -> list[Array]:
    """Returns the values of several tensors; see ``get_value``."""
    return [get_value(x) for x in xs]


def batch_set_value(tuples: Iterable[tuple[Value, Any]]) -> None:
    """Writes several values.

    Args:
        tuples: Pairs ``(tensor, value)``; see ``set_value``.
    """
    for x, value in tuples:
        set_value(x, value)


def update(x: Tensor, new_x: Tensor | float) -> Tensor:
    """Writes a new value into a tensor, at once, and returns it.

    Inside a layer nothing is written unless it is in training, as Keras runs updates in training only.
    """
    if is_training() is not False:
        with torch.no_grad():
            x.copy_(torch.as_tensor(new_x))
    return x


def update_add(x: Tensor, increment: Tensor | float) -> Tensor:
    """Adds to a tensor's value; see ``update``."""
    return update(x, x.detach() + increment)


def update_sub(x: Tensor, decrement: Tensor | float) -> Tensor:
    """Subtracts from a tensor's value; see ``update``."""
    return update(x, x.detach() - decrement)


def moving_average_update(variable: Tensor, value: Tensor | float, momentum: float) -> Tensor:
    """Makes a tensor's value ``momentum * variable + (1 - momentum) * value``; see ``update``."""
    return update(variable, variable.detach() * momentum + value * (1.0 - momentum))


def shape(x: Tensor | SymbolicTensor) -> Shape:
    """Returns the shape; of a tensor of a graph with None where it is not known."""
    return tuple(x.shape)


def int_shape(x: Tensor | SymbolicTensor | Weight) -> Shape:
    """Returns the shape; of a tensor of a graph with None where it is not known."""
    return tuple(x.shape)


def get_variable_shape(x: Tensor | Weight) -> Shape:
    """Returns the shape."""
    return tuple(x.shape)


def ndim(x: Tensor | SymbolicTensor) -> int:
    """Returns the rank, the batch axis included."""
    return len(x.shape)


def count_params(x: Tensor | Weight) -> int:
    """Returns the number of values."""
    return math.prod(x.shape)


def dtype(x: Tensor | SymbolicTensor | Weight) -> str:
    """Returns Keras's name of the dtype."""
    if isinstance(x, Weight):
        x = x.parameter
    return str(x.dtype).removeprefix("torch.")


def is_keras_tensor(x: Any) -> bool:
    """Tells whether something is a tensor of a graph."""
    return isinstance(x, SymbolicTensor)


def is_sparse(tensor: Any) -> bool:
    """Tells whether a tensor is sparse."""
    return isinstance(tensor, Tensor) and tensor.is_sparse


def to_dense(tensor: Tensor) -> Tensor:
    """Returns a sparse tensor as a dense one, another one as it is."""
    return tensor.to_dense() if is_sparse(tensor) else tensor


def cast_to_floatx(x: Any) -> Array:
    """Returns an array of dtype ``floatx()``."""
    return np.asarray(x, dtype=floatx())


def print_tensor(x: Tensor, message: str = "") -> Tensor:
    """Prints a tensor and returns it."""
    print(message, get_value(x))
    return x
