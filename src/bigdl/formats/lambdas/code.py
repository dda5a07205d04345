"""The Python functions that Lambda layers hold in Keras 1.x files, as plain data.

Keras stores a function as CPython's marshalled bytes, read as text. They are parsed here, within bounds, and never
handed to ``marshal``: nothing live comes out. Read are the code objects of CPython 2.7 and 3.3 to 3.7.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bigdl.errors import FormatError

_MAX_BYTES = 2**20
_MAX_DEPTH = 40
_MAX_DIGITS = 100
_REFERENCED = 0x80
_VARIADIC = 0x04 | 0x08

Major = Literal[2, 3]


@dataclass(frozen=True, slots=True)
class Code:
    """A function's code; what CPython keeps of it, as far as it says what the function does.

    Attributes:
        name: The function's name, ``<lambda>`` for most.
        arguments: The names of its arguments.
        variadic: Whether it also takes ``*args`` or ``**kwargs``.
        bytecode: The instructions.
        constants: Numbers, strings, tuples, None, ..., and the ``Code`` of functions inside it.
        names: The globals, attributes and modules it names.
        variables: Its arguments and local variables.
        cells: The variables it shares with functions inside it, then ``free``.
        free: The variables it takes from a function around it; Keras stores their values as its closure.
        filename: The file it was written in.
        line: The line there.
        major: The Python it was compiled by, 2 or 3.
    """

    name: str
    arguments: tuple[str, ...]
    variadic: bool
    bytecode: bytes
    constants: tuple[Any, ...]
    names: tuple[str, ...]
    variables: tuple[str, ...]
    cells: tuple[str, ...]
    free: tuple[str, ...]
    filename: str
    line: int
    major: Major


def read_code(text: str, where: str) -> Code:
    """Reads the text that Keras made of a function's code.

    Args:
        text: The text.
        where: Whose it is, for messages.

    Raises:
        FormatError: It is no marshalled code object of CPython 2.7 or 3.3 to 3.7.
    """
    if len(text) > _MAX_BYTES:
        raise FormatError(f"{where}: a function of {len(text)} bytes; at most {_MAX_BYTES} are read.")
    data = text.encode("raw_unicode_escape", "replace")
    problems = []
    majors: tuple[Major, ...] = (2, 3)
    for major in majors:
        try:
            return _Reader(data, major).code()
        except (ValueError, IndexError, OverflowError) as error:
            problems.append(f"as Python {major}: {error}")
    raise FormatError(f"{where}: this is no function of CPython 2.7 or 3.3 to 3.7 ({'; '.join(problems)}).")


class _Reader:
    """Reads one marshalled object.

    Args:
        data: The bytes.
        major: The Python that wrote them; 2 and 3 differ in what a string is and in the fields of code objects.
    """

    def __init__(self, data: bytes, major: Major) -> None:
        self.data = data
        self.major: Major = major
        self.place = 0
        self.depth = 0
        self.references: list[Any] = []
        self.interned: list[str] = []

    def code(self) -> Code:
        value = self.value()
        if not isinstance(value, Code):
            raise ValueError(f"a {type(value).__name__} instead of a function")
        if self.place != len(self.data):
            raise ValueError(f"{len(self.data) - self.place} bytes too many")
        return value

    def take(self, size: int) -> bytes:
        if not 0 <= size <= len(self.data) - self.place:
            raise ValueError("it ends too early")
        self.place += size
        return self.data[self.place - size : self.place]

    def int8(self) -> int:
        return self.take(1)[0]

    def int32(self) -> int:
        return int.from_bytes(self.take(4), "little", signed=True)

    def value(self) -> Any:
        kind = self.int8()
        index = None
        if self.major == 3 and kind & _REFERENCED:
            kind &= ~_REFERENCED
            index = len(self.references)
            self.references.append(None)
        if chr(kind) not in _KINDS:
            raise ValueError(f"an unknown kind of value {chr(kind)!r}")
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise ValueError(f"nested more than {_MAX_DEPTH} deep")
        value = _KINDS[chr(kind)](self)
        self.depth -= 1
        if index is not None:
            self.references[index] = value
        return value

    def items(self, size: int) -> tuple[Any, ...]:
        if not 0 <= size <= len(self.data) - self.place:
            raise ValueError("it ends too early")
        return tuple(self.value() for _ in range(size))

    def string(self) -> str | bytes:
        """Reads what is text in Python 2 and bytes in Python 3."""
        data = self.take(self.int32())
        return data.decode("latin-1") if self.major == 2 else data

    def interned_string(self) -> str:
        text = self.take(self.int32()).decode("latin-1")
        self.interned.append(text)
        return text

    def long(self) -> int:
        size = self.int32()
        if abs(size) > _MAX_DIGITS:
            raise ValueError(f"a whole number of {abs(size)} digits")
        digits: tuple[int, ...] = struct.unpack(f"<{abs(size)}H", self.take(2 * abs(size)))
        number = sum(digit << (15 * i) for i, digit in enumerate(digits))
        return -number if size < 0 else number

    def double(self) -> float:
        number: float = struct.unpack("<d", self.take(8))[0]
        return number

    def function(self) -> Code:
        count = self.int32()
        if self.major == 3:
            count += self.int32()
        self.take(8)  # the number of variables and the depth of the stack
        flags = self.int32()
        bytecode = self.value()
        constants = _checked(self.value(), tuple)
        names, variables, free, cells = (_names(self.value()) for _ in range(4))
        filename, name = _checked(self.value(), str), _checked(self.value(), str)
        line = self.int32()
        self.value()  # the table of line numbers
        if not 0 <= count <= len(variables):
            raise ValueError(f"{count} arguments among {len(variables)} variables")
        return Code(
            name=name,
            arguments=variables[:count],
            variadic=bool(flags & _VARIADIC),
            bytecode=bytecode.encode("latin-1") if isinstance(bytecode, str) else _checked(bytecode, bytes),
            constants=constants,
            names=names,
            variables=variables,
            cells=cells + free,
            free=free,
            filename=filename,
            line=line,
            major=self.major,
        )


def _checked(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"a {type(value).__name__} where a {kind.__name__} belongs")
    return value


def _names(value: Any) -> tuple[str, ...]:
    return tuple(_checked(name, str) for name in _checked(value, tuple))


_KINDS: Mapping[str, Callable[[_Reader], Any]] = {
    "N": lambda r: None,
    "F": lambda r: False,
    "T": lambda r: True,
    ".": lambda r: Ellipsis,
    "i": _Reader.int32,
    "I": lambda r: int.from_bytes(r.take(8), "little", signed=True),
    "l": _Reader.long,
    "f": lambda r: float(r.take(r.int8())),
    "g": _Reader.double,
    "x": lambda r: complex(float(r.take(r.int8())), float(r.take(r.int8()))),
    "y": lambda r: complex(r.double(), r.double()),
    "s": _Reader.string,
    "t": _Reader.interned_string,
    "R": lambda r: r.interned[r.int32()],
    "u": lambda r: r.take(r.int32()).decode("utf-8", "surrogatepass"),
    "a": lambda r: r.take(r.int32()).decode("latin-1"),
    "A": lambda r: r.take(r.int32()).decode("latin-1"),
    "z": lambda r: r.take(r.int8()).decode("latin-1"),
    "Z": lambda r: r.take(r.int8()).decode("latin-1"),
    "r": lambda r: r.references[r.int32()],
    "(": lambda r: r.items(r.int32()),
    ")": lambda r: r.items(r.int8()),
    "[": lambda r: list(r.items(r.int32())),
    "<": lambda r: r.items(r.int32()),
    ">": lambda r: r.items(r.int32()),
    "c": _Reader.function,
}
