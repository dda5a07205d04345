"""From the layers of a graph to operations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard, TypeVar

from torch import Tensor

from bigdl.graph import Container, Layer
from bigdl.programs.images import Join
from bigdl.programs.operations import Add, Apply, Call, Combine, Fold, Operation, Ref, Unfold
from bigdl.programs.plain import is_plain
from bigdl.programs.views import View, followed

L = TypeVar("L", bound=Layer)
Lower = Callable[[Any, "Lowering", Any], Ref | None]
Masks = Sequence[Ref | None]


@dataclass(frozen=True, slots=True)
class _Rule:
    """How layers of one class are lowered, and the attributes that this depends on."""

    lower: Lower
    attributes: tuple[str, ...]


class _Unsaid:
    """In place of what nobody has said."""


_UNSAID = _Unsaid()
_rules: dict[type, _Rule] = {}
_OF_MAKING = {"__init__", "__doc__", "__module__", "__annotations__", "__parameters__", "__orig_bases__"}


def lowers(*classes: type[Layer], uses: Sequence[str] = ()) -> Callable[[Lower], Lower]:
    """Decorator of functions that write down what layers of these very classes compute.

    The function gets the layer, the ``Lowering`` to write to, and the ``Ref`` of the input (a list of them where there
    are several). It returns the ``Ref`` of the output, or None where it cannot say; the layer is then called. Classes
    of users, which may compute something else, are always called; classes that only take other arguments are not.

    Args:
        classes: The classes.
        uses: The layers' attributes that the function looks at; where one is set anew, it is asked again.
    """

    def register(function: Lower) -> Lower:
        _rules.update((cls, _Rule(function, tuple(uses))) for cls in classes)
        return function

    return register


class NoProgramError(Exception):
    """A model has to be run layer by layer."""


class Lowering:
    """Writes operations down.

    Attributes:
        training: Whether the program is for training; else it is for prediction.
        operations: What was written so far.
        watched: Each lowered layer with the attributes that its operations depend on.
        called: The layers that are called as they are.
        mask: Which steps of the input count, of the layer that is being written down; None for all of them.
        mask_behind: The same of its output, where a rule has said so.
    """

    def __init__(self, training: bool) -> None:
        self.training = training
        self.operations: list[Operation] = []
        self.watched: list[tuple[Layer, tuple[str, ...]]] = []
        self.called: list[Layer] = []
        self.mask: Ref | None = None
        self.mask_behind: Ref | _Unsaid | None = _UNSAID
        self._ranks: dict[Layer, int] = {}
        self._next = 0

    def input(self) -> Ref:
        """Returns a new input of the program."""
        return Ref(self._number())

    def _number(self) -> int:
        self._next += 1
        return self._next - 1

    # What rules write.

    def view(self, x: Ref, view: View) -> Ref:
        """Returns a value seen with its axes changed."""
        return Ref(x.number, followed(x.views, view))

    def write(self, kind: Callable[..., Operation], *inputs: Ref, **attributes: Any) -> Ref:
        """Writes an operation down.

        Args:
            kind: Its class.
            inputs: What it takes.
            attributes: The rest of its attributes.

        Returns:
            What it makes.
        """
        self.operations.append(kind(list(inputs), self._number(), **attributes))
        return Ref(self.operations[-1].number)

    def apply(self, function: Callable[..., Any], *inputs: Ref, **attributes: Any) -> Ref:
        """Writes down a function of tensors; see ``Apply``."""
        return self.write(Apply, *inputs, function=function, **attributes)

    def elementwise(self, function: Callable[[Tensor], Tensor], x: Ref, name: str) -> Ref:
        """Writes down a function that treats each element by itself.

        Args:
            function: The function.
            x: What it takes.
            name: Keras's name of it.
        """
        return self.value_by_value(Apply, x, function=function, name=name)

    def value_by_value(self, kind: Callable[..., Operation], x: Ref, **attributes: Any) -> Ref:
        """Writes down an operation that leaves values where they are, so that views of them can wait; see ``write``."""
        return Ref(self.write(kind, Ref(x.number), **attributes).number, x.views)

    def combine(self, x: Ref, y: Ref, mode: str) -> Ref:
        """Writes down what two tensors of one shape make, value by value.

        Args:
            x: One of them.
            y: The other one.
            mode: ``"sum"``, or a mode of ``Combine``.
        """
        views = x.views if x.views == y.views else None
        given = (x, y) if views is None else (Ref(x.number), Ref(y.number))
        made = self.write(Add, *given) if mode == "sum" else self.write(Combine, *given, mode=mode)
        return Ref(made.number, views or ())

    def join(self, parts: Sequence[Ref], axis: int, rank: int) -> Ref:
        """Writes down tensors side by side.

        Args:
            parts: The tensors.
            axis: The axis along which they lie.
            rank: Their rank.
        """
        views = parts[0].views
        if len(views) == 1 and all(x.views == views for x in parts):
            origin = views[0].origin(axis)
            if origin is not None:
                plain = [Ref(x.number) for x in parts]
                return Ref(self.write(Join, *plain, axis=origin, rank=len(views[0].order)).number, views)
        return self.write(Join, *parts, axis=axis, rank=rank)

    # Layers inside of others.

    def rank(self, layer: Layer) -> int:
        """Returns the rank of what a layer takes."""
        return self._ranks.get(layer) or len(layer.inbound_nodes[0].inputs[0].shape)

    def inside(self, layer: Layer, x: Ref, rank: int) -> Ref | None:
        """Writes down a layer that another one calls; returns None where it has to be called.

        Args:
            layer: The layer inside.
            x: What it takes.
            rank: Its rank.
        """
        self._ranks[layer] = rank
        return self._unmasked(lambda: self._by_rule(layer, x))

    def each_step(self, layer: Layer, x: Ref, rank: int) -> Ref | None:
        """Writes down a layer that is applied to every step of sequences, as one of a larger batch.

        Args:
            layer: The layer inside.
            x: What the layer around it takes.
            rank: Its rank.

        Returns:
            What it makes; None where the layer has to be called.
        """
        makers = {operation.number: operation for operation in self.operations}
        before = makers.get(x.number)
        unfolded = isinstance(before, Unfold) and not x.views
        folded = before.inputs[0] if before is not None and unfolded else self.write(Fold, x)
        original = before.inputs[1] if before is not None and unfolded else x
        if _is_graph(layer):
            made = self._unmasked(lambda: self.graph(layer, [folded])[0][0])
        else:
            made = self.inside(layer, folded, rank - 1)
        return None if made is None else self.write(Unfold, made, original)

    def _unmasked(self, write: Callable[[], Ref | None]) -> Ref | None:
        """Writes down what a layer inside of another one computes, which does not see the mask."""
        mask, self.mask = self.mask, None
        made = write()
        self.mask, self.mask_behind = mask, _UNSAID
        return made

    # Graphs.

    def graph(self, model: Container, inputs: Sequence[Ref], masks: Masks = ()) -> tuple[list[Ref], Masks]:
        """Writes down a graph, nested ones included.

        Args:
            model: The graph.
            inputs: What it takes.
            masks: Which steps of each count; none for all of all.

        Returns:
            What it makes, and the masks of that.

        Raises:
            NoProgramError: Nobody can say where a mask goes.
        """
        plan = model.graph.plan
        values: list[Any] = [*inputs, *(None for _ in range(plan.size - len(inputs)))]
        value_masks: list[Ref | None] = [*masks, *(None for _ in range(plan.size - len(masks)))]
        for step in plan.steps:
            given, given_masks = [values[i] for i in step.inputs], [value_masks[i] for i in step.inputs]
            if step.unmasked and any(given_masks):
                raise NoProgramError
            made, made_masks = self._layer(step.layer, given, given_masks, len(step.outputs))
            for slot, one, mask in zip(step.outputs, made, made_masks, strict=True):
                values[slot], value_masks[slot] = one, mask
        return [values[i] for i in plan.outputs], [value_masks[i] for i in plan.outputs]

    def _layer(self, layer: Layer, inputs: list[Ref], masks: Masks, outputs: int) -> tuple[list[Ref], Masks]:
        if _is_graph(layer):
            return self.graph(layer, inputs, masks)
        self.mask, self.mask_behind = next(filter(None, masks), None), _UNSAID
        is_masked = self.mask is not None or layer.creates_mask
        if is_masked and self.training:
            raise NoProgramError
        written = self._by_rule(layer, inputs[0] if len(inputs) == 1 else inputs)
        if is_masked and written is None and (layer.consumes_mask or layer.creates_mask):
            raise NoProgramError
        made = [written] if written is not None else self.call(layer, inputs, outputs)
        return made, [self._mask_behind(layer) if is_masked else None] * outputs

    def _mask_behind(self, layer: Layer) -> Ref | None:
        if not isinstance(self.mask_behind, _Unsaid):
            return self.mask_behind
        if getattr(layer.compute_mask, "__func__", None) is not Layer.compute_mask:
            raise NoProgramError
        return self.mask if layer.supports_masking else None

    def _by_rule(self, layer: Layer, inputs: Any) -> Ref | None:
        rule = rule_of(type(layer))
        if rule is None:
            return None
        self.watched.append((layer, rule.attributes))
        return rule.lower(layer, self, inputs) if is_plain(layer) else None

    def call(self, layer: Layer, inputs: list[Ref], outputs: int = 1) -> list[Ref]:
        """Writes down the call of a layer, whatever it does.

        Args:
            layer: The layer.
            inputs: What it takes.
            outputs: How many tensors it makes.
        """
        self.called.append(layer)

        def call(*x: Any) -> Any:
            return layer.run(x[0] if len(x) == 1 else list(x), None, masked=False)[0]

        made = self.write(Call, *inputs, function=call, layer=layer)
        if outputs == 1:
            return [made]
        return [self.apply(lambda y, i=i: y[i], made) for i in range(outputs)]


def _is_graph(layer: Layer) -> TypeGuard[Container]:
    """Whether a layer is a graph that does nothing but what its layers do."""
    return isinstance(layer, Container) and type(layer).run is Container.run and "run" not in vars(layer)


def rule_of(cls: type) -> _Rule | None:
    """Returns the rule of a class, or of the one that it is made from in another way only."""
    for base in cls.__mro__:
        if base in _rules:
            return _rules[base]
        if vars(base).keys() - _OF_MAKING:
            return None
    return None
