"""Neighbouring operations computed in one call, by the kernels in C++."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bigdl.native import Library
from bigdl.programs.network import NativeNetwork
from bigdl.programs.operations import Affine, Multiply, Ref
from bigdl.programs.prediction import Product
from bigdl.programs.segments import CHANNELS_FIRST, Segment
from bigdl.programs.views import applied

_FEW = 1 << 14
"""Values that NumPy brings into another order in the time in which torch begins to."""


class NativeSegment:
    """The operations of a segment, ready to run.

    Attributes:
        takes_arrays: Whether ``run_array`` can be used.

    Args:
        library: The library.
        segment: The operations.
        kernels: What computes each operation for tensors that the library does not take.
    """

    def __init__(self, library: Library, segment: Segment, kernels: Sequence[Any]) -> None:
        self._library = library
        self._segment = segment
        self._kernels = kernels
        makers = {ref: op for op in reversed(segment.operations) for ref in op.inputs}
        self._ranks = [2 if isinstance(makers[ref], Multiply) else 4 for ref in segment.entries]
        # Whether what is taken and made lies as NumPy's arrays do, or nearly: images may have the channels first.
        views = [ref.views for ref in segment.entries]
        self._channels_first = self._ranks == [4] and views == [()]
        self.takes_arrays = (
            len(segment.exits) == 1
            and segment.layouts[segment.exits[0]] == "rows"
            and (self._channels_first or views == [CHANNELS_FIRST if self._ranks == [4] else ()])
        )
        self.refresh()

    def refresh(self) -> None:
        """Forgets the weights; they are read when the next tensors come."""
        for kernel in self._kernels:
            if isinstance(kernel, Product):
                kernel.refresh()
        self._made: tuple[list[torch.Size], NativeNetwork] | None = None
        weights = (source() for op in self._segment.operations if isinstance(op, Affine) for source in op.sources())
        self._usable = all(_is_plain(weight) for weight in weights)

    def __call__(self, *inputs: Tensor) -> list[Tensor]:
        """Computes what is taken outside.

        Args:
            inputs: A tensor for each entry.
        """
        return self._network_for(inputs).run(inputs) if self._takes(inputs) else self._one_by_one(inputs)

    def _network_for(self, inputs: Sequence[Tensor]) -> NativeNetwork:
        shapes = [x.shape[1:] for x in inputs]
        made = self._made  # looked at once, as other threads may predict too
        if made is None or made[0] != shapes:
            self._made = made = shapes, NativeNetwork(self._library, self._segment, inputs)
        return made[1]

    def run_array(self, x: NDArray[Any]) -> NDArray[Any]:
        """Computes the only exit from the only entry, where ``takes_arrays``.

        Args:
            x: Rows or images; of float32, not empty, without gaps.
        """
        made = self._made
        given = x.transpose(0, 2, 3, 1) if self._channels_first else x
        if self._usable and made is not None and made[1].takes_array(given):
            if given is x:
                return made[1].run_array(x)
            if x.size <= _FEW:
                return made[1].run_array(np.ascontiguousarray(given))
        seen = applied(self._segment.entries[0].views, torch.from_numpy(x))
        return self(seen)[0].numpy()

    def _takes(self, inputs: Sequence[Tensor]) -> bool:
        if not self._usable:
            return False
        for x, rank in zip(inputs, self._ranks, strict=True):
            if x.dim() != rank or len(x) == 0 or not _is_plain(x):
                return False
        return True

    def _one_by_one(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        values = dict(zip(self._segment.entries, inputs, strict=True))
        for operation, kernel in zip(self._segment.operations, self._kernels, strict=True):
            taken = [
                values[ref] if ref in values else applied(ref.views, values[Ref(ref.number)])
                for ref in operation.inputs
            ]
            values[Ref(operation.number)] = kernel(*taken)
        return [values[Ref(number)] for number in self._segment.exits]


def _is_plain(x: Tensor) -> bool:
    return x.dtype == torch.float32 and x.device.type == "cpu"
