"""A stack machine on symbols: what it is told to compute from the input it notes as steps."""

import operator
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from bigdl.formats.lambdas.arithmetic import compute
from bigdl.formats.lambdas.bytecode import Bytecode
from bigdl.formats.lambdas.program import Program, Ref, Slice, Step
from bigdl.formats.lambdas.values import (
    DTYPES,
    Attribute,
    Name,
    NotUnderstoodError,
    is_number,
    is_plain,
    number_range,
    plain,
    small,
)

_MOST_STEPS = 300

_ORDERS = {"<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal"}
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda a, b: a in b,
    "not in": lambda a, b: a not in b,
}


class Machine:
    """The state of a function that is followed, and what its operations do to it."""

    def __init__(
        self,
        bytecode: Bytecode,
        variables: dict[str, Any],
        cells: Mapping[str, Any],
        known: Container[str],
        facts: Mapping[str, Any],
    ) -> None:
        self.python = bytecode.python
        self.places = {instruction.offset: i for i, instruction in enumerate(bytecode.instructions)}
        self.variables = variables
        self.cells = cells
        self.known = known
        self.facts = facts
        self.stack: list[Any] = []
        self.blocks: list[tuple[int, int]] = []
        self.steps: list[Step] = []
        self.next = 0

    def push(self, *values: Any) -> None:
        """Puts values on the stack."""
        self.stack.extend(values)

    def pops(self, count: int) -> list[Any]:
        """Takes the last values off the stack, in the order in which they were put there."""
        if not 0 <= count <= len(self.stack):
            raise NotUnderstoodError("its instructions do not fit together")
        cut = len(self.stack) - count
        values = self.stack[cut:]
        del self.stack[cut:]
        return values

    def pop(self) -> Any:
        """Takes the last value off the stack."""
        return self.pops(1)[0]

    def jump(self, offset: int) -> None:
        """Goes on at an offset."""
        self.next = self.places[offset]

    def emit(self, function: str, arguments: Sequence[Any], keywords: Mapping[str, Any] | None = None) -> Ref:
        """Notes a step; its result is known when data flows."""
        if function not in self.known:
            raise NotUnderstoodError(f"it uses {function}")
        step = Step(
            function,
            tuple(self.usable(value) for value in arguments),
            {key: self.usable(value) for key, value in (keywords or {}).items()},
        )
        if len(self.steps) >= _MOST_STEPS:
            raise NotUnderstoodError(f"it takes more than {_MOST_STEPS} steps")
        self.steps.append(step)
        return Ref(len(self.steps))

    def usable(self, value: Any) -> Any:
        """Returns a value as a step takes it."""
        if isinstance(value, Attribute):
            return self.emit(f"attribute.{value.name}", [value.owner])
        if isinstance(value, Slice):
            return Slice(self.usable(value.start), self.usable(value.stop), self.usable(value.step))
        if isinstance(value, tuple | list):
            items = [self.usable(item) for item in value]
            return items if isinstance(value, list) else tuple(items)
        if isinstance(value, Name) and value.path in DTYPES:
            return DTYPES[value.path]
        if isinstance(value, Name):
            raise NotUnderstoodError(f"it uses {value.path} as a value")
        return value if isinstance(value, Ref) else plain(value)

    def binary(self, operation: str, left: Any, right: Any) -> Any:
        """Returns the result of an operator: at once for numbers, else as a step."""
        if is_number(left) and is_number(right):
            try:
                return compute(operation, left, right)
            except ArithmeticError as error:
                raise NotUnderstoodError(f"its own numbers lead nowhere: {error}") from error
        if isinstance(left, tuple | list) and type(left) is type(right) and operation == "add":
            return small(type(left)([*left, *right]))
        return self.emit(f"operator.{operation}", [left, right])

    def subscript(self, owner: Any, index: Any) -> Any:
        """Returns an item or a slice."""
        if isinstance(owner, tuple | list) and isinstance(index, int) and -len(owner) <= index < len(owner):
            return owner[index]
        return self.emit("operator.getitem", [owner, index])

    def compare(self, comparison: str, left: Any, right: Any) -> Any:
        """Returns the result of a comparison."""
        if comparison in ("is", "is not") and right is None:
            return (left is None) == (comparison == "is")
        if comparison in _COMPARE and is_plain(left) and is_plain(right):
            try:
                return _COMPARE[comparison](left, right)
            except TypeError as error:
                raise NotUnderstoodError(f"its own values lead nowhere: {error}") from error
        if comparison in _ORDERS:
            return self.emit(f"operator.{_ORDERS[comparison]}", [left, right])
        raise NotUnderstoodError(f"it compares by {comparison!r}")

    def call(self, callee: Any, arguments: list[Any], keywords: dict[str, Any]) -> Any:
        """Returns the result of a call."""
        if isinstance(callee, Attribute):
            if isinstance(callee.owner, list) and callee.name == "append":
                return _append(callee.owner, arguments)
            return self.emit(f"method.{callee.name}", [callee.owner, *arguments], keywords)
        if not isinstance(callee, Name):
            raise NotUnderstoodError("it calls what is no function")
        if callee.path in self.facts and not arguments and not keywords:
            return self.facts[callee.path]
        if callee.path in ("builtins.range", "builtins.xrange"):
            return number_range(arguments)
        if callee.path == "builtins.len" and len(arguments) == 1 and isinstance(arguments[0], tuple | list | str):
            return len(arguments[0])
        return self.emit(callee.path, arguments, keywords)

    def returned(self) -> Program:
        """Returns what has been noted, with the last value as the result."""
        return Program(tuple(self.steps), self.usable(self.pop()))

    def truth(self, value: Any) -> bool:
        """Returns which way a branch goes."""
        if not is_plain(value):
            raise NotUnderstoodError("it branches on what data decides")
        return bool(value)


def _append(items: list[Any], arguments: Sequence[Any]) -> None:
    if len(arguments) != 1 or isinstance(arguments[0], tuple | list):
        raise NotUnderstoodError("it appends lists to lists")
    items.append(arguments[0])
    small(items)
