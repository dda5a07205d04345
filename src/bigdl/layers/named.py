"""Objects that a configuration gives as ``{"name": ..., **arguments}``: regularizers and constraints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from torch import Tensor

from bigdl.registry import NamedObjects

T = TypeVar("T", bound=Callable[[Tensor], Tensor])


def get(registry: NamedObjects[Callable[..., T]], identifier: Any) -> T | None:
    """Returns the object that an identifier stands for.

    Args:
        registry: The objects by name.
        identifier: A configuration, a name, the object itself, or None (or anything empty) for none.

    Raises:
        UnsupportedLayerError: There is no object of this name.
    """
    found: T | None
    if not identifier:
        found = None
    elif isinstance(identifier, str):
        found = _make(registry.get(identifier), {})
    elif isinstance(identifier, Mapping):
        arguments = dict(identifier)
        found = _make(registry.get(str(arguments.pop("name", "?"))), arguments)
    else:
        found = identifier
    return found


def _make(maker: Any, arguments: Mapping[str, Any]) -> Any:
    """Calls a class or a function that makes one; a user's finished object is taken as it is."""
    made_already = not isinstance(maker, type) and hasattr(maker, "get_config")
    return maker if made_already else maker(**arguments)


def serialize(value: Any) -> dict[str, Any] | None:
    """Returns the configuration of an object, None for none."""
    if value is None:
        return None
    if not hasattr(value, "get_config"):
        return {"name": getattr(value, "__name__", type(value).__name__)}
    config: dict[str, Any] = value.get_config()
    return config
