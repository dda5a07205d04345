"""Python's arithmetic on single numbers, within bounds: a file's numbers must not take all memory or time."""

import operator
from collections.abc import Callable, Mapping

Number = int | float

_LARGEST = 2**63
_LARGEST_EXPONENT = 64


def _divide_2(a: Number, b: Number) -> Number:
    return a // b if isinstance(a, int) and isinstance(b, int) else a / b


def _power(a: Number, b: Number) -> Number:
    if isinstance(a, int) and isinstance(b, int) and b > _LARGEST_EXPONENT and abs(a) > 1:
        raise OverflowError("too large a power")
    result: Number = a**b
    return result


_OPERATIONS: Mapping[str, Callable[[Number, Number], Number]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "divide": operator.truediv,
    "divide_2": _divide_2,
    "floor_divide": operator.floordiv,
    "modulo": operator.mod,
    "power": _power,
}


def compute(operation: str, a: Number, b: Number) -> Number:
    """Returns the result of an operation on two numbers.

    Args:
        operation: ``"add"``, ``"subtract"``, ``"multiply"``, ``"divide"``, ``"divide_2"`` (Python 2's ``/``),
            ``"floor_divide"``, ``"modulo"`` or ``"power"``.
        a: The first number.
        b: The second number.

    Raises:
        ArithmeticError: There is no result, or it is too large or no real number.
    """
    if operation not in _OPERATIONS:
        raise ArithmeticError(f"no operation {operation!r} on numbers")
    result = _OPERATIONS[operation](a, b)
    if not isinstance(result, int | float) or (isinstance(result, int) and abs(result) > _LARGEST):
        raise OverflowError(f"{operation} of {a} and {b}")
    return result
