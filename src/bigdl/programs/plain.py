"""Whether layers do what their classes say, and nothing beside."""

from __future__ import annotations

from typing import Any

from bigdl.graph import Layer


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
