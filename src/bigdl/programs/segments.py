"""Which operations the kernels in C++ can compute one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bigdl.programs.images import (
    DepthwiseConvolve,
    InOrder,
    Join,
    Leak,
    Lookup,
    Pad,
    Pool,
    PoolOfAll,
    Repeat,
    RepeatRow,
)
from bigdl.programs.masks import Mark, Shade
from bigdl.programs.operations import Add, Apply, Combine, Convolve, Multiply, Operation, Ref, Scale
from bigdl.programs.recurrence import Recur
from bigdl.programs.structures import ACTIVATIONS
from bigdl.programs.views import IMAGE_AS_SEQUENCE, SEQUENCE_AS_IMAGE, View, Views

Layout = Literal["images", "channels last", "sequences", "rows", "planes", "numbers"]
"""Images are ``(images, channels, rows, columns)`` in channels-last memory, or the same with the channels last;
sequences are ``(sequences, steps, values)``, which are images of one column too; rows are ``(rows, values)``; planes
are images that are taken for rows with the values of one channel after those of the other, though they do not lie so;
numbers are ``(rows, steps)``, whole."""

RANKS: dict[Layout, int] = {"images": 4, "sequences": 3, "rows": 2, "numbers": 2}
"""The ranks of what can come from outside."""

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


def taken_as(operation: Operation, place: int = 0) -> Layout | None:
    """Returns the layout that an operation wants of what it takes; None where any will do.

    Args:
        operation: The operation.
        place: Which of its inputs.
    """
    if isinstance(operation, Recur | Shade):
        return "rows" if place else "sequences"
    if isinstance(operation, Mark):
        return "sequences" if operation.of_vectors else "numbers"
    if isinstance(operation, Scale | Join | Multiply):
        return _OF_RANK.get((type(operation), operation.rank))
    if isinstance(operation, Convolve | DepthwiseConvolve | Pool | PoolOfAll | Pad | Repeat):
        return "images"
    if isinstance(operation, Lookup):
        return "numbers"
    return "rows" if isinstance(operation, RepeatRow) else None


def _layout(operation: Operation, inside: Mapping[int, Layout]) -> Layout | None:
    """Returns the layout of what an operation makes, None where it does not go with those before it.

    Args:
        operation: The operation.
        inside: The layouts of what those before it make.
    """
    refs = operation.inputs
    if any(ref.number in inside and _seen(inside[ref.number], ref.views) is None for ref in refs):
        return None
    known = [_seen(inside[ref.number], ref.views) if ref.number in inside else None for ref in refs]
    wanted = [taken_as(operation, i) or known[0] for i in range(len(known))]
    if "planes" in known:
        return "rows" if wanted == ["rows"] and isinstance(operation, Multiply) else None
    fits = all(given in (None, layout) for given, layout in zip(known, wanted, strict=True))
    return _made_of(operation, known) if fits else None


def _seen(layout: Layout, views: Views) -> Layout | None:
    """Returns the layout that a value has as it is seen; None where its memory would have to be put in order."""
    return layout if not views else _SEEN.get((layout, views))


_SEEN: dict[tuple[Layout, Views], Layout] = {
    ("images", (IMAGE_AS_SEQUENCE,)): "sequences",
    ("sequences", (SEQUENCE_AS_IMAGE,)): "images",
    ("images", CHANNELS_LAST): "channels last",
    ("channels last", CHANNELS_FIRST): "images",
}

_OF_RANK: dict[tuple[type[Operation], int], Layout] = {
    (Scale, 2): "rows",
    (Scale, 4): "images",
    (Join, 2): "rows",
    (Join, 3): "sequences",
    (Join, 4): "images",
    (Multiply, 2): "rows",
    (Multiply, 3): "sequences",
}


_OF_ROWS: dict[int, Layout] = {1: "rows", 2: "sequences", 3: "channels last"}
"""The layouts of what lies in order, by the rank of a row."""


def _made_of(operation: Operation, known: Sequence[Layout | None]) -> Layout | None:
    """Returns the layout of what an operation makes of what has these layouts, if it goes with them."""
    if isinstance(operation, Scale | Join | Multiply):
        side_by_side = not isinstance(operation, Join) or operation.axis == (2 if operation.rank == 3 else 1)
        return taken_as(operation) if side_by_side else None
    if isinstance(operation, Convolve) and operation.over_all:
        return "rows" if len(operation.size) == 2 else None
    if isinstance(operation, Convolve | Pool):
        return "images" if len(operation.size) == 2 else None
    if isinstance(operation, DepthwiseConvolve):
        return "images" if operation.multiplier == 1 else None
    if isinstance(operation, Pad | Repeat):
        return "images" if len(operation.pads if isinstance(operation, Pad) else operation.times) == 2 else None
    if isinstance(operation, PoolOfAll):
        return "rows" if operation.rank == 4 else None
    if isinstance(operation, Lookup | RepeatRow | Shade):
        return "sequences"
    if isinstance(operation, Mark):
        return "rows"
    if isinstance(operation, Apply) and operation.name == "flatten":
        return None if known[0] is None else "planes" if known[0] == "images" else "rows"
    if isinstance(operation, Leak) or (isinstance(operation, Apply) and operation.name in ACTIVATIONS):
        return None if known[0] == "channels last" else known[0]
    if isinstance(operation, Recur):
        return ("sequences" if operation.sequences else "rows") if operation.merge is None else None
    if isinstance(operation, InOrder):
        in_order = known[0] in ("rows", "sequences", "channels last")
        return _OF_ROWS.get(len(operation.target)) if in_order else None
    return known[0] if isinstance(operation, Add | Combine) and known[0] == known[1] != "channels last" else None
