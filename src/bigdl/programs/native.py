"""Neighbouring operations computed in one call, by the kernels in C++."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bigdl.native import Library
from bigdl.programs.assembly import TooSmallError
from bigdl.programs.network import NativeNetwork
from bigdl.programs.operations import Ref
from bigdl.programs.prediction import Product
from bigdl.programs.segments import CHANNELS_FIRST, RANKS, Layout, Segment, taken_as
from bigdl.programs.views import SEQUENCE_AS_IMAGE, Views, applied, undone

_FEW = 1 << 14
"""Values that NumPy brings into another order in the time in which torch begins to."""


class NativeSegment:
    """The operations of a segment, ready to run.

    Args:
        library: The library.
        segment: The operations.
        kernels: What computes each operation for tensors that the library does not take.
    """

    def __init__(self, library: Library, segment: Segment, kernels: Sequence[Any]) -> None:
        self._library = library
        self._segment = segment
        self._kernels = kernels
        taken = {ref: taken_as(op, i) for op in reversed(segment.operations) for i, ref in enumerate(op.inputs)}
        self._taken = [taken[ref] or "images" for ref in segment.entries]
        self.refresh()

    def array_function(self, output: Ref) -> Callable[[NDArray[Any]], NDArray[Any]] | None:
        """Returns what computes the only exit from the only entry, an array each; None where that cannot be done.

        Args:
            output: How the exit is seen.

        Returns:
            A function of rows, images, sequences or numbers; not empty, without gaps.
        """
        segment = self._segment
        if len(segment.exits) > 1 or len(segment.entries) > 1:
            return None
        taken = _as_array(segment.entries[0].views, self._taken[0])
        made = _as_array(undone(output.views), segment.layouts[output.number])
        if taken is None or made is None or made == "channels first":
            return None
        return partial(self._run_array, taken, made)

    def refresh(self) -> None:
        """Forgets the weights; they are read when the next tensors come."""
        self._kernels_are_current = False  # they are seldom used
        self._made: tuple[list[tuple[torch.Size, torch.dtype]], NativeNetwork] | None = None
        weights = (source() for op in self._segment.operations for source in op.sources())
        self._usable = all(_is_plain(weight) for weight in weights)

    def __call__(self, *inputs: Tensor) -> list[Tensor]:
        """Computes what is taken outside.

        Args:
            inputs: A tensor for each entry.
        """
        if not self._takes(inputs):
            return self._one_by_one(inputs)
        try:
            return self._network_for(inputs).run(inputs)
        except (IndexError, TooSmallError):  # of which the layer says more
            return self._one_by_one(inputs)

    def _network_for(self, inputs: Sequence[Tensor]) -> NativeNetwork:
        kinds = [(x.shape[1:], x.dtype) for x in inputs]
        made = self._made  # looked at once, as other threads may predict too
        if made is None or made[0] != kinds:
            self._made = made = kinds, NativeNetwork(self._library, self._segment, inputs)
        return made[1]

    def _run_array(self, taken: _Form, made_as: _Form, x: NDArray[Any]) -> NDArray[Any]:
        made = self._made
        given: NDArray[Any] | None = x
        if taken == "channels first":
            given = np.ascontiguousarray(x.transpose(0, 2, 3, 1)) if x.size <= _FEW else None
        elif taken == "sequence":
            given = x[:, :, None]
        if given is not None and self._usable and made is not None and made[1].takes_array(given):
            try:
                result = made[1].run_array(given)
                return result[:, :, 0] if made_as == "sequence" else result
            except IndexError:  # of which the layer says more
                pass
        seen = applied(self._segment.entries[0].views, torch.from_numpy(x))
        y = self(seen)[0]
        if self._segment.layouts[self._segment.exits[0]] == "images":
            y = y.permute(0, 2, 3, 1)
            y = y[:, :, 0] if made_as == "sequence" else y
        return y.numpy()

    def _takes(self, inputs: Sequence[Tensor]) -> bool:
        if not self._usable:
            return False
        for x, layout in zip(inputs, self._taken, strict=True):
            known = x.dtype == torch.float32 or (layout == "numbers" and x.dtype == torch.int32)
            if x.dim() != RANKS[layout] or not x.numel() or not known or not x.is_cpu:
                return False
        return True

    def _one_by_one(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        if not self._kernels_are_current:
            for kernel in self._kernels:
                if isinstance(kernel, Product):
                    kernel.refresh()
            self._kernels_are_current = True
        values = dict(zip(self._segment.entries, inputs, strict=True))
        for operation, kernel in zip(self._segment.operations, self._kernels, strict=True):
            taken = [
                values[ref] if ref in values else applied(ref.views, values[Ref(ref.number)])
                for ref in operation.inputs
            ]
            values[Ref(operation.number)] = kernel(*taken)
        return [values[Ref(number)] for number in self._segment.exits]


_Form = Literal["as it is", "channels first", "sequence"]


def _as_array(views: Views, layout: Layout) -> _Form | None:
    """Returns how an array lies that is seen as rows, or as images with the channels last in memory."""
    forms: dict[tuple[Layout, Views], _Form] = {
        ("rows", ()): "as it is",
        ("numbers", ()): "as it is",
        ("sequences", ()): "sequence",
        ("images", CHANNELS_FIRST): "as it is",
        ("images", ()): "channels first",
        ("channels last", ()): "as it is",
        ("images", (SEQUENCE_AS_IMAGE,)): "sequence",
    }
    return forms.get((layout, views))


def _is_plain(x: Tensor) -> bool:
    return x.dtype == torch.float32 and x.device.type == "cpu"
