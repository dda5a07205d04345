"""Process-wide defaults, as Keras 1.2.2 keeps them in its backend."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bigdl.errors import LayerError

DimOrdering = Literal["tf", "th"]


@dataclass(slots=True)
class _Settings:
    image_dim_ordering: DimOrdering | None = None
    epsilon: float = 1e-7


_settings = _Settings()


def image_dim_ordering() -> DimOrdering:
    """Returns the ordering of layers that name none: ``"tf"`` (channels last) or ``"th"`` (channels first).

    As in Keras it is the one that was set, else ``image_dim_ordering`` of ``~/.keras/keras.json``, else ``"tf"``.
    """
    return _settings.image_dim_ordering or _configured_dim_ordering()


@functools.cache
def _configured_dim_ordering() -> DimOrdering:
    try:
        config = json.loads((Path.home() / ".keras" / "keras.json").read_bytes())
    except (OSError, ValueError, RuntimeError):  # not there, not readable, no JSON, or no home
        return "tf"
    return "th" if isinstance(config, dict) and config.get("image_dim_ordering") == "th" else "tf"


def set_image_dim_ordering(dim_ordering: DimOrdering) -> None:
    """Sets the ordering of layers that name none.

    Raises:
        LayerError: It is neither ``"tf"`` nor ``"th"``.
    """
    _settings.image_dim_ordering = checked_dim_ordering(dim_ordering)


def checked_dim_ordering(dim_ordering: str) -> DimOrdering:
    """Returns the ordering, with ``"default"`` resolved.

    Raises:
        LayerError: It is none of ``"tf"``, ``"th"``, ``"default"``.
    """
    if dim_ordering == "default":
        return image_dim_ordering()
    if dim_ordering == "tf":
        return "tf"
    if dim_ordering == "th":
        return "th"
    raise LayerError(f"dim_ordering must be 'tf', 'th' or 'default'. Received: {dim_ordering!r}.")


def epsilon() -> float:
    """Returns Keras's fuzz factor, 1e-7."""
    return _settings.epsilon


def set_epsilon(value: float) -> None:
    """Sets Keras's fuzz factor."""
    _settings.epsilon = float(value)
