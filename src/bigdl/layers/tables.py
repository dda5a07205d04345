"""Tables of which a batch uses a few rows: looking them up, and their gradients as the rows that were used."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.programs.by_hand import calling

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


class _Lookup(torch.autograd.Function):
    """Rows of a table."""

    @staticmethod
    def forward(ctx: Any, numbers: Tensor, table: Tensor, of_rows: bool) -> Tensor:
        """Looks rows up.

        Args:
            ctx: Keeps what the gradient needs.
            numbers: The rows' numbers, of any shape.
            table: The table.
            of_rows: Whether the gradient is to be a sparse tensor.
        """
        ctx.save_for_backward(numbers)
        ctx.shape, ctx.of_rows = table.shape, of_rows
        return F.embedding(numbers, table)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        """Returns the gradient of the table."""
        (numbers,) = ctx.saved_tensors
        return None, gradient_of_table(gradient, numbers, ctx.shape, ctx.of_rows), None


def gradient_of_table(gradient: Tensor, numbers: Tensor, shape: Sequence[int], of_rows: bool) -> Tensor:
    """Returns the gradient of a table, from that of what was looked up.

    Args:
        gradient: The gradient, ``(..., features)``.
        numbers: The rows' numbers, of int32 or int64.
        shape: The table's.
        of_rows: Whether it is to be a sparse tensor, of the memory that ``gradient`` has.
    """
    if not of_rows:
        of_all: Tensor = torch.ops.aten.embedding_dense_backward(gradient, numbers, shape[0], -1, False)
        return of_all
    rows, values = numbers.reshape(1, -1).long(), gradient.reshape(-1, shape[1])
    return torch.sparse_coo_tensor(rows, values, tuple(shape), check_invariants=False)


_looked_up: Callable[..., Tensor] = calling(_Lookup)


def looked_up(numbers: Tensor, table: Tensor, of_rows: bool = False) -> Tensor:
    """Returns rows of a table, one for each number.

    Args:
        numbers: The numbers, of int32 or int64.
        table: The table, ``(rows, features)``.
        of_rows: Whether its gradient is to be a sparse tensor of the rows that are used, each as often as it is.

    Raises:
        IndexError: There is no such row.
    """
    return _looked_up(numbers, table, of_rows)
