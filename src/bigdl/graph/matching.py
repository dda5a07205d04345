"""Layers by name or pattern, also those of nested models."""

from __future__ import annotations

from fnmatch import fnmatchcase

from bigdl.errors import LayerError
from bigdl.graph.container import Container
from bigdl.graph.layer import Layer


def matching_layers(model: Container, pattern: str) -> list[Layer]:
    """Returns the layers of a model, those inside nested models and wrappers included, whose name fits.

    Args:
        model: The model.
        pattern: A name, or a pattern as a shell has them: ``"block1_*"``, ``"conv?"``, ``"*_[ab]"``.

    Raises:
        LayerError: No layer's name fits.
    """
    layers = [part for part in model.modules() if isinstance(part, Layer) and part is not model]
    found = [layer for layer in layers if layer.name == pattern or fnmatchcase(layer.name, pattern)]
    if not found:
        known = ", ".join(dict.fromkeys(layer.name for layer in layers))
        raise LayerError(f"Model {model.name!r} has no layer whose name fits {pattern!r}. Its layers: {known}.")
    return found
