"""Users' objects by name, as scripts for Keras 1.2.2 make them known and look them up."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from bigdl.errors import UnsupportedLayerError
from bigdl.registry.objects import custom_object, get_custom_objects


class CustomObjectScope:
    """A context in which the user's objects are known by name; what is added inside is forgotten at its end.

    Args:
        objects: Mappings of objects by name.
    """

    def __init__(self, *objects: Mapping[str, Any]) -> None:
        self.custom_objects = objects

    def __enter__(self) -> Self:
        self._before = dict(get_custom_objects())
        for objects in self.custom_objects:
            get_custom_objects().update(objects)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        get_custom_objects().clear()
        get_custom_objects().update(self._before)


def custom_object_scope(*objects: Mapping[str, Any]) -> CustomObjectScope:
    """Returns a context in which the user's objects are known by name; see ``CustomObjectScope``."""
    return CustomObjectScope(*objects)


def get_from_module(
    identifier: Any,
    module_params: Mapping[str, Any],
    module_name: str,
    instantiate: bool = False,
    kwargs: Mapping[str, Any] | None = None,
) -> Any:
    """Returns what a name stands for among the user's objects, or those of a module.

    Args:
        identifier: A name, or ``{"name": ..., **arguments}`` to call what it stands for; anything else is returned.
        module_params: The module's objects, its ``globals()``.
        module_name: What they are, for the message.
        instantiate: Whether what a name stands for is called.
        kwargs: The arguments of that call.

    Raises:
        UnsupportedLayerError: There is nothing of this name.
    """
    if isinstance(identifier, str):
        found = _find(identifier, module_params, module_name)
        return found(**(kwargs or {})) if instantiate else found
    if isinstance(identifier, Mapping):
        arguments = dict(identifier)
        return _find(str(arguments.pop("name", "?")), module_params, module_name)(**arguments)
    return identifier


def _find(name: str, objects: Mapping[str, Any], kind: str) -> Any:
    found = custom_object(name)
    found = objects.get(name) if found is None else found
    if found is None:
        raise UnsupportedLayerError(f"Unknown {kind} {name!r}. Add it with get_custom_objects()[{name!r}] = ...")
    return found


def make_tuple(*args: Any) -> tuple[Any, ...]:
    """Returns its arguments."""
    return args
