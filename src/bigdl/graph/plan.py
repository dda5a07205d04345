"""A graph as a flat list of steps, made once; running a model only walks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bigdl.errors import LayerError
from bigdl.graph.arithmetic import recorded
from bigdl.graph.layer import Layer
from bigdl.graph.tensor import Node, SymbolicTensor

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Step:
    """One call: which values it takes, where its results go, and which values nobody needs after it.

    ``unmasked`` are the numbers of the inputs whose masks do not count; see ``Node``.
    """

    layer: Layer
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    done: tuple[int, ...]
    unmasked: frozenset[int]


class Kept(dict[Any, Any]):
    """What has been made of a plan, by whom; a copy of the plan starts without it."""

    def __deepcopy__(self, memo: Any) -> Kept:
        return Kept()

    def __reduce__(self) -> Any:
        return Kept, ()


class Plan:
    """The steps of a graph over numbered values.

    Attributes:
        steps: The steps, in the order in which they can run.
        inputs: The values that are given.
        outputs: The values that are wanted.
        size: How many values there are.
        tensors: The tensor of the graph behind each value.
        kept: What others have made of this plan, to be used again.

    Args:
        inputs: The tensors that are given.
        outputs: The tensors that are wanted.
        nodes: The calls, each after those it depends on.

    Raises:
        LayerError: A tensor that is needed cannot be computed from the inputs.
    """

    def __init__(
        self, inputs: Sequence[SymbolicTensor], outputs: Sequence[SymbolicTensor], nodes: Sequence[Node]
    ) -> None:
        slots: dict[SymbolicTensor, int] = {tensor: i for i, tensor in enumerate(inputs)}
        calls = [node for node in nodes if not all(tensor in slots for tensor in node.outputs)]
        for node in calls:
            _check_computable(node, slots)
            for tensor in node.outputs:
                slots.setdefault(tensor, len(slots))
        self.inputs = tuple(range(len(inputs)))
        self.outputs = tuple(slots[tensor] for tensor in outputs)
        self.size = len(slots)
        self.tensors = tuple(slots)
        self.kept = Kept()
        last_use = {slots[x]: i for i, node in enumerate(calls) for x in node.inputs}
        keep = set(self.outputs)
        self.steps = [
            Step(
                node.layer,
                tuple(slots[x] for x in node.inputs),
                tuple(slots[x] for x in node.outputs),
                tuple(slot for slot in {slots[x] for x in node.inputs} if last_use[slot] == i and slot not in keep),
                node.unmasked,
            )
            for i, node in enumerate(calls)
        ]

    def run(self, inputs: Sequence[Any], masks: Sequence[Any], applied: bool) -> tuple[list[Any], list[Any]]:
        """Computes the outputs and their masks.

        Args:
            inputs: A torch tensor for each input.
            masks: Its mask or None.
            applied: Whether the graph is a layer of another one, so that the masks of ``unmasked`` inputs count too.
        """
        values: list[Any] = [*inputs, *(None for _ in range(self.size - len(inputs)))]
        value_masks: list[Any] = [*masks, *(None for _ in range(self.size - len(masks)))]
        notes = recorded()
        for step in self.steps:
            if len(step.inputs) == 1:
                x, mask = values[step.inputs[0]], value_masks[step.inputs[0]]
                masked = mask is not None
            else:
                x, mask = [values[i] for i in step.inputs], [value_masks[i] for i in step.inputs]
                if step.unmasked and not applied:
                    mask = [None if i in step.unmasked else m for i, m in enumerate(mask)]
                masked = any(m is not None for m in mask)
            y, y_mask = step.layer.run(x, mask, masked)
            if len(step.outputs) == 1:
                values[step.outputs[0]], value_masks[step.outputs[0]] = y, y_mask
            else:
                for k, slot in enumerate(step.outputs):
                    values[slot] = y[k]
                    value_masks[slot] = None if y_mask is None else y_mask[k]
            for slot in step.done if notes is None else ():
                values[slot] = value_masks[slot] = None
        if notes is not None:
            notes.update(zip(self.tensors, values, strict=True))
        return [values[i] for i in self.outputs], [value_masks[i] for i in self.outputs]

    def infer(self, inputs: Sequence[T], rule: Callable[[Layer, list[T]], list[T]]) -> list[T]:
        """Carries static facts (shapes, mask types) from the inputs to the outputs.

        Args:
            inputs: The fact of each input.
            rule: Gives the facts of a layer's outputs from those of its inputs.
        """
        facts: dict[int, T] = dict(zip(self.inputs, inputs, strict=True))
        for step in self.steps:
            facts.update(zip(step.outputs, rule(step.layer, [facts[i] for i in step.inputs]), strict=True))
        return [facts[i] for i in self.outputs]


def _check_computable(node: Node, slots: dict[SymbolicTensor, int]) -> None:
    layer = node.layer
    if not node.inputs:
        raise LayerError(
            f"The model's outputs depend on {layer.name!r} ({type(layer).__name__}), which is not among its inputs. "
            "Add that input to the model's inputs."
        )
    missing = [x for x in node.inputs if x not in slots]
    if missing:
        raise LayerError(f"Layer {layer.name!r} ({type(layer).__name__}): {missing[0]} cannot be computed.")
