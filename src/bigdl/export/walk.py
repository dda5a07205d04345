"""Running through a model's graph with something else than tensors: with the tensors of another format's graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from bigdl.graph import Container, Layer

V = TypeVar("V")
M = TypeVar("M")

Results = tuple[list[V], list[M | None]]
"""Values and their masks."""


def walk(
    model: Container,
    inputs: Sequence[V],
    masks: Sequence[M | None],
    call: Callable[[Layer, list[V], list[M | None]], Results[V, M]],
    inside: bool = False,
) -> Results[V, M]:
    """Calls every layer of a model once for each of its calls, in an order in which they can run.

    Args:
        model: The model.
        inputs: A value for each input.
        masks: The mask of each, or None.
        call: Takes a layer, its inputs and their masks; returns its outputs and their masks.
        inside: Whether the model is a layer of another one, so that the masks of ``unmasked`` inputs count too; see
            ``Node``.

    Returns:
        The values of the outputs, and their masks.
    """
    plan = model.graph.plan
    values: dict[int, V] = dict(zip(plan.inputs, inputs, strict=True))
    value_masks: dict[int, M | None] = dict(zip(plan.inputs, masks, strict=True))
    for step in plan.steps:
        unmasked = frozenset() if inside else step.unmasked
        given = [None if i in unmasked else value_masks[slot] for i, slot in enumerate(step.inputs)]
        made, made_masks = call(step.layer, [values[slot] for slot in step.inputs], given)
        values.update(zip(step.outputs, made, strict=True))
        value_masks.update(zip(step.outputs, made_masks, strict=True))
    return [values[slot] for slot in plan.outputs], [value_masks[slot] for slot in plan.outputs]
