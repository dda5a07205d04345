"""Products of bfloat16, which has float32's range and 8 of its 24 bits: about twice as fast, where processors have it.

Weights stay float32, and so do what optimizers keep, losses, and whatever is no product: results of products are turned
back before it, unless it only picks values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from bigdl.errors import DataError
from bigdl.programs.images import MaxPool, Pad, Repeat
from bigdl.programs.operations import Add, Affine, Apply, Operation

PRECISIONS = ("float32", "bf16")


def is_low(precision: str | None) -> bool:
    """Tells whether products shall be of bfloat16.

    Args:
        precision: ``"float32"`` or None for the models' own, ``"bf16"``.

    Raises:
        DataError: It is something else.
    """
    if precision is not None and precision not in PRECISIONS:
        raise DataError(f"precision must be one of {', '.join(map(repr, PRECISIONS))}. Received: {precision!r}.")
    return precision == "bf16"


def low(tensor: Tensor) -> Tensor:
    """Returns a tensor of float32 in bfloat16; others as they are."""
    return tensor.bfloat16() if tensor.dtype == torch.float32 else tensor


def full(value: Any) -> Any:
    """Returns a tensor of bfloat16 in float32; anything else as it is."""
    return value.float() if isinstance(value, Tensor) and value.dtype == torch.bfloat16 else value


def with_low_products(operation: Operation, kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Returns a kernel that gives an operation what it takes: products bfloat16, others float32.

    Args:
        operation: The operation.
        kernel: What computes it.
    """
    if isinstance(operation, Affine):
        return lambda *x: kernel(*map(low, x))
    if _picks_values(operation):
        return kernel
    return lambda *x: kernel(*map(full, x))


def _picks_values(operation: Operation) -> bool:
    """Whether an operation is as exact in bfloat16 as what it is given."""
    named = isinstance(operation, Apply) and operation.name in ("relu", "flatten")
    return named or isinstance(operation, Add | MaxPool | Pad | Repeat)
