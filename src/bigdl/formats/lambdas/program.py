"""What a function of one input computes, as a list of steps: data that other rooms can carry out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Ref:
    """A value that is known when data flows: 0 is the input, n the result of step n - 1."""

    place: int


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice with any of its ends."""

    start: Any
    stop: Any
    step: Any


@dataclass(frozen=True, slots=True)
class Step:
    """One call.

    Attributes:
        function: What is called, e.g. ``"operator.add"``, ``"K.mean"``, ``"method.reshape"``, ``"attribute.shape"``.
        arguments: Plain values, ``Ref``, ``Slice``, and tuples and lists of them.
        keywords: Those given by name.
    """

    function: str
    arguments: tuple[Any, ...]
    keywords: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Program:
    """What a function of one input computes.

    Attributes:
        steps: The calls, in order.
        result: What it returns, made of the input and the steps' results.
    """

    steps: tuple[Step, ...]
    result: Any
