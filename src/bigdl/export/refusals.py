"""How it is said that a format cannot hold a layer."""

from __future__ import annotations

from bigdl.errors import ExportError
from bigdl.graph import Layer


def refused(layer: Layer, why: str, remedy: str) -> ExportError:
    """Returns the error that a layer cannot be written.

    Args:
        layer: The layer.
        why: What of it cannot, as a continuation of its name.
        remedy: What to do.
    """
    return ExportError(f"Layer {layer.name!r} ({type(layer).__name__}) {why}. {remedy}")
