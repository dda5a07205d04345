"""Functions with gradients written by hand, with torch's record of them or without."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Protocol

import torch
from torch import Tensor


class Caller(Protocol):
    """Calls functions in place of torch."""

    def __call__(self, function: Any, arguments: Sequence[Any]) -> Any:
        """Returns what a ``torch.autograd.Function`` makes of its arguments."""


_caller: ContextVar[Caller | None] = ContextVar("caller", default=None)


@contextlib.contextmanager
def caller_set(caller: Caller) -> Iterator[None]:
    """Lets a caller call our functions, for the time of the ``with`` block."""
    token = _caller.set(caller)
    try:
        yield
    finally:
        _caller.reset(token)


class NotByHandError(Exception):
    """A layer computes something else than it did in the steps before."""


def calling(function: type[torch.autograd.Function]) -> Callable[..., Any]:
    """Returns what calls a function: by torch's record, or by the caller that has been set.

    Args:
        function: The function; its arguments are all that it takes and has gradients for.
    """
    apply: Callable[..., Any] = function.apply

    def call(*arguments: Any) -> Any:
        caller = _caller.get()
        return apply(*arguments) if caller is None else caller(function, arguments)

    return call


class Context:
    """What a function keeps for its gradient: of torch's context as much as ours use.

    Attributes:
        needs_input_grad: Whether the gradient by each argument is wanted.
        saved_tensors: What was saved.
    """

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self.saved_tensors: tuple[Tensor | None, ...] = ()

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Saves tensors."""
        self.saved_tensors = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Does nothing: only the first result is asked for its gradient."""

    def set_materialize_grads(self, value: bool) -> None:
        """Does nothing: the gradients of other results are None."""


class Watch:
    """Notes which functions are called, by torch's record."""

    def __init__(self) -> None:
        self.calls: list[tuple[Sequence[Any], Any]] = []

    def __call__(self, function: Any, arguments: Sequence[Any]) -> Any:
        """Calls a function."""
        results = function.apply(*arguments)
        self.calls.append((arguments, results))
        return results

    def is_one_function(self, inputs: Sequence[Tensor], y: Any) -> bool:
        """Whether all that was differentiable since the last question was one function of the inputs, and made ``y``.

        Args:
            inputs: What was taken.
            y: What came of it.
        """
        calls, self.calls = self.calls, []
        if len(calls) != 1:
            return False
        arguments, results = calls[0]
        own = [id(x) for x in inputs]
        tensors = [one for one in arguments if isinstance(one, Tensor)]
        if y is not first(results) or len({*map(id, tensors)}) < len(tensors):
            return False
        others = [one for one in tensors if id(one) not in own]
        return len(others) == len(tensors) - len(own) and all(one.is_leaf for one in others if one.requires_grad)


def first(results: Any) -> Any:
    """Returns the first of a function's results, or its only one."""
    return results[0] if isinstance(results, tuple) else results


class HandCall:
    """One call without torch's record, and its gradients.

    Args:
        inputs: The values that it may be differentiated by, each with whether that is wanted.
        numbers: The numbers of the weights that it may be differentiated by, by their identity.
    """

    def __init__(self, inputs: Sequence[tuple[Tensor, bool]], numbers: Mapping[int, int]) -> None:
        self._wanted = {id(x): wanted for x, wanted in inputs}
        self._inputs = [id(x) for x, _ in inputs]
        self._numbers = numbers
        self.results: Any = None
        self.times = 0

    def __call__(self, function: Any, arguments: Sequence[Any]) -> Any:
        """Calls the function."""
        self.times += 1
        wanted, numbers = self._wanted, self._numbers
        known = [*map(id, arguments)]
        if any(key not in known for key in self._inputs):
            raise NotByHandError
        needs = tuple([wanted.get(key, key in numbers) for key in known])
        self._function, self._arguments, self._context = function, arguments, Context(needs)
        with torch.no_grad():
            self.results = function.forward(self._context, *arguments)
        return self.results

    def gradients(self, of_y: Tensor) -> tuple[list[Tensor | None], list[tuple[int, Tensor]]]:
        """Returns the gradients by the inputs, and the numbers of the weights with those by them.

        Args:
            of_y: The gradient of the first result.
        """
        beside = [None] * (len(self.results) - 1) if isinstance(self.results, tuple) else ()
        found = self._function.backward(self._context, of_y, *beside)
        pairs = zip(self._arguments, found if isinstance(found, tuple) else (found,), strict=False)
        by_inputs: dict[int, Tensor] = {}
        by_weights: list[tuple[int, Tensor]] = []
        for argument, gradient in pairs:
            if gradient is None:
                continue
            if id(argument) in self._wanted:
                by_inputs[id(argument)] = gradient
            elif id(argument) in self._numbers:
                by_weights.append((self._numbers[id(argument)], gradient))
        return [by_inputs.get(key) for key in self._inputs], by_weights
