"""Whether layers do what their classes say, and nothing beside."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.utils.hooks import RemovableHandle

from bigdl.graph import Layer, attribute_changes


def changes_of_layers() -> tuple[int, int]:
    """Returns what stays as long as no attribute of any layer is set, and no hook is added anywhere."""
    return attribute_changes(), RemovableHandle.next_id


def is_plain(layer: Layer) -> bool:
    """Returns whether a layer does what its class says, and nothing beside."""
    if layer.activity_regularizer is not None or layer.adds_losses:
        return False
    return not ({"forward", "run", "call", "__call__"} & vars(layer).keys() or has_hooks(layer))


def hooks_of(layer: Layer) -> list[Any]:
    """Returns where torch keeps the hooks of a module."""
    kept = (
        layer._forward_hooks,
        layer._forward_pre_hooks,
        layer._backward_hooks,
        layer._backward_pre_hooks,
    )
    return list(kept)


def has_hooks(layer: Layer) -> bool:
    """Whether a module has hooks."""
    return any(hooks_of(layer))


def is_of_library(layer: Layer) -> bool:
    """Whether all that a layer computes is this library's or torch's, so that it uses no weights but its own."""
    return all(map(_is_own, layer.modules()))


def _is_own(module: nn.Module) -> bool:
    kept = [value for value in vars(module).values() if callable(value)]
    homes = [getattr(value, "__module__", None) or "" for value in (type(module), *kept)]
    return all(home.partition(".")[0] in ("bigdl", "torch", "builtins") for home in homes)
