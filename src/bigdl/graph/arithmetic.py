"""Computing with tensors of a graph: operators, and torch's functions and methods.

What comes out is a tensor of the graph again, made by an ``Operation``. Only while a loss is computed, inside
``known_values``, the tensors stand for what the model has just computed.
"""

from __future__ import annotations

import contextlib
import functools
import operator
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import torch

from bigdl.graph.user_functions import operand, subscript

if TYPE_CHECKING:
    from bigdl.graph.tensor import SymbolicTensor

Values = dict["SymbolicTensor", Any]

_values: ContextVar[Values | None] = ContextVar("values", default=None)


@contextlib.contextmanager
def known_values(record: bool = True) -> Iterator[Values | None]:
    """Notes what models compute inside the block, so that functions can use the tensors of their graphs.

    Args:
        record: Whether to; without it nothing is kept.
    """
    values: Values | None = {} if record else None
    token = _values.set(values)
    try:
        yield values
    finally:
        _values.reset(token)


def recorded() -> Values | None:
    """Returns where values are noted, None where they are not."""
    return _values.get()


def operate(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Applies a function of torch tensors to arguments among which are tensors of a graph.

    Args:
        function: The function.
        args: Its arguments; tensors of a graph may also be in lists, tuples and dicts.
        kwargs: Its arguments by name.

    Returns:
        A tensor of the graph, or several; of torch where all values are known.
    """
    from bigdl.graph.operation import Operation, replaced, symbolic_tensors

    inputs = symbolic_tensors((args, dict(kwargs)))
    values = recorded()
    if values is not None and all(tensor in values for tensor in inputs):
        args, kwargs = replaced((args, dict(kwargs)), values)
        return function(*args, **kwargs)
    return Operation(function, args, kwargs)(inputs if len(inputs) > 1 else inputs[0])


def _binary(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: operate(function, (self, operand(other)), {})


def _reflected(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: operate(function, (operand(other), self), {})


class Arithmetic:
    """What makes tensors of a graph work like torch's; ``==`` compares identities."""

    __slots__ = ()
    __array_ufunc__ = None  # NumPy leaves operators to this class

    __add__, __radd__ = _binary(operator.add), _reflected(operator.add)
    __sub__, __rsub__ = _binary(operator.sub), _reflected(operator.sub)
    __mul__, __rmul__ = _binary(operator.mul), _reflected(operator.mul)
    __truediv__, __rtruediv__ = _binary(operator.truediv), _reflected(operator.truediv)
    __floordiv__, __mod__ = _binary(operator.floordiv), _binary(operator.mod)
    __pow__, __rpow__ = _binary(operator.pow), _reflected(operator.pow)
    __matmul__, __rmatmul__ = _binary(operator.matmul), _reflected(operator.matmul)
    __lt__, __le__ = _binary(operator.lt), _binary(operator.le)
    __gt__, __ge__ = _binary(operator.gt), _binary(operator.ge)
    __getitem__ = _binary(subscript)

    def __neg__(self) -> Any:
        return operate(operator.neg, (self,), {})

    def __abs__(self) -> Any:
        return operate(operator.abs, (self,), {})

    def __getattr__(self, name: str) -> Any:
        method = None if name.startswith("_") else getattr(torch.Tensor, name, None)
        if not callable(method):
            raise AttributeError(f"A tensor of a graph has no attribute {name!r}.")
        return functools.partial(_method, method, self)

    @classmethod
    def __torch_function__(
        cls, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Takes a call of one of torch's functions."""
        return operate(function, args, kwargs or {})


def _method(method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return operate(method, args, kwargs)
