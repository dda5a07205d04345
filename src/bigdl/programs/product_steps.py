"""The steps of products: convolutions, matrices, rows of tables."""

from __future__ import annotations

import ctypes
import math

from bigdl.programs import network_structures, structures, winograd
from bigdl.programs.assembly import Adders, Assembly, windows
from bigdl.programs.images import DepthwiseConvolve, Lookup
from bigdl.programs.network_structures import CONVOLVE, DEPTHWISE, LOOK_UP, MULTIPLY, NONE, RECUR
from bigdl.programs.operations import Convolve, Multiply
from bigdl.programs.phases import Step
from bigdl.programs.recurrence import Recur, Recurrences, recurrences

_LARGEST_TWICE = 1 << 22
"""The most values of a matrix that is kept twice: for few rows, and as tiles for many of them."""


def _convolution(a: Assembly, operation: Convolve, x: int) -> None:
    weight, bias = operation.folded()
    filters, channels, *size = weight.shape
    lengths = a.shapes[x][1:]
    pads, positions = windows(operation, lengths)
    window = positions if operation.over_all else operation.window or (1, 1)
    transformed = winograd.suits(weight, operation.stride, operation.dilation, positions, window)
    tiles = packed = None
    fill_tiles = math.prod(positions) >= 16 and min(filters, channels) >= 32  # at least half of them
    if math.prod((*size, *window)) == 1 and not any(map(any, pads)) and fill_tiles:
        tiles = a.library.tiles(weight.reshape(filters, channels))
    if transformed:
        packed = winograd.packed(a.library, weight)
    elif tiles is None:  # filters first, then each one's cells in the order of the images' memory
        packed = a.library.packed(weight.permute(0, 2, 3, 1).reshape(filters, -1))
    call = structures.Convolution(
        *(0, *lengths, channels, filters, *size),
        *(*operation.stride, *operation.dilation, *(before for before, _ in pads)),
        *(*positions, *window, operation.relu, transformed, None),
        *a.keep(packed, tiles, bias),
    )
    others = [a.slot(ref) for ref in operation.inputs[1:]]
    other = others[0] if others else NONE
    if operation.in_place and a.is_free(other):
        a.slots[operation.number] = slot = other
    else:
        made = () if operation.over_all else (n // k for n, k in zip(positions, window, strict=True))
        slot = a.make(operation, (filters, *made))
    weights = sum(x.numel() for x in (packed, tiles) if x is not None)
    a.steps.append(Step(CONVOLVE, x, slot, other, call, weights))
    a.products += weight.numel() * math.prod(positions)


def _depthwise(a: Assembly, operation: DepthwiseConvolve, x: int) -> None:
    weight, bias = operation.folded()
    channels, *lengths = a.shapes[x]
    pads, positions = windows(operation, lengths)
    call = network_structures.Depthwise(
        *(0, *lengths, channels, *operation.size, *operation.stride, *(before for before, _ in pads)),
        *(*positions, operation.relu, None),
        *a.keep(weight.permute(2, 3, 1, 0), bias),
    )
    slot = a.make(operation, (channels, *positions))
    a.steps.append(Step(DEPTHWISE, x, slot, call=call, weights=weight.numel()))
    a.products += weight.numel() * math.prod(positions)


def _product(a: Assembly, operation: Multiply, x: int) -> None:
    weight, bias = operation.folded()
    if a.segment.layouts.get(operation.inputs[0].number) == "planes":
        weight = weight.reshape(-1, *a.shapes[x]).permute(0, 2, 3, 1).flatten(1)
    tiles = a.library.tiles(weight) if weight.numel() <= _LARGEST_TWICE else None
    places = a.keep(a.library.packed(weight), tiles, bias)
    lengths = a.shapes[x][1:] if operation.rank == 3 else ()
    rows = math.prod(lengths)
    call = network_structures.Dense(rows, *weight.shape[::-1], operation.relu, False, None, *places)
    slot = a.make(operation, (len(weight), *lengths))
    a.steps.append(Step(MULTIPLY, x, slot, call=call, weights=weight.numel()))
    a.products += rows * weight.numel()


def _lookup(a: Assembly, operation: Lookup, x: int) -> None:
    (steps,), (rows, size) = a.shapes[x], operation.table().shape
    of_floats = a.inputs[x].is_floating_point()
    call = network_structures.Lookup(steps, size, rows, of_floats, *a.keep(operation.table().detach()))
    a.steps.append(Step(LOOK_UP, x, a.make(operation, (size, steps, 1)), call=call))
    a.products += steps * size


def _recurrence(a: Assembly, operation: Recur, x: int) -> None:
    steps = a.shapes[x][1]
    calls, kept = recurrences(a.library, operation)
    for call in calls:
        call.steps = steps
    a.kept_alive += [calls, *kept]
    width = operation.units * len(calls)
    slot = a.make(operation, (width, steps, 1) if operation.sequences else (width,))
    weights = sum(tensor.numel() for tensor in kept if tensor is not None)
    both = Recurrences(len(calls), ctypes.addressof(calls))
    marks = a.slot(operation.inputs[1]) if len(operation.inputs) > 1 else NONE
    a.steps.append(Step(RECUR, x, slot, marks, call=both, weights=weights))
    a.products += steps * sum(source().numel() for source in operation.sources())


PRODUCTS: Adders = {
    Convolve: _convolution,
    DepthwiseConvolve: _depthwise,
    Multiply: _product,
    Lookup: _lookup,
    Recur: _recurrence,
}
"""What adds the steps of an operation to an assembly, given the slot of its first input."""
