"""Tables of which a batch uses a few rows: their gradients as the rows that were used."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from torch import Tensor

_takes: ContextVar[Callable[[Tensor], bool] | None] = ContextVar("takes_gradient_of_rows", default=None)


@contextlib.contextmanager
def gradients_of_rows(takes: Callable[[Tensor], bool]) -> Iterator[None]:
    """Lets layers that run inside the block make sparse gradients of their tables.

    Args:
        takes: Whether the gradient of a table may be one.
    """
    token = _takes.set(takes)
    try:
        yield
    finally:
        _takes.reset(token)


def has_gradient_of_rows(table: Tensor) -> bool:
    """Whether the gradient of a table is to be a sparse tensor of the rows that are used, each as often as it is."""
    takes = _takes.get()
    return takes is not None and takes(table)
