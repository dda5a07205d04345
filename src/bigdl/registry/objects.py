"""Things a configuration names by a string: activations, initializations, regularizers, constraints, losses.

Also the scope in which a user's own objects take precedence over all that is registered.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from bigdl.errors import UnsupportedLayerError

T = TypeVar("T")

_everywhere: dict[str, Any] = {}
_custom: ContextVar[Mapping[str, Any]] = ContextVar("custom_objects", default=MappingProxyType({}))


@contextlib.contextmanager
def custom_object_scope(objects: Mapping[str, Any] | None) -> Iterator[None]:
    """Makes the user's objects known by name inside the block.

    Args:
        objects: Layer classes, layer converters or functions by the name that the model's file uses.
    """
    token = _custom.set({**_custom.get(), **(objects or {})})
    try:
        yield
    finally:
        _custom.reset(token)


def get_custom_objects() -> dict[str, Any]:
    """Returns the user's objects that are known everywhere, by name: a dict to add to (Keras's function)."""
    return _everywhere


def custom_object(name: str) -> Any:
    """Returns the user's object of this name, or None."""
    return _custom.get().get(name, _everywhere.get(name))


class NamedObjects(Generic[T]):
    """The objects of one kind that a configuration may name.

    Args:
        kind: What they are, for messages, e.g. ``"activation"``.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._objects: dict[str, T] = {}

    def register(self, name: str, value: T) -> T:
        """Adds an object and returns it.

        Raises:
            ValueError: The name is taken.
        """
        if name in self._objects:
            raise ValueError(f"The {self.kind} {name!r} is registered already.")
        self._objects[name] = value
        return value

    def names(self) -> list[str]:
        """Returns the names, sorted."""
        return sorted(self._objects)

    def get(self, name: str) -> T:
        """Returns the object of this name, the user's own first.

        Raises:
            UnsupportedLayerError: There is none.
        """
        found: T | None = custom_object(name)
        if found is None:
            found = self._objects.get(name)
        if found is None:
            raise UnsupportedLayerError(
                f"Unknown {self.kind} {name!r}. Known: {', '.join(self.names())}. "
                f"Give your own with custom_objects={{{name!r}: ...}}."
            )
        return found
