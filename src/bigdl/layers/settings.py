"""Process-wide defaults, those of torch among them; see ``bigdl.settings``."""

from __future__ import annotations

import torch

from bigdl.errors import LayerError
from bigdl.settings import DimOrdering as DimOrdering
from bigdl.settings import checked_dim_ordering as checked_dim_ordering
from bigdl.settings import epsilon as epsilon
from bigdl.settings import image_dim_ordering as image_dim_ordering
from bigdl.settings import set_epsilon as set_epsilon
from bigdl.settings import set_image_dim_ordering as set_image_dim_ordering

BACKEND = "tensorflow"
"""The backend of Keras 1.2.2 whose behaviour and weight layouts are those here."""


def floatx() -> str:
    """Returns the name of the dtype of new weights, torch's default one."""
    return str(torch.get_default_dtype()).removeprefix("torch.")


def set_floatx(floatx: str) -> None:
    """Sets the dtype of new weights, which is torch's default one.

    Raises:
        LayerError: It is none of ``"float16"``, ``"float32"``, ``"float64"``.
    """
    if floatx not in ("float16", "float32", "float64"):
        raise LayerError(f"floatx must be 'float16', 'float32' or 'float64'. Received: {floatx!r}.")
    torch.set_default_dtype(getattr(torch, floatx))


def backend() -> str:
    """Returns ``BACKEND``."""
    return BACKEND
