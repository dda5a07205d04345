"""What the values of a function are while it is followed, and which names from outside mean something."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MOST_ITEMS = 256


class NotUnderstoodError(ValueError):
    """The function does something that cannot be followed; the message says what."""


@dataclass(frozen=True, slots=True)
class Name:
    """Something outside the function: a module, or what a module holds."""

    path: str


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of a value; a method if it is called."""

    owner: Any
    name: str


@dataclass(frozen=True, slots=True)
class Loop:
    """What is left of the items that a loop goes over."""

    items: Iterator[Any]


MODULES: Mapping[str, str] = {
    "K": "K",
    "backend": "K",
    "keras.backend": "K",
    "keras.backend.tensorflow_backend": "K",
    "K.tf": "tf",
    "keras": "keras",
    "math": "math",
    "np": "np",
    "numpy": "np",
    "tensorflow": "tf",
    "tf": "tf",
}
"""Modules by the names that people give them."""

BUILTINS = frozenset({"abs", "float", "int", "len", "list", "range", "slice", "sum", "tuple", "xrange"})

_DTYPES = ("bool", "float16", "float32", "float64", "int32", "int64", "uint8")

DTYPES: Mapping[str, str] = {f"{module}.{dtype}": dtype for module in ("np", "tf") for dtype in _DTYPES}
"""Dtypes as values, by what modules call them; called, they are functions."""

CONSTANTS: Mapping[str, Any] = {
    "math.pi": 3.141592653589793,
    "np.inf": float("inf"),
    "np.newaxis": None,
    "np.pi": 3.141592653589793,
    "tf.newaxis": None,
}
"""What modules hold that is no function."""


def outer(name: str) -> Any:
    """Returns what a global name stands for.

    Raises:
        NotUnderstoodError: It is none that means the same in every file.
    """
    if name in ("None", "True", "False"):  # names in Python 2
        return {"None": None, "True": True, "False": False}[name]
    if name in MODULES:
        return Name(MODULES[name])
    if name in BUILTINS:
        return Name(f"builtins.{name}")
    raise NotUnderstoodError(f"it uses {name!r} from outside, which the file does not hold")


def attribute(owner: Any, name: str) -> Any:
    """Returns an attribute of a value; of a module what it holds."""
    if not isinstance(owner, Name):
        return Attribute(owner, name)
    path = f"{owner.path}.{name}"
    return CONSTANTS[path] if path in CONSTANTS else Name(MODULES.get(path, path))


def plain(value: Any, most: int = MOST_ITEMS) -> Any:
    """Checks a value of the file: numbers, texts, None, and tuples and lists of them.

    Args:
        value: The value.
        most: How many there may be in all.

    Raises:
        NotUnderstoodError: It is something else, or too many.
    """
    if value is None or value is Ellipsis or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list) and len(value) <= most:
        items = [plain(item, most // max(1, len(value))) for item in value]
        return items if isinstance(value, list) else tuple(items)
    raise NotUnderstoodError(f"it uses a value of type {type(value).__name__}")


def is_plain(value: Any) -> bool:
    """Tells whether a value is known in full: nothing of it is decided by data or stands outside."""
    if isinstance(value, tuple | list):
        return all(is_plain(item) for item in value)
    return value is None or value is Ellipsis or isinstance(value, bool | int | float | str)


def is_number(value: Any) -> bool:
    """Tells whether a value is a number that is known."""
    return isinstance(value, int | float)


def small(items: Any) -> Any:
    """Returns a tuple or list that does not hold too much, what it holds in turn included.

    Raises:
        NotUnderstoodError: It does.
    """
    if _size(items) > MOST_ITEMS:
        raise NotUnderstoodError(f"it makes lists of more than {MOST_ITEMS} values")
    return items


def _size(value: Any) -> int:
    return 1 + sum(map(_size, value)) if isinstance(value, tuple | list) else 1


def number_range(arguments: list[Any]) -> list[int]:
    """Returns the numbers of ``range``.

    Raises:
        NotUnderstoodError: Its ends are decided by data, or there are too many.
    """
    if not 1 <= len(arguments) <= 3 or not all(isinstance(value, int) for value in arguments) or 0 in arguments[2:]:
        raise NotUnderstoodError("it loops as often as data decides")
    numbers = range(*arguments)
    if len(numbers) > MOST_ITEMS:
        raise NotUnderstoodError(f"it loops more than {MOST_ITEMS} times")
    return list(numbers)
