"""Operations as the network that ``csrc/run_network.h`` runs, for inputs of known shapes."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bigdl.native import Library, address, threads
from bigdl.programs import structures, winograd
from bigdl.programs.memory import Life, places
from bigdl.programs.operations import Add, Apply, Convolve, MaxPool, Multiply, Operation, Ref
from bigdl.programs.phases import Step, phases_of
from bigdl.programs.segments import Segment
from bigdl.programs.structures import ACTIVATE, ACTIVATIONS, ADD, CONVOLVE, MULTIPLY, NONE, POOL
from bigdl.programs.views import features_last

_LARGE = 1 << 19
"""The size of memory, in values of four bytes, from which on torch may have large pages for it."""

_LARGEST_TWICE = 1 << 22
"""The most values of a matrix that is kept twice: for few rows, and as tiles for many of them."""

_LITTLE = 1 << 25
"""Products for which waking other threads, step by step, does not pay: about 0.25 milliseconds of a core."""

_OF_A_THREAD = 1 << 18
"""Products for which another thread is there: some microseconds, more where each needs a weight of its own."""


class NativeNetwork:
    """The operations of a segment for inputs of some shapes, with the weights that they have now.

    Args:
        library: The library.
        segment: The operations.
        inputs: A tensor for each entry; how many rows it has makes no difference.
    """

    def __init__(self, library: Library, segment: Segment, inputs: Sequence[Tensor]) -> None:
        self._library = library
        self._segment = segment
        self._kept_alive: list[Any] = []
        self._entries = {ref: slot for slot, ref in enumerate(segment.entries)}
        self._slots: dict[int, int] = {}  # of what is made inside, by number
        self._shapes: list[tuple[int, ...]] = []  # of one row, by slot
        self._last_use = {ref.number: op.number for op in segment.operations for ref in op.inputs}
        self._steps: list[Step] = []
        self._products = 0  # of a row
        self._backwards = False
        for x in inputs:
            self._new_slot(x.shape[1:])
        for operation in segment.operations:
            self._add(operation)
        self._exits = [self._slots[number] for number in segment.exits]
        self._array_shape = (*self._shapes[0][1:], self._shapes[0][0])  # of the first entry, with the channels last
        self._flattened = [self._flattening(number) for number in segment.exits]
        self._arrange()

    def _flattening(self, number: int) -> tuple[int, ...] | None:
        """Returns the order of the axes of images that are taken for rows."""
        is_image = len(self._shapes[self._slots[number]]) == 3
        orders = {"rows": (0, 2, 3, 1), "planes": (0, 1, 2, 3)}
        return orders.get(self._segment.layouts[number]) if is_image else None

    def _new_slot(self, shape: Sequence[int]) -> int:
        self._shapes.append(tuple(shape))
        return len(self._shapes) - 1

    def _slot(self, ref: Ref) -> int:
        return self._entries[ref] if ref in self._entries else self._slots[ref.number]

    # What the steps are.

    def _add(self, operation: Operation) -> None:
        x = self._slot(operation.inputs[0])
        if isinstance(operation, Convolve):
            self._add_convolution(operation, x)
        elif isinstance(operation, Multiply):
            self._add_product(operation, x)
        elif isinstance(operation, Add):
            other = self._slot(operation.inputs[1])
            self._slots[operation.number] = slot = self._new_slot(self._shapes[x])
            self._steps.append(Step(ADD, x, slot, other))
        elif isinstance(operation, MaxPool):
            self._add_pooling(operation, x)
        elif isinstance(operation, Apply) and operation.name == "flatten":
            self._slots[operation.number] = x
        elif isinstance(operation, Apply):
            slot = x if self._may_overwrite(operation) else self._new_slot(self._shapes[x])
            self._slots[operation.number] = slot
            number = ACTIVATIONS[operation.name]
            self._steps.append(Step(ACTIVATE, x, slot, activation=number, columns=self._shapes[x][-1]))

    def _may_overwrite(self, operation: Operation) -> bool:
        """Whether nobody needs the operation's input any more, and it lies in memory of our own."""
        number = operation.inputs[0].number
        inside = number in self._segment.layouts and number not in self._segment.exits
        return inside and self._last_use[number] == operation.number

    def _keep(self, *tensors: Tensor | None) -> list[int | None]:
        """Keeps weights and biases, and returns their addresses."""
        self._kept_alive += tensors
        return [address(tensor) for tensor in tensors]

    def _add_convolution(self, operation: Convolve, x: int) -> None:
        weight, bias = operation.folded()
        filters, channels, *size = weight.shape
        lengths = self._shapes[x][1:]
        pads = operation.pads(lengths)
        window = operation.window or (1, 1)
        axes = zip(lengths, pads, size, operation.dilation, operation.stride, strict=True)
        positions = [(n + sum(pad) - (k - 1) * gap - 1) // step + 1 for n, pad, k, gap, step in axes]
        transformed = winograd.suits(weight, operation.stride, operation.dilation, positions, window)
        tiles = packed = None
        fill_tiles = math.prod(positions) >= 16 and min(filters, channels) >= 32  # at least half of them
        if math.prod((*size, *window)) == 1 and not any(map(any, pads)) and fill_tiles:
            tiles = self._library.tiles(weight.reshape(filters, channels))
        if transformed:
            packed = winograd.packed(self._library, weight)
        elif tiles is None:  # filters first, then each one's cells in the order of the images' memory
            packed = self._library.packed(weight.permute(0, 2, 3, 1).reshape(filters, -1))
        call = structures.Convolution(
            *(0, *lengths, channels, filters, *size),
            *(*operation.stride, *operation.dilation, *(before for before, _ in pads)),
            *(*positions, *window, operation.relu, transformed, None),
            *self._keep(packed, tiles, None if bias is None else bias.contiguous()),
        )
        others = [self._slot(ref) for ref in operation.inputs[1:]]
        other = others[0] if others else NONE
        inside = others and operation.inputs[1].number in self._segment.layouts
        made = (filters, *(n // k for n, k in zip(positions, window, strict=True)))
        self._slots[operation.number] = slot = other if operation.in_place and inside else self._new_slot(made)
        self._steps.append(
            Step(CONVOLVE, x, slot, other, call, sum(x.numel() for x in (packed, tiles) if x is not None))
        )
        self._products += weight.numel() * math.prod(positions)

    def _add_pooling(self, operation: MaxPool, x: int) -> None:
        channels, *lengths = self._shapes[x]
        pads = operation.pads(lengths)
        axes = zip(lengths, pads, operation.size, operation.stride, strict=True)
        positions = [(n + sum(pad) - k) // step + 1 for n, pad, k, step in axes]
        first = (before for before, _ in pads)
        call = structures.Pooling(0, *lengths, channels, *operation.size, *operation.stride, *first, *positions)
        self._slots[operation.number] = slot = self._new_slot((channels, *positions))
        self._steps.append(Step(POOL, x, slot, NONE, call))

    def _add_product(self, operation: Multiply, x: int) -> None:
        weight, bias = operation.folded()
        if self._segment.layouts.get(operation.inputs[0].number) == "planes":
            weight = weight.reshape(-1, *self._shapes[x]).permute(0, 2, 3, 1).flatten(1)
        tiles = self._library.tiles(weight) if weight.numel() <= _LARGEST_TWICE else None
        bias = None if bias is None else bias.contiguous()
        places = self._keep(self._library.packed(weight), tiles, bias)
        call = structures.Dense(0, *weight.shape[::-1], operation.relu, False, None, *places)
        self._slots[operation.number] = slot = self._new_slot(weight.shape[:1])
        self._steps.append(Step(MULTIPLY, x, slot, NONE, call, weight.numel()))
        self._products += weight.numel()

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
        kept = {slot: (structures.ACROSS, place) for slot, place in placed.items()}
        phases = []
        for number, (steps, group) in enumerate(divided):
            inside = {
                slot: life for slot, life in lives.items() if phase_of[life.first] == number and slot not in across
            }
            placed, size = places(inside)
            kept |= {slot: (structures.INSIDE, place) for slot, place in placed.items()}
            phases.append(structures.Phase(len(steps), group, size))
        outside = [*self._entries.values(), *self._exits]
        kept |= {slot: (structures.OUTSIDE, number) for number, slot in enumerate(outside)}
        values = [structures.Value(kept[slot][0], size, kept[slot][1]) for slot, size in enumerate(sizes)]
        calls = [
            structures.Step(
                *(step.kind, step.activation, step.input, step.other, step.output, step.columns),
                None if step.call is None else ctypes.addressof(step.call),
            )
            for step in self._steps
        ]
        arrays = [_array(structures.Phase, phases), _array(structures.Step, calls), _array(structures.Value, values)]
        self._kept_alive += arrays
        addresses = (ctypes.addressof(array) for array in arrays)
        self._network = structures.Network(len(phases), kept_across, *addresses)
        self._kept = kept_across + max(phase.kept for phase in phases)
        self._outside = ctypes.c_void_p * len(outside)
        self._calls: list[tuple[structures.NetworkCall, Any]] = []  # to be used again

    def run(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        """Computes what is taken outside.

        Args:
            inputs: A tensor for each entry.
        """
        given = [features_last(x) for x in inputs]
        exits = [self._empty(len(given[0]), slot) for slot in self._exits]
        self._call(len(given[0]), *(x.data_ptr() for x in (*given, *exits)))
        return [
            y if kept is None else y.permute(kept).flatten(1) for y, kept in zip(exits, self._flattened, strict=True)
        ]

    def takes_array(self, x: NDArray[Any]) -> bool:
        """Whether ``run_array`` takes an array of this shape."""
        return x.shape[1:] == self._array_shape and self._flattened == [None]

    def run_array(self, x: NDArray[Any]) -> NDArray[Any]:
        """Computes the only exit, of rows, from the only entry.

        Args:
            x: Rows, or images with the channels last; of float32, not empty, without gaps.
        """
        y = np.empty((len(x), *self._shapes[self._exits[0]]), np.float32)
        self._call(len(x), _address(x), _address(y))
        return y

    def _call(self, rows: int, *addresses: int) -> None:
        """Computes from what lies at the first addresses, those of the entries, what lies then at the others."""
        try:
            call, arrays = self._calls.pop()
        except IndexError:  # the first call, or other threads have those that there are
            call, arrays = self._new_call()
        for i, place in enumerate(addresses):
            arrays[i] = place
        products, size = rows * self._products, rows * self._kept
        memory = torch.empty(size) if size >= _LARGE else None
        self._backwards = not self._backwards
        call.rows, call.backwards = rows, self._backwards
        call.threads, call.little = min(threads(), 1 + products // _OF_A_THREAD), products <= _LITTLE
        call.memory = None if memory is None else memory.data_ptr()
        self._library.run(self._library.functions.bigdl_run_network, call)
        self._calls.append((call, arrays))

    def _new_call(self) -> tuple[structures.NetworkCall, Any]:
        arrays = self._outside()
        return structures.NetworkCall(ctypes.addressof(self._network), arrays=ctypes.addressof(arrays)), arrays

    def _empty(self, rows: int, slot: int) -> Tensor:
        shape = (rows, *self._shapes[slot])
        return torch.empty(shape, memory_format=torch.channels_last if len(shape) == 4 else torch.contiguous_format)


def _address(x: NDArray[Any]) -> int:
    """Returns what ``x.ctypes.data`` is, in a third of the time."""
    return ctypes.addressof(ctypes.c_char.from_buffer(x.data))


def _array(kind: Any, items: Sequence[Any]) -> Any:
    return (kind * len(items))(*items)
