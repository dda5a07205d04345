"""Tables looked up in training in one call, with gradients in memory that stays from step to step."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from bigdl.layers.embeddings import Embedding
from bigdl.layers.tables import gradient_of_table
from bigdl.native import kernels
from bigdl.programs.direct_ways import Weighted, directly
from bigdl.programs.native_chains import fits
from bigdl.programs.network_structures import Lookup
from bigdl.programs.plain import changes_of_layers, is_plain

_MOST = 1 << 16
"""The most values of a gradient that are copied to where the last one was: copying more takes longer than it spares."""


@directly(Embedding)
class DirectLookup:
    """The vectors of a layer that drops none of them, by the kernels in C++; see ``DirectChain``.

    Args:
        layer: The layer.
        parameters: The weights whose gradients are wanted; those of other layers may be among them.
    """

    def __init__(self, layer: Embedding, parameters: Sequence[Tensor]) -> None:
        self._layer = layer
        self._numbers = {id(parameter): i for i, parameter in enumerate(parameters)}
        self._seen: tuple[int, int] | None = None
        self._is_plain = False
        self._table: Tensor | None = None
        self._missing = ctypes.c_int32()
        self._kept: tuple[Tensor, Tensor, Tensor] | None = None

    def takes(self, x: Tensor) -> bool:
        """Whether the kernels look up the vectors of some numbers.

        Args:
            x: The numbers, ``(batch, time)``.
        """
        seen = changes_of_layers()
        if seen != self._seen:
            layer = self._layer
            drops = layer.training and 0.0 < layer.dropout < 1.0
            self._seen, self._is_plain = seen, is_plain(layer) and not drops and kernels() is not None
        table = self._layer.weight
        if not self._is_plain or not fits(table) or not x.numel():
            return False
        if table is not self._table:
            self._table, self._kept = table, None
        return fits(x) or (x.dtype is torch.int32 and x.is_cpu and x.is_contiguous())

    def run(self, x: Tensor) -> Tensor:
        """Returns the vectors.

        Args:
            x: Numbers that it takes.

        Raises:
            DataError: A number is out of range.
        """
        table, library = self._table, kernels()
        assert table is not None
        assert library is not None
        rows, size = table.shape
        y = table.new_empty((*x.shape, size))
        places = (table.data_ptr(), x.data_ptr(), y.data_ptr(), ctypes.addressof(self._missing))
        library.run(library.functions.bigdl_look_up, Lookup(x.numel(), size, rows, x.is_floating_point(), *places))
        if self._missing.value:
            self._missing.value = 0
            y = self._layer(x)  # which says what is wrong
        self._x, self._of_rows = x, self._layer.has_gradient_of_rows()
        return y

    def gradients(self, wants_x: bool, of_y: Tensor) -> tuple[Sequence[Tensor | None], Weighted]:
        """Returns the gradient of the table; the next step may overwrite it.

        Args:
            wants_x: Not so: numbers have none.
            of_y: The gradient of what ``run`` has returned last.
        """
        table: Any = self._table
        number = self._numbers.get(id(table))
        if number is None:
            return (None,), []
        if not self._of_rows or of_y.numel() > _MOST:
            x = self._x if self._x.dtype is torch.int32 else self._x.long()
            return (None,), [(number, gradient_of_table(of_y, x, table.shape, self._of_rows))]
        if self._kept is None or self._kept[1].numel() != of_y.numel():
            count = self._x.numel()
            rows, values = table.new_empty((1, count), dtype=torch.int64), table.new_empty((count, table.shape[1]))
            self._kept = rows, values, torch.sparse_coo_tensor(rows, values, table.shape, check_invariants=False)
        rows, values, gradient = self._kept
        rows.copy_(self._x.view(1, -1))
        values.copy_(of_y.reshape(values.shape))
        return (None,), [(number, gradient)]
