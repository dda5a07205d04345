"""The steps of a network that ``csrc/run_network.h`` runs, made of operations for inputs of known shapes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from bigdl.native import Library, address
from bigdl.programs import structures, winograd
from bigdl.programs.images import (
    AveragePool,
    DepthwiseConvolve,
    Join,
    Leak,
    Lookup,
    MeanOfAll,
    Pad,
    Pool,
    PoolOfAll,
    Repeat,
    RepeatRow,
)
from bigdl.programs.operations import Add, Apply, Convolve, Multiply, Operation, Ref, Scale
from bigdl.programs.phases import Step
from bigdl.programs.segments import Segment
from bigdl.programs.structures import (
    ACTIVATE,
    ACTIVATIONS,
    ADD,
    BEND,
    CONVOLVE,
    DEPTHWISE,
    LEAK,
    LOOK_UP,
    MULTIPLY,
    NONE,
    PLACE,
    POOL,
    SCALE,
)
from bigdl.programs.views import features_last

_LARGEST_TWICE = 1 << 22
"""The most values of a matrix that is kept twice: for few rows, and as tiles for many of them."""


class Assembly:
    """Makes the steps.

    Attributes:
        steps: The steps, in order.
        shapes: The shape of one row of each value that a step takes or makes, by the number of its slot.
        entries: The slots of what comes from outside.
        slots: Those of what is made, by the number of the operation.
        products: How many products one row takes, or what takes as long.
        kept_alive: The weights whose addresses the steps have.

    Args:
        library: The library.
        segment: The operations.
        inputs: A tensor for each entry; how many rows it has makes no difference.
    """

    def __init__(self, library: Library, segment: Segment, inputs: Sequence[Tensor]) -> None:
        self.steps: list[Step] = []
        # Sequences are images of one column.
        self.shapes = [tuple(x.shape[1:]) if x.dim() != 3 else (x.shape[2], x.shape[1], 1) for x in inputs]
        self.entries = {ref: slot for slot, ref in enumerate(segment.entries)}
        self.slots: dict[int, int] = {}
        self.products = 0
        self.kept_alive: list[Any] = []
        self._library = library
        self._inputs = inputs
        self._segment = segment
        self._last_use = {ref.number: i for i, op in enumerate(segment.operations) for ref in op.inputs}
        for self._at, operation in enumerate(segment.operations):
            add = next(add for kind, add in _ADD.items() if isinstance(operation, kind))
            add(self, operation, self._slot(operation.inputs[0]))

    def _slot(self, ref: Ref) -> int:
        return self.entries[ref] if ref in self.entries else self.slots[ref.number]

    def _shape(self, operation: Operation, x: int) -> tuple[int, ...]:
        """Returns the shape of one row of what an operation takes: images that are taken for rows have one axis."""
        shape = self.shapes[x]
        layout = self._segment.layouts.get(operation.inputs[0].number)
        return (math.prod(shape),) if layout == "rows" else shape

    def _make(self, operation: Operation, shape: Sequence[int]) -> int:
        """Returns a new slot for what an operation makes."""
        self.shapes.append(tuple(shape))
        self.slots[operation.number] = slot = len(self.shapes) - 1
        return slot

    def _make_over(self, operation: Operation, x: int) -> int:
        """Returns a slot of the same shape; the same one, where that may be."""
        if not self._is_free(x):
            return self._make(operation, self.shapes[x])
        self.slots[operation.number] = x
        return x

    def _is_free(self, slot: int) -> bool:
        """Whether nobody needs what is in a slot after the operation at hand, and the slot is our own."""
        numbers = [number for number, one in self.slots.items() if one == slot]
        return bool(numbers) and not any(
            number in self._segment.exits or self._last_use[number] > self._at for number in numbers
        )

    def _keep(self, *tensors: Tensor | None) -> list[int | None]:
        """Keeps weights and biases, without gaps, and returns their addresses."""
        kept = [None if tensor is None else tensor.contiguous() for tensor in tensors]
        self.kept_alive += kept
        return [address(tensor) for tensor in kept]

    # Products.

    def _add_convolution(self, operation: Convolve, x: int) -> None:
        weight, bias = operation.folded()
        filters, channels, *size = weight.shape
        lengths = self.shapes[x][1:]
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
            *self._keep(packed, tiles, bias),
        )
        others = [self._slot(ref) for ref in operation.inputs[1:]]
        other = others[0] if others else NONE
        if operation.in_place and self._is_free(other):
            self.slots[operation.number] = slot = other
        else:
            slot = self._make(operation, (filters, *(n // k for n, k in zip(positions, window, strict=True))))
        weights = sum(x.numel() for x in (packed, tiles) if x is not None)
        self.steps.append(Step(CONVOLVE, x, slot, other, call, weights))
        self.products += weight.numel() * math.prod(positions)

    def _add_depthwise(self, operation: DepthwiseConvolve, x: int) -> None:
        weight, bias = operation.folded()
        channels, *lengths = self.shapes[x]
        pads, positions = _windows(operation, lengths)
        call = structures.Depthwise(
            *(0, *lengths, channels, *operation.size, *operation.stride, *(before for before, _ in pads)),
            *(*positions, operation.relu, None),
            *self._keep(weight.permute(2, 3, 1, 0), bias),
        )
        slot = self._make(operation, (channels, *positions))
        self.steps.append(Step(DEPTHWISE, x, slot, call=call, weights=weight.numel()))
        self.products += weight.numel() * math.prod(positions)

    def _add_product(self, operation: Multiply, x: int) -> None:
        weight, bias = operation.folded()
        if self._segment.layouts.get(operation.inputs[0].number) == "planes":
            weight = weight.reshape(-1, *self.shapes[x]).permute(0, 2, 3, 1).flatten(1)
        tiles = self._library.tiles(weight) if weight.numel() <= _LARGEST_TWICE else None
        places = self._keep(self._library.packed(weight), tiles, bias)
        lengths = self.shapes[x][1:] if operation.rank == 3 else ()
        rows = math.prod(lengths)
        call = structures.Dense(rows, *weight.shape[::-1], operation.relu, False, None, *places)
        slot = self._make(operation, (len(weight), *lengths))
        self.steps.append(Step(MULTIPLY, x, slot, call=call, weights=weight.numel()))
        self.products += rows * weight.numel()

    def _add_lookup(self, operation: Lookup, x: int) -> None:
        (steps,), (rows, size) = self.shapes[x], operation.table().shape
        of_floats = self._inputs[x].is_floating_point()
        call = structures.Lookup(steps, size, rows, of_floats, *self._keep(operation.table().detach()))
        self.steps.append(Step(LOOK_UP, x, self._make(operation, (size, steps, 1)), call=call))
        self.products += steps * size

    # Windows and places.

    def _add_pooling(self, operation: Pool, x: int) -> None:
        channels, *lengths = self.shapes[x]
        pads, positions = _windows(operation, lengths)
        call = structures.Pooling(
            *(0, *lengths, channels, *operation.size, *operation.stride, *(before for before, _ in pads)),
            *(*positions, isinstance(operation, AveragePool)),
        )
        self.steps.append(Step(POOL, x, self._make(operation, (channels, *positions)), call=call))
        self.products += channels * math.prod((*positions, *operation.size))

    def _add_pooling_of_all(self, operation: PoolOfAll, x: int) -> None:
        channels, *lengths = self.shapes[x]
        call = structures.Pooling(
            *(0, *lengths, channels, *lengths, *lengths, 0, 0, 1, 1, isinstance(operation, MeanOfAll))
        )
        self.steps.append(Step(POOL, x, self._make(operation, (channels,)), call=call))
        self.products += channels * math.prod(lengths)

    def _add_zeros(self, operation: Pad, x: int) -> None:
        channels, *lengths = self.shapes[x]
        made = [before + n + after for n, (before, after) in zip(lengths, operation.pads, strict=True)]
        first = [before for before, _ in operation.pads]
        call = structures.Placing(0, *lengths, channels, 1, 1, *first, 0, *made, channels, True)
        self.steps.append(Step(PLACE, x, self._make(operation, (channels, *made)), call=call))

    def _add_repetition(self, operation: Repeat, x: int) -> None:
        channels, *lengths = self.shapes[x]
        made = [n * times for n, times in zip(lengths, operation.times, strict=True)]
        call = structures.Placing(0, *lengths, channels, *operation.times, 0, 0, 0, *made, channels, False)
        self.steps.append(Step(PLACE, x, self._make(operation, (channels, *made)), call=call))

    def _add_repeated_row(self, operation: RepeatRow, x: int) -> None:
        values = math.prod(self.shapes[x])
        call = structures.Placing(0, 1, 1, values, operation.steps, 1, 0, 0, 0, operation.steps, 1, values, False)
        self.steps.append(Step(PLACE, x, self._make(operation, (values, operation.steps, 1)), call=call))

    def _add_join(self, operation: Join, _: int) -> None:
        parts = [self._slot(ref) for ref in operation.inputs]
        lengths = () if operation.rank == 2 else self.shapes[parts[0]][1:]
        size = lengths or (1, 1)
        own_channels = [math.prod(self.shapes[x]) // math.prod(size) for x in parts]
        channels, first = sum(own_channels), 0
        slot = self._make(operation, (channels, *lengths))
        for x, own in zip(parts, own_channels, strict=True):
            call = structures.Placing(0, *size, own, 1, 1, 0, 0, first, *size, channels, False)
            self.steps.append(Step(PLACE, x, slot, call=call))
            first += own

    # Values by themselves.

    def _add_sum(self, operation: Add, x: int) -> None:
        other = self._slot(operation.inputs[1])
        self.steps.append(Step(ADD, x, self._make(operation, self.shapes[x]), other))

    def _add_scale(self, operation: Scale, x: int) -> None:
        factor, summand = (values.to(operation.gamma().dtype) for values in operation.factors())
        call = structures.Elements(0, len(factor), SCALE, operation.relu, *self._keep(factor, summand))
        self.steps.append(Step(SCALE, x, self._make_over(operation, x), call=call))

    def _add_leak(self, operation: Leak, x: int) -> None:
        shape = self._shape(operation, x)
        slopes = operation.slopes(1 + len(shape))
        alike = slopes.numel() in (1, slopes.shape[1])  # at all positions
        factor = features_last(slopes.expand(1, shape[0], *((1,) * (len(shape) - 1) if alike else shape[1:])))
        factor = factor.permute(0, 2, 3, 1).flatten() if factor.dim() == 4 else factor.flatten()
        kind = BEND if operation.exponential else LEAK
        call = structures.Elements(0, len(factor), kind, False, *self._keep(factor))
        self.steps.append(Step(kind, x, self._make_over(operation, x), call=call))

    def _add_activation(self, operation: Apply, x: int) -> None:
        if operation.name == "flatten":
            self.slots[operation.number] = x
            return
        number, slot = ACTIVATIONS[operation.name], self._make_over(operation, x)
        self.steps.append(Step(ACTIVATE, x, slot, activation=number, columns=self._shape(operation, x)[0]))


def _windows(
    operation: DepthwiseConvolve | Pool, lengths: Sequence[int]
) -> tuple[Sequence[tuple[int, int]], list[int]]:
    """Returns what is around images of some lengths, and the number of positions, by axis."""
    pads = operation.pads(lengths)
    axes = zip(lengths, pads, operation.size, operation.stride, strict=True)
    return pads, [(n + sum(pad) - k) // step + 1 for n, pad, k, step in axes]


_ADD: dict[type[Operation], Callable[[Assembly, Any, int], None]] = {
    Convolve: Assembly._add_convolution,
    DepthwiseConvolve: Assembly._add_depthwise,
    Multiply: Assembly._add_product,
    Pool: Assembly._add_pooling,
    PoolOfAll: Assembly._add_pooling_of_all,
    Pad: Assembly._add_zeros,
    Repeat: Assembly._add_repetition,
    RepeatRow: Assembly._add_repeated_row,
    Lookup: Assembly._add_lookup,
    Join: Assembly._add_join,
    Add: Assembly._add_sum,
    Scale: Assembly._add_scale,
    Leak: Assembly._add_leak,
    Apply: Assembly._add_activation,
}
"""How steps are made of an operation, the most special classes first."""
