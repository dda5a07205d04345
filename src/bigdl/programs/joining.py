"""Neighbouring operations made one, and work left out that nobody looks at.

Each function takes a program's operations and its outputs, and returns operations that compute the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from torch import Tensor

from bigdl.programs.images import LargestOfAll, MaxPool, Pad
from bigdl.programs.normalization import Normalize
from bigdl.programs.operations import (
    Add,
    Affine,
    Apply,
    Chain,
    Convolve,
    Drop,
    Multiply,
    Operation,
    Ref,
    Scale,
    Unfold,
    uses,
)
from bigdl.programs.structures import ACTIVATIONS
from bigdl.programs.views import features_last

Operations = list[Operation]
Maker = Callable[[Ref], Operation | None]
"""Gives the operation that made a value, if the value is taken once and as it is."""

Join = Callable[[Operation, Maker], tuple[Operation, Operations] | None]
"""Gives the maker that an operation can be joined with, and what takes the place of both; None where there is none."""


def joined_for_prediction(operations: Operations, outputs: Sequence[Ref]) -> Operations:
    """Returns operations for prediction: zeros, scales, sums and ``relu`` are put into the products."""
    operations = _without_unused(operations, outputs)
    joined = _joined(operations, outputs, (_with_zeros, _scaled, _summed, _rectified, _pooled, _taken_over_line))
    return _in_place(without_unused_cells(joined, outputs), outputs)


def joined_for_training(operations: Operations, outputs: Sequence[Ref]) -> Operations:
    """Returns operations for training: ``relu`` after pooling, where it has less to do, and both into products."""
    joins = (_with_zeros, _pooled, _taken_over_all, _rectified, _dropped)
    operations = _without_unused(operations, outputs)
    return _joined(_joined(operations, outputs, (_pooled_first,)), outputs, joins)


def chained(operations: Operations, outputs: Sequence[Ref]) -> Operations:
    """Returns operations that were joined for training, products with matrices that follow each other made one, with
    what stands between them.
    """
    return _joined(operations, outputs, (_linked,))


def _without_unused(operations: Operations, outputs: Sequence[Ref]) -> Operations:
    """Leaves out rows taken for steps that are taken for rows again."""
    counts = uses(operations, outputs)
    return [one for one in operations if not isinstance(one, Unfold) or counts.get(one.number)]


def _joined(operations: Operations, outputs: Sequence[Ref], joins: Sequence[Join]) -> Operations:
    counts = uses(operations, outputs)
    kept: dict[int, Operation] = {}

    def maker(ref: Ref) -> Operation | None:
        return kept.get(ref.number) if counts[ref.number] == 1 and not ref.views else None

    for operation in operations:
        found = next((made for join in joins if (made := join(operation, maker)) is not None), None)
        if found is None:
            kept[operation.number] = operation
        else:
            del kept[found[0].number]
            kept.update((made.number, made) for made in found[1])
    return list(kept.values())


def _with_zeros(operation: Operation, maker: Maker) -> tuple[Operation, Operations] | None:
    """Zeros before a convolution that has none of its own."""
    zeros = maker(operation.inputs[0])
    if not isinstance(operation, Convolve) or not isinstance(zeros, Pad) or operation.padded:
        return None
    if min(map(min, zeros.pads)) < 0:
        return None
    return zeros, [replace(operation, inputs=zeros.inputs, pads=lambda lengths: zeros.pads, padded=True)]


def _scaled(operation: Operation, maker: Maker) -> tuple[Operation, Operations] | None:
    """A scale after a product: the product with other weights."""
    product = maker(operation.inputs[0])
    if not isinstance(operation, Scale) or not isinstance(product, Affine) or product.is_finished:
        return None
    if isinstance(product, Multiply) and operation.rank != 2:  # its features are last, not those of axis 1
        return None
    return product, [replace(product, number=operation.number, scales=[*product.scales, operation])]


def _summed(operation: Operation, maker: Maker) -> tuple[Operation, Operations] | None:
    """A sum after a convolution, which adds to its result what it is given."""
    if not isinstance(operation, Add):
        return None
    for one, other in (operation.inputs, operation.inputs[::-1]):
        product = maker(one)
        if isinstance(product, Convolve) and not product.is_finished:
            return product, [replace(product, number=operation.number, inputs=[*product.inputs, other])]
    return None


def _rectified(operation: Operation, maker: Maker) -> tuple[Operation, Operations] | None:
    """``relu`` after a product, a scale or a normalization, done while the result is at hand."""
    product = maker(operation.inputs[0])
    if not _is_relu(operation) or not isinstance(product, Affine | Scale | Normalize) or product.relu:
        return None
    return product, [replace(product, number=operation.number, relu=True)]


def _pooled(operation: Operation, maker: Maker) -> tuple[Operation, Operations] | None:
    """Pooling by the largest after a convolution, done while the result is at hand."""
    product = maker(operation.inputs[0])
    if not isinstance(operation, MaxPool) or operation.window is None or not isinstance(product, Convolve):
        return None
    if product.window is not None or len(product.inputs) > 1:
        return None
    return product, [replace(product, number=operation.number, window=operation.window)]


def _taken_over_all(operation: Operation, maker: Maker) -> tuple[Operation, Operations] | None:
    """The largest over all positions after a convolution: few of its values have a gradient then."""
    product = maker(operation.inputs[0])
    if not isinstance(operation, LargestOfAll) or not isinstance(product, Convolve) or product.is_finished:
        return None
    return product, [replace(product, number=operation.number, over_all=True)]


def _taken_over_line(operation: Operation, maker: Maker) -> tuple[Operation, Operations] | None:
    """The largest over all positions in prediction; not where a convolution by squares has quicker ways of its own."""
    product = maker(operation.inputs[0])
    if not isinstance(operation, LargestOfAll) or not isinstance(product, Convolve) or min(product.size) > 1:
        return None
    if product.window is not None or len(product.inputs) > 1:
        return None
    return product, [replace(product, number=operation.number, over_all=True)]


def _dropped(operation: Operation, maker: Maker) -> tuple[Operation, Operations] | None:
    """Dropping after a ``relu``, whose result tells the gradient what was dropped."""
    product = maker(operation.inputs[0])
    if not isinstance(operation, Drop) or not isinstance(product, Affine) or not product.relu or product.drop:
        return None
    return product, [replace(product, number=operation.number, drop=operation)]


def _linked(operation: Operation, maker: Maker) -> tuple[Operation, Operations] | None:
    """What a chain is made of, after such a chain: a product, a normalization, dropping, or an activation after one of
    the first two that has none.
    """
    before = maker(operation.inputs[0]) if operation.inputs else None
    if not isinstance(before, Multiply | Normalize | Chain):
        return None
    parts = before.parts if isinstance(before, Chain) else [before]
    last = parts[-1]
    if any(isinstance(part, Multiply | Normalize) and part.rank != 2 for part in (operation, last)):
        return None
    if isinstance(operation, Apply) and not isinstance(operation, Drop):
        known = operation.name in ACTIVATIONS and (operation.name != "softmax" or isinstance(last, Multiply))
        if not known or not isinstance(last, Multiply | Normalize) or last.relu:
            return None
    elif not isinstance(operation, Multiply | Normalize | Drop):
        return None
    return before, [Chain(before.inputs, operation.number, [*parts, operation])]


def _pooled_first(operation: Operation, maker: Maker) -> tuple[Operation, Operations] | None:
    """Pooling by the largest after ``relu``: the same the other way round, and so are the gradients."""
    relu = maker(operation.inputs[0])
    if not isinstance(operation, MaxPool | LargestOfAll) or relu is None or not _is_relu(relu):
        return None
    pooled = replace(operation, inputs=relu.inputs, number=relu.number)
    return relu, [pooled, replace(relu, inputs=[Ref(relu.number)], number=operation.number)]


def _is_relu(operation: Operation) -> bool:
    return isinstance(operation, Apply) and operation.name == "relu"


def without_unused_cells(operations: Operations, outputs: Sequence[Ref]) -> Operations:
    """Moves the strides of convolutions of one cell towards the beginning.

    Such a convolution looks at a part of its input only. Where all that takes a value does, with one stride, the
    convolution behind the value takes the stride itself and computes nothing but that part.
    """
    number = max((operation.number for operation in operations), default=0)
    result: Operations = []  # from the end
    takers: dict[int, list[tuple[Convolve | None, int]]] = {ref.number: [(None, 0)] for ref in outputs}
    for operation in reversed(operations):
        stride = _common_stride([_skipped(*taker) for taker in takers.get(operation.number, ())])
        parts: Operations = []
        if isinstance(operation, Convolve) and operation.window is None and stride:
            for taker, _ in takers[operation.number]:
                assert taker is not None
                taker.stride = (1,) * len(stride)
            for i, ref in enumerate(operation.inputs[1:], start=1):
                number += 1
                parts.append(Apply([ref], number, _part(stride)))
                operation.inputs[i] = Ref(number)
            operation.stride = tuple(a * b for a, b in zip(operation.stride, stride, strict=True))
        result += [operation, *parts]
        for one in (operation, *parts):
            for i, ref in enumerate(one.inputs):
                takers.setdefault(ref.number, []).append((one if isinstance(one, Convolve) else None, i))
    return result[::-1]


def _skipped(taker: Convolve | None, position: int) -> tuple[int, ...]:
    """Returns the stride with which a value is looked at; nothing where all of it is."""
    if taker is None or position or taker.inputs[0].views or taker.padded or max(taker.size) > 1:
        return ()
    return taker.stride if max(taker.stride) > 1 else ()


def _common_stride(strides: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    return strides[0] if strides and len(set(strides)) == 1 else ()


def _part(stride: tuple[int, ...]) -> Callable[[Tensor], Tensor]:
    cells = (slice(None), slice(None), *(slice(None, None, step) for step in stride))
    return lambda x: features_last(x[cells])


def _in_place(operations: Operations, outputs: Sequence[Ref]) -> Operations:
    """Lets sums take the memory of a convolution's result that nobody needs after them."""
    last = {ref.number: operation for operation in operations for ref in operation.inputs}
    fresh = {operation.number for operation in operations if isinstance(operation, Convolve)}
    fresh -= {ref.number for ref in outputs}
    for operation in operations:
        if isinstance(operation, Convolve) and len(operation.inputs) > 1:
            x, other = operation.inputs[0].number, operation.inputs[1].number
            operation.in_place = other != x and other in fresh and last[other] is operation
    return operations
