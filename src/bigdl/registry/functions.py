"""The functions that Lambda and Merge layers of a file hold: the user's own, or understood from their bytes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bigdl.errors import FormatError, UnsafeModelError, UnsupportedLayerError
from bigdl.formats.lambdas import (
    Bytecode,
    Code,
    NotUnderstoodError,
    disassembly,
    instructions_of,
    read_code,
    understand,
)
from bigdl.formats.lambdas import Program as Program
from bigdl.formats.lambdas import Ref as Ref
from bigdl.formats.lambdas import Slice as Slice
from bigdl.formats.lambdas import compute as compute
from bigdl.registry.objects import custom_object


class FunctionName(str):
    """The name of a live function, as a configuration in memory holds it; in a file only the name is left.

    Attributes:
        function: The function.
    """

    function: Callable[..., Any]

    @classmethod
    def of(cls, function: Callable[..., Any]) -> FunctionName:
        """Returns the name of a function."""
        name = cls(getattr(function, "__name__", type(function).__name__))
        name.function = function
        return name


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the functions of files may use.

    Attributes:
        known: The functions, operators, methods and attributes that can be carried out.
        facts: What calls without arguments return, e.g. ``{"K.epsilon": 1e-7}``.
    """

    known: Container[str]
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredFunction:
    """A function as a file holds it.

    Attributes:
        code: What it is made of.
        bytecode: Its instructions.
        defaults: The values of its last arguments.
        closure: The values of its free variables.
    """

    code: Code
    bytecode: Bytecode
    defaults: tuple[Any, ...] = ()
    closure: tuple[Any, ...] = ()

    def describe(self) -> str:
        """Returns what can be told of it without running it, several lines."""
        python = {"2.7": "Python 2.7", "3.5": "Python 3.5 or before", "3.6": "Python 3.6 or 3.7"}[self.bytecode.python]
        arguments = ", ".join(ascii(name)[1:-1] for name in self.code.arguments)
        name, file = ascii(self.code.name)[1:-1][:60], ascii(self.code.filename)[:200]
        head = f"{name}({arguments}), compiled by {python} from line {self.code.line} of {file}:"
        return f"{head}\n{disassembly(self.code, self.bytecode)}"


def read_function(value: Any, where: str) -> StoredFunction:
    """Reads a function as Keras 1.x stores it: its code as text, or ``[code, defaults, closure]``.

    Args:
        value: What the configuration holds.
        where: Whose it is, for messages.

    Raises:
        FormatError: It is neither.
    """
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, Sequence) or not 1 <= len(parts) <= 3 or not isinstance(parts[0], str):
        raise FormatError(f"{where}: a function must be given as [code, defaults, closure]. Received: {value!r:.200}.")
    code = read_code(parts[0], where)
    rest = [part if isinstance(part, Sequence) and not isinstance(part, str) else () for part in [*parts[1:], (), ()]]
    return StoredFunction(code, instructions_of(code, where), tuple(rest[0]), tuple(rest[1]))


def load_function(
    value: Any,
    kind: str | None,
    layer: str,
    arguments: Mapping[str, Any],
    vocabulary: Vocabulary,
) -> Callable[..., Any] | Program:
    """Returns the function of a layer of a file; never by running anything of the file.

    The user's own comes first: ``custom_objects`` by the layer's name, then by the function's. Else the file's bytes
    are read, and if all they do is known, that is returned as data.

    Args:
        value: What the configuration holds: a name, or the function's code with its defaults and closure.
        kind: ``"function"`` for a name, ``"lambda"`` for code; None where the file does not say.
        layer: The layer's name.
        arguments: The values of arguments beside the input.
        vocabulary: What can be carried out.

    Raises:
        UnsupportedLayerError: It is only named, and nobody has given a function of that name.
        UnsafeModelError: It could only be had by running the file's bytes.
        FormatError: It is neither a name nor a function's code.
    """
    own = custom_object(layer)
    if own is not None:
        return _callable(own, layer)
    if isinstance(value, FunctionName):
        return value.function
    if kind == "function" or (kind is None and isinstance(value, str) and value.isidentifier()):
        return _named(str(value), layer)
    where = f"Layer {layer!r}"
    stored = read_function(value, where)
    own = custom_object(stored.code.name)
    if own is not None:
        return _callable(own, stored.code.name)
    defaults = zip(reversed(stored.code.arguments), reversed(stored.defaults), strict=False)
    # Keras hands its own masks to an argument of that name, whatever its default.
    values = {**{key: value for key, value in defaults if key != "mask"}, **arguments}
    try:
        return understand(stored.code, stored.bytecode, values, stored.closure, vocabulary.known, vocabulary.facts)
    except NotUnderstoodError as error:
        raise UnsafeModelError(
            f"{where} computes with a Python function that is stored as bytecode. Code from files is never run, and "
            f"this one is not among the simple ones that are understood without running: {error}. Write it again as "
            f"a function of torch tensors and give it with custom_objects={{{layer!r}: function}}. "
            f"What the file holds:\n"
            f"{stored.describe()}"
        ) from error


def own_function(value: Any, kind: str | None, layer: str) -> Callable[..., Any] | None:
    """Returns the user's own function in the place of one that a file names or holds; None where there is none.

    Args:
        value: A name, or the function's code with its defaults and closure.
        kind: ``"function"`` for a name, ``"lambda"`` for code; None where the file does not say.
        layer: The layer's name, for messages.

    Raises:
        FormatError: It is neither.
    """
    if isinstance(value, FunctionName):
        return value.function
    is_name = isinstance(value, str) and (kind == "function" or value.isidentifier())
    name = str(value) if is_name else read_function(value, f"Layer {layer!r}").code.name
    own = custom_object(name)
    return None if own is None else _callable(own, name)


def _named(name: str, layer: str) -> Callable[..., Any]:
    own = custom_object(name)
    if own is None:
        raise UnsupportedLayerError(
            f"Layer {layer!r} computes with a function named {name!r}, which the file does not hold. Give it, as a "
            f"function of torch tensors, with custom_objects={{{name!r}: function}}."
        )
    return _callable(own, name)


def _callable(own: Any, name: str) -> Callable[..., Any]:
    if not callable(own) or inspect.isclass(own):
        raise UnsupportedLayerError(f"custom_objects[{name!r}] must be a function of torch tensors. Received: {own!r}.")
    function: Callable[..., Any] = own
    return function
