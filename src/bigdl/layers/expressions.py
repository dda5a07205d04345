"""Carries out what has been understood of a file's functions, on torch tensors.

Only what stands in ``FUNCTIONS`` can be called. Operators work on tensors and single numbers and on nothing else.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from bigdl.errors import LayerError
from bigdl.graph.user_functions import subscript
from bigdl.layers import activations, backend
from bigdl.layers.backend import arrays, elementwise, reductions
from bigdl.layers.settings import epsilon
from bigdl.layers.tensorflow_names import TENSORFLOW
from bigdl.registry.functions import Program, Ref, Slice, compute

MOST_VALUES = 2**28
"""How many values a function may make of a small batch; a file must not take all memory."""

_TENSOR_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "divide_2": lambda a, b: torch.div(a, b, rounding_mode="floor") if _whole(a) and _whole(b) else a / b,
    "floor_divide": operator.floordiv,
    "modulo": operator.mod,
    "power": operator.pow,
    "matmul": operator.matmul,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
}


def _whole(value: Tensor | float) -> bool:
    return not value.is_floating_point() if isinstance(value, Tensor) else isinstance(value, int)


def _operation(name: str) -> Callable[[Any, Any], Any]:
    def apply(a: Any, b: Any) -> Any:
        if not isinstance(a, Tensor | int | float) or not isinstance(b, Tensor | int | float):
            raise LayerError(f"{name} needs tensors or numbers. Received: {type(a).__name__}, {type(b).__name__}.")
        if isinstance(a, Tensor) or isinstance(b, Tensor):
            return _TENSOR_OPERATORS[name](a, b)
        return compute(name, a, b)

    return apply


def _item(x: Any, index: Any) -> Any:
    """Returns an item or a slice of a tensor, a tuple or a list."""
    if isinstance(x, Tensor):
        return subscript(x, index)
    if not isinstance(x, tuple | list) or not isinstance(index, int | slice):
        raise LayerError(f"An item {index!r} of a {type(x).__name__} is not understood.")
    return x[index]


def _of_sequence(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Returns a function of a tuple or list; taken apart, a tensor could become any number of values."""

    def apply(items: Any) -> Any:
        if not isinstance(items, tuple | list):
            raise LayerError(f"a tuple or list is needed. Received: {type(items).__name__}.")
        return function(items)

    return apply


def _array(value: Any, dtype: str | None = None) -> Tensor:
    return backend.tensor(value, dtype)


def _reshape(x: Tensor, *shape: Any) -> Tensor:
    return x.reshape(*shape)


def _transpose(x: Tensor, *axes: Any) -> Tensor:
    return x.permute(*(axes or reversed(range(x.dim()))))


def _public_functions(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, value in vars(module).items():
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_"):
            yield name, value


# Modules all of whose functions compute values of values and do nothing else.
_PURE = (arrays, elementwise, reductions)
_ACTIVATIONS = ("elu", "hard_sigmoid", "relu", "sigmoid", "softplus", "softsign", "tanh")

FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **{f"operator.{name}": _operation(name) for name in _TENSOR_OPERATORS},
    "operator.getitem": _item,
    **{f"K.{name}": function for module in _PURE for name, function in _public_functions(module)},
    **{f"K.{name}": getattr(activations, name) for name in _ACTIVATIONS},
    "K.softmax": elementwise.softmax,  # of any rank, other than the activation
    "K.epsilon": epsilon,
    "K.variable": _array,
    "K.constant": _array,
    "K.shape": lambda x: tuple(x.shape),
    "K.int_shape": lambda x: tuple(x.shape),
    "K.ndim": lambda x: x.dim(),
    **{f"tf.{name}": function for name, function in TENSORFLOW.items()},
    **{f"np.{name}": _array for name in ("array", "asarray", "float32")},
    **{f"{module}.sqrt": backend.sqrt for module in ("np", "math")},
    "attribute.shape": lambda x: tuple(x.shape),
    "attribute.ndim": lambda x: x.dim(),
    "attribute.T": backend.transpose,
    "attribute.value": lambda x: x,  # of a length, in TensorFlow
    "method.get_shape": lambda x: tuple(x.shape),
    "method.as_list": _of_sequence(list),
    "method.reshape": _reshape,
    "method.transpose": _transpose,
    "method.astype": backend.cast,
    **{f"method.{name}": getattr(backend, name) for name in ("max", "mean", "min", "prod", "std", "sum", "var")},
    "builtins.abs": operator.abs,
    "builtins.float": float,
    "builtins.int": int,
    "builtins.len": len,
    "builtins.list": _of_sequence(list),
    "builtins.slice": slice,
    "builtins.sum": _of_sequence(sum),
    "builtins.tuple": _of_sequence(tuple),
}


class Expression:
    """A function of one input, made of steps.

    Args:
        program: The steps; the values of its other arguments are in them.
    """

    def __init__(self, program: Program) -> None:
        self.program = program

    @property
    def keeps_shape(self) -> bool:
        """Whether it plainly computes with its input, a tensor, and numbers, so that the result has the same shape."""
        steps = self.program.steps
        plain = all(step.function in _ARITHMETIC and all(map(_is_plain, step.arguments)) for step in steps)
        return plain and isinstance(self.program.result, Ref)

    def __call__(self, x: Any, **bound: Any) -> Any:
        """Computes the result.

        Args:
            x: A tensor, or a list of tensors.
            bound: Arguments whose values are in the steps already.

        Raises:
            LayerError: It would make far more values than it is given.
        """
        values, size = [x], 0
        with torch.device(x.device if isinstance(x, Tensor) else x[0].device):  # for the constants of the function
            for step in self.program.steps:
                arguments = [_resolved(value, values) for value in step.arguments]
                keywords = {key: _resolved(value, values) for key, value in step.keywords.items()}
                value = FUNCTIONS[step.function](*arguments, **keywords)
                values.append(value)
                size += value.numel() if isinstance(value, Tensor) and value.is_meta else 0
                if size > MOST_VALUES:
                    raise LayerError(f"it makes more than {MOST_VALUES} values")
        return _resolved(self.program.result, values)


_ARITHMETIC = {f"operator.{name}" for name in ("add", "subtract", "multiply", "divide", "power")}


def _is_plain(argument: Any) -> bool:
    return isinstance(argument, Ref | int | float)


def _resolved(value: Any, values: list[Any]) -> Any:
    """Returns a step's argument with the results of earlier steps in their places."""
    if isinstance(value, Ref):
        return values[value.place]
    if isinstance(value, Slice):
        return slice(*(_resolved(part, values) for part in (value.start, value.stop, value.step)))
    if isinstance(value, tuple | list):
        items = [_resolved(item, values) for item in value]
        return items if isinstance(value, list) else tuple(items)
    return value
