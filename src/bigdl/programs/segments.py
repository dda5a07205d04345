"""Which operations the kernels in C++ can compute one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bigdl.programs.images import DepthwiseConvolve, Join, Leak, Pad, Pool, PoolOfAll, Repeat
from bigdl.programs.operations import Add, Apply, Convolve, Multiply, Operation, Ref, Scale
from bigdl.programs.structures import ACTIVATIONS
from bigdl.programs.views import View

Layout = Literal["images", "rows", "planes"]
"""Images are ``(images, channels, rows, columns)`` in channels-last memory; rows are ``(rows, values)``; planes are
images that are taken for rows with the values of one channel after those of the other, though they do not lie so."""

CHANNELS_LAST = (View.moving(4, 1, -1),)
"""How layers with channels last see images."""

CHANNELS_FIRST = (View.moving(4, -1, 1),)
"""How images of layers with channels last are seen."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Neighbouring operations.

    Attributes:
        operations: The operations, in order.
        layouts: The layout of what each makes.
        entries: What they take from outside.
        exits: The numbers of what is taken outside.
    """

    operations: tuple[Operation, ...]
    layouts: Mapping[int, Layout]
    entries: tuple[Ref, ...]
    exits: tuple[int, ...]


def segmented(operations: Sequence[Operation], outputs: Sequence[Ref]) -> list[Segment | Operation]:
    """Returns a program's operations with those that can be computed in C++ put together.

    Args:
        operations: The operations.
        outputs: The outputs of the program.
    """
    result: list[list[Operation] | Operation] = []
    layouts: dict[int, Layout] = {}
    for operation in operations:
        run = result[-1] if result and isinstance(result[-1], list) else None
        layout = _layout(operation, layouts) if run is not None else None
        if run is not None and layout is not None:
            run.append(operation)
        else:
            layouts = {}
            layout = _layout(operation, layouts)
            result.append(operation if layout is None else [operation])
        if layout is not None:
            layouts[operation.number] = layout
    return [item if isinstance(item, Operation) else _segment(item, operations, outputs) for item in result]


def _segment(run: Sequence[Operation], operations: Sequence[Operation], outputs: Sequence[Ref]) -> Segment:
    layouts: dict[int, Layout] = {}
    for operation in run:
        layout = _layout(operation, layouts)
        assert layout is not None
        layouts[operation.number] = layout
    entries = [ref for operation in run for ref in operation.inputs if ref.number not in layouts]
    outside = [ref for operation in operations if operation not in run for ref in operation.inputs]
    taken = {ref.number for ref in [*outside, *outputs]}
    exits = tuple(operation.number for operation in run if operation.number in taken)
    return Segment(tuple(run), layouts, tuple(dict.fromkeys(entries)), exits)


def taken_as(operation: Operation) -> Layout | None:
    """Returns the layout that an operation wants of what it takes; None where any will do."""
    if isinstance(operation, Scale | Join):
        return "rows" if operation.rank == 2 else "images"
    if isinstance(operation, Convolve | DepthwiseConvolve | Pool | PoolOfAll | Pad | Repeat):
        return "images"
    return "rows" if isinstance(operation, Multiply) else None


def _layout(operation: Operation, inside: Mapping[int, Layout]) -> Layout | None:
    """Returns the layout of what an operation makes, None where it does not go with those before it.

    Args:
        operation: The operation.
        inside: The layouts of what those before it make.
    """
    known = [inside.get(ref.number) for ref in operation.inputs]
    if operation.inputs and isinstance(operation, Apply) and operation.name == "flatten":
        views = operation.inputs[0].views
        if known[0] == "images" and views in (CHANNELS_LAST, ()):
            return "rows" if views else "planes"
        return "rows" if known[0] == "rows" and not views else None
    if any(layout is not None and ref.views for layout, ref in zip(known, operation.inputs, strict=True)):
        return None
    if "planes" in known:
        return "rows" if isinstance(operation, Multiply) and operation.rank == 2 else None
    wanted = taken_as(operation) or known[0]
    return _made_of(operation, known) if all(given in (None, wanted) for given in known) else None


def _made_of(operation: Operation, known: Sequence[Layout | None]) -> Layout | None:
    """Returns the layout of what an operation makes of what has these layouts, if it goes with them."""
    if isinstance(operation, Convolve | Pool):
        return "images" if len(operation.size) == 2 else None
    if isinstance(operation, DepthwiseConvolve):
        return "images" if operation.multiplier == 1 else None
    if isinstance(operation, Pad | Repeat):
        return "images" if len(operation.pads if isinstance(operation, Pad) else operation.times) <= 2 else None
    if isinstance(operation, PoolOfAll):
        return "rows" if operation.rank == 4 else None
    if isinstance(operation, Multiply):
        return "rows" if operation.rank == 2 else None
    if isinstance(operation, Join):
        return taken_as(operation) if operation.axis == 1 and operation.rank in (2, 4) else None
    if isinstance(operation, Scale):
        return taken_as(operation) if operation.rank in (2, 4) else None
    if isinstance(operation, Apply) and (operation.name in ACTIVATIONS or isinstance(operation, Leak)):
        return known[0] if operation.name != "softmax" or known[0] == "rows" else None
    return known[0] if isinstance(operation, Add) and known[0] == known[1] else None
