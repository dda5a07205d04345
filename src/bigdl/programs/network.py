"""Operations as the network that ``csrc/run_network.h`` runs, for inputs of known shapes."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bigdl.native import Library, threads
from bigdl.programs import network_structures
from bigdl.programs.assembly import Assembly
from bigdl.programs.memory import Life, places
from bigdl.programs.network_structures import NONE
from bigdl.programs.phases import phases_of
from bigdl.programs.product_steps import PRODUCTS
from bigdl.programs.segments import CHANNELS_LAST, Layout, Segment
from bigdl.programs.value_steps import VALUES
from bigdl.programs.views import IMAGE_AS_SEQUENCE, features_last

_LARGE = 1 << 19
"""The size of memory, in values of four bytes, from which on torch may have large pages for it."""

_LITTLE = 1 << 25
"""Products for which waking other threads, step by step, does not pay: about 0.25 milliseconds of a core."""

_OF_A_THREAD = 1 << 18
"""Products for which another thread is there: some microseconds, more where each needs a weight of its own."""


_ADDERS = {**PRODUCTS, **VALUES}

_SEEN: dict[Layout, Callable[[Tensor], Tensor]] = {
    "rows": lambda images: images.permute(0, 2, 3, 1).flatten(1),
    "planes": lambda images: images.flatten(1),
    "sequences": IMAGE_AS_SEQUENCE,
    "channels last": CHANNELS_LAST[0],
}


class NativeNetwork:
    """The operations of a segment for inputs of some shapes, with the weights that they have now.

    Args:
        library: The library.
        segment: The operations.
        inputs: A tensor for each entry; how many rows it has makes no difference.
    """

    def __init__(self, library: Library, segment: Segment, inputs: Sequence[Tensor]) -> None:
        assembly = Assembly(library, segment, inputs, _ADDERS)
        self._library = library
        self._entries, self._steps, self._products = assembly.entries, assembly.steps, assembly.products
        self._shapes, self._kept_alive = assembly.shapes, assembly.kept_alive
        self._backwards = False
        slots = [assembly.slots[number] for number in segment.exits]
        self._exits = list(dict.fromkeys(slots))  # a value and what it is taken for are in one
        self._places = [self._exits.index(slot) for slot in slots]
        self._array_shape = (*self._shapes[0][1:], self._shapes[0][0])  # of the first entry, with the channels last
        self._array_dtype = np.dtype(np.float32 if inputs[0].is_floating_point() else np.int32)
        layouts = [segment.layouts[number] for number in segment.exits]
        # How images that are taken for something else are seen.
        self._seen = [
            _SEEN.get(layout) if len(self._shapes[slot]) == 3 else None
            for layout, slot in zip(layouts, slots, strict=True)
        ]
        self._takes_arrays = self._seen == [None] or layouts in (["sequences"], ["channels last"])
        self._arrange()

    # In what order, and where the values lie.

    def _arrange(self) -> None:
        """Divides the steps into phases, and places what they hand on."""
        sizes = [math.prod(shape) for shape in self._shapes]
        divided = phases_of(self._steps, sizes)
        phase_of = [number for number, (steps, _) in enumerate(divided) for _ in steps]
        used: dict[int, list[int]] = {}
        for i, step in enumerate(self._steps):
            for slot in {step.input, step.other, step.output} - {NONE, *self._entries.values(), *self._exits}:
                used.setdefault(slot, []).append(i)
        lives = {slot: Life(at[0], at[-1], sizes[slot]) for slot, at in used.items()}
        across = {slot: life for slot, life in lives.items() if phase_of[life.first] != phase_of[life.last]}
        placed, kept_across = places(across)
        kept = {slot: (network_structures.ACROSS, place) for slot, place in placed.items()}
        phases = []
        for number, (steps, group) in enumerate(divided):
            inside = {
                slot: life for slot, life in lives.items() if phase_of[life.first] == number and slot not in across
            }
            placed, size = places(inside)
            kept |= {slot: (network_structures.INSIDE, place) for slot, place in placed.items()}
            phases.append(network_structures.Phase(len(steps), group, size))
        outside = [*self._entries.values(), *self._exits]
        kept |= {slot: (network_structures.OUTSIDE, number) for number, slot in enumerate(outside)}
        values = [network_structures.Value(kept[slot][0], size, kept[slot][1]) for slot, size in enumerate(sizes)]
        calls = [
            network_structures.Step(
                *(step.kind, step.activation, step.input, step.other, step.output, step.columns),
                None if step.call is None else ctypes.addressof(step.call),
            )
            for step in self._steps
        ]
        arrays = [
            _array(network_structures.Phase, phases),
            _array(network_structures.Step, calls),
            _array(network_structures.Value, values),
        ]
        self._kept_alive += arrays
        addresses = (ctypes.addressof(array) for array in arrays)
        recurrent = any(step.kind == network_structures.RECUR for step in self._steps)
        self._network = network_structures.Network(len(phases), kept_across, recurrent, *addresses)
        self._kept = kept_across + max(phase.kept for phase in phases)
        self._outside = ctypes.c_void_p * len(outside)
        self._calls: list[tuple[network_structures.NetworkCall, Any, ctypes.c_int32]] = []  # to be used again

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Computes what is taken outside.

        Args:
            inputs: A tensor for each entry.
        """
        given = [features_last(x) for x in inputs]
        exits = [self._empty(len(given[0]), slot) for slot in self._exits]
        self._call(len(given[0]), *(x.data_ptr() for x in (*given, *exits)))
        made = [exits[place] for place in self._places]
        return [y if seen is None else seen(y) for y, seen in zip(made, self._seen, strict=True)]

    def takes_array(self, x: NDArray[Any]) -> bool:
        """Whether ``run_array`` takes an array of this shape and type."""
        return x.shape[1:] == self._array_shape and x.dtype == self._array_dtype and self._takes_arrays

    def run_array(self, x: NDArray[Any]) -> NDArray[Any]:
        """Computes the only exit, of rows or images with the channels last, from the only entry.

        Args:
            x: Rows, or images with the channels last; of float32, not empty, without gaps.
        """
        channels, *lengths = self._shapes[self._exits[0]]
        y = np.empty((len(x), *lengths, channels), np.float32)
        self._call(len(x), _address(x), _address(y))
        return y

    def _call(self, rows: int, *addresses: int) -> None:
        """Computes from what lies at the first addresses, those of the entries, what lies then at the others.

        Raises:
            IndexError: A number had no row in a table.
        """
        try:
            call, arrays, missing = self._calls.pop()
        except IndexError:  # the first call, or other threads have those that there are
            call, arrays, missing = self._new_call()
        for i, place in enumerate(addresses):
            arrays[i] = place
        products, size = rows * self._products, rows * self._kept
        memory = torch.empty(size) if size >= _LARGE else None
        self._backwards = not self._backwards
        call.rows, call.backwards = rows, self._backwards
        call.threads, call.little = min(threads(), 1 + products // _OF_A_THREAD), products <= _LITTLE
        call.memory = None if memory is None else memory.data_ptr()
        self._library.run(self._library.functions.bigdl_run_network, call)
        if missing.value:
            raise IndexError("a number has no row in a table")  # this call is not used again
        self._calls.append((call, arrays, missing))

    def _new_call(self) -> tuple[network_structures.NetworkCall, Any, ctypes.c_int32]:
        arrays, missing = self._outside(), ctypes.c_int32()
        call = network_structures.NetworkCall(ctypes.addressof(self._network))
        call.arrays, call.missing = ctypes.addressof(arrays), ctypes.addressof(missing)
        return call, arrays, missing

    def _empty(self, rows: int, slot: int) -> Tensor:
        shape = (rows, *self._shapes[slot])
        return torch.empty(shape, memory_format=torch.channels_last if len(shape) == 4 else torch.contiguous_format)


def _address(x: NDArray[Any]) -> int:
    """Returns what ``x.ctypes.data`` is, in a third of the time."""
    return ctypes.addressof(ctypes.c_char.from_buffer(x.data))


def _array(kind: Any, items: Sequence[Any]) -> Any:
    return (kind * len(items))(*items)
