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
        self._wanted = {id(x): (i, wanted) for i, (x, wanted) in enumerate(inputs)}
        self._numbers = numbers
        self._calls: list[Any] = []

    def __call__(self, function: Any, arguments: Sequence[Any]) -> Any:
        """Calls the function.

        Raises:
            NotByHandError: It does not take all of the inputs.
        """
        keys = [*map(id, arguments)]
        if not self._wanted.keys() <= {*keys}:
            raise NotByHandError
        # By what each argument is: the input's number, the weight's number.
        self._inputs = [(at, *self._wanted[key]) for at, key in enumerate(keys) if key in self._wanted]
        self._weights = [(at, self._numbers[key]) for at, key in enumerate(keys) if key in self._numbers]
        needs = [False] * len(keys)
        for at, _, wanted in self._inputs:
            needs[at] = wanted
        for at, _ in self._weights:
            needs[at] = True
        self._function, self._context = function, Context(tuple(needs))
        with torch.no_grad():
            results = function.forward(self._context, *arguments)
        self._beside = [None] * (len(results) - 1) if isinstance(results, tuple) else ()
        self._calls.append(results)
        return results

    def check(self, y: Any) -> None:
        """Checks that there was one call, and forgets what it has made.

        Args:
            y: What is to be its result.

        Raises:
            NotByHandError: There was another number of calls, or the result is another one.
        """
        if len(self._calls) != 1 or y is not first(self._calls.pop()):
            raise NotByHandError

    def gradients(self, of_y: Tensor) -> tuple[list[Tensor | None], list[tuple[int, Tensor]]]:
        """Returns the gradients by the inputs, and the numbers of the weights with those by them.

        Args:
            of_y: The gradient of the result.
        """
        found = self._function.backward(self._context, of_y, *self._beside)
        if not isinstance(found, tuple):
            found = (found,)
        by_inputs: list[Tensor | None] = [None] * len(self._inputs)
        for at, number, wanted in self._inputs:
            if wanted:
                by_inputs[number] = found[at]
        return by_inputs, [(number, found[at]) for at, number in self._weights if found[at] is not None]
