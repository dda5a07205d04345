"""The steps that move values, pool them, or change each by itself."""

from __future__ import annotations

import math

from bigdl.programs import network_structures
from bigdl.programs.assembly import Adders, Assembly, windows
from bigdl.programs.images import (
    AveragePool,
    InOrder,
    Join,
    Leak,
    MeanOfAll,
    Pad,
    Pool,
    PoolOfAll,
    Repeat,
    RepeatRow,
)
from bigdl.programs.masks import Mark, Shade
from bigdl.programs.network_structures import (
    ACTIVATE,
    ADD,
    BEND,
    LARGER,
    LEAK,
    MARK,
    PLACE,
    POOL,
    REST,
    SCALE,
    SHADE,
    TIMES,
)
from bigdl.programs.operations import Add, Apply, Combine, Scale
from bigdl.programs.phases import Step
from bigdl.programs.structures import ACTIVATIONS
from bigdl.programs.views import SEQUENCE_AS_IMAGE, features_last

_COMBINING = {"sum": ADD, "mul": TIMES, "max": LARGER, "rest": REST}


def _pooling(a: Assembly, operation: Pool, x: int) -> None:
    channels, *lengths = a.shapes[x]
    pads, positions = windows(operation, lengths)
    call = network_structures.Pooling(
        *(0, *lengths, channels, *operation.size, *operation.stride, *(before for before, _ in pads)),
        *(*positions, isinstance(operation, AveragePool)),
    )
    a.steps.append(Step(POOL, x, a.make(operation, (channels, *positions)), call=call))
    a.products += channels * math.prod((*positions, *operation.size))


def _pooling_of_all(a: Assembly, operation: PoolOfAll, x: int) -> None:
    channels, *lengths = a.shapes[x]
    call = network_structures.Pooling(
        *(0, *lengths, channels, *lengths, *lengths, 0, 0, 1, 1, isinstance(operation, MeanOfAll))
    )
    a.steps.append(Step(POOL, x, a.make(operation, (channels,)), call=call))
    a.products += channels * math.prod(lengths)


def _zeros(a: Assembly, operation: Pad, x: int) -> None:
    channels, *lengths = a.shapes[x]
    made = [before + n + after for n, (before, after) in zip(lengths, operation.pads, strict=True)]
    first = [before for before, _ in operation.pads]
    call = network_structures.Placing(0, *lengths, channels, 1, 1, *first, 0, *made, channels, True)
    a.steps.append(Step(PLACE, x, a.make(operation, (channels, *made)), call=call))


def _repetition(a: Assembly, operation: Repeat, x: int) -> None:
    channels, *lengths = a.shapes[x]
    made = [n * times for n, times in zip(lengths, operation.times, strict=True)]
    call = network_structures.Placing(0, *lengths, channels, *operation.times, 0, 0, 0, *made, channels, False)
    a.steps.append(Step(PLACE, x, a.make(operation, (channels, *made)), call=call))


def _other_shape(a: Assembly, operation: InOrder, x: int) -> None:
    values = math.prod(a.shapes[x])
    *lengths, channels = operation.shape(values)
    call = network_structures.Placing(0, 1, 1, values, 1, 1, 0, 0, 0, 1, 1, values, False)
    slot = a.make(operation, (channels, *lengths, *(1,) * (len(lengths) == 1)))
    a.steps.append(Step(PLACE, x, slot, call=call))


def _repeated_row(a: Assembly, operation: RepeatRow, x: int) -> None:
    values = math.prod(a.shapes[x])
    call = network_structures.Placing(0, 1, 1, values, operation.steps, 1, 0, 0, 0, operation.steps, 1, values, False)
    a.steps.append(Step(PLACE, x, a.make(operation, (values, operation.steps, 1)), call=call))


def _join(a: Assembly, operation: Join, _: int) -> None:
    parts = [a.slot(ref) for ref in operation.inputs]
    lengths = () if operation.rank == 2 else a.shapes[parts[0]][1:]
    size = lengths or (1, 1)
    own_channels = [math.prod(a.shapes[x]) // math.prod(size) for x in parts]
    channels, first = sum(own_channels), 0
    slot = a.make(operation, (channels, *lengths))
    for x, own in zip(parts, own_channels, strict=True):
        call = network_structures.Placing(0, *size, own, 1, 1, 0, 0, first, *size, channels, False)
        a.steps.append(Step(PLACE, x, slot, call=call))
        first += own


def _combination(a: Assembly, operation: Add | Combine, x: int) -> None:
    other, mode = a.slot(operation.inputs[1]), "sum" if isinstance(operation, Add) else operation.mode
    a.steps.append(Step(_COMBINING[mode], x, a.make(operation, a.shapes[x]), other))


def _scale(a: Assembly, operation: Scale, x: int) -> None:
    factor, summand = (values.to(operation.gamma().dtype) for values in operation.factors())
    call = network_structures.Elements(0, len(factor), SCALE, operation.relu, *a.keep(factor, summand))
    a.steps.append(Step(SCALE, x, a.make_over(operation, x), call=call))


def _leak(a: Assembly, operation: Leak, x: int) -> None:
    shape = a.row_shape(operation, x)
    slopes = operation.slopes(1 + len(shape))
    slopes = SEQUENCE_AS_IMAGE(slopes) if slopes.dim() == 3 else slopes
    alike = slopes.numel() in (1, slopes.shape[1])  # at all positions
    factor = features_last(slopes.expand(1, shape[0], *((1,) * (len(shape) - 1) if alike else shape[1:])))
    factor = factor.permute(0, 2, 3, 1).flatten() if factor.dim() == 4 else factor.flatten()
    kind = BEND if operation.exponential else LEAK
    call = network_structures.Elements(0, len(factor), kind, False, *a.keep(factor))
    a.steps.append(Step(kind, x, a.make_over(operation, x), call=call))


def _marks(a: Assembly, operation: Mark, x: int) -> None:
    size, steps = a.shapes[x][:2] if operation.of_vectors else (1, *a.shapes[x])
    of_floats = operation.of_vectors or a.inputs[x].is_floating_point()
    call = network_structures.Marking(steps, size, MARK, of_floats, operation.value)
    a.steps.append(Step(MARK, x, a.make(operation, (steps,)), call=call))


def _shade(a: Assembly, operation: Shade, x: int) -> None:
    size, steps = a.shapes[x][:2]
    call = network_structures.Marking(steps, size, SHADE, True, 0.0)
    a.steps.append(Step(SHADE, x, a.make(operation, a.shapes[x]), a.slot(operation.inputs[1]), call=call))


def _activation(a: Assembly, operation: Apply, x: int) -> None:
    if operation.name == "flatten":
        a.slots[operation.number] = x
        return
    number, slot = ACTIVATIONS[operation.name], a.make_over(operation, x)
    a.steps.append(Step(ACTIVATE, x, slot, activation=number, columns=a.row_shape(operation, x)[0]))


VALUES: Adders = {
    Pool: _pooling,
    PoolOfAll: _pooling_of_all,
    Pad: _zeros,
    Repeat: _repetition,
    RepeatRow: _repeated_row,
    InOrder: _other_shape,
    Join: _join,
    Add: _combination,
    Combine: _combination,
    Scale: _scale,
    Leak: _leak,
    Mark: _marks,
    Shade: _shade,
    Apply: _activation,
}
"""What adds the steps of an operation to an assembly, the most special classes first."""
