"""The ways in which parts of a network are computed, and differentiated, without a record of the whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor

from bigdl.graph import Layer
from bigdl.programs.by_hand import HandCall, Watch, caller_set
from bigdl.programs.images import InOrder, Join, Reverse
from bigdl.programs.operations import Add, Apply, Call, Fold, Operation, Unfold
from bigdl.programs.plain import is_of_library

Weighted = Sequence[tuple[int, Tensor]]
"""Gradients by weights, each with the weight's number."""

Back = Callable[[Tensor], tuple[Sequence[Tensor | None], Weighted]]
"""Gives the gradients by inputs and weights from that of the result."""


class Part(NamedTuple):
    """An operation of a network, as it is computed.

    Attributes:
        function: What computes it.
        operation: The operation.
        done: The numbers of what nobody needs after it.
    """

    function: Callable[..., Any]
    operation: Operation
    done: Sequence[int]


Way = Callable[[Part, Sequence[Tensor], Sequence[bool], Mapping[int, int]], tuple[Tensor, Back | None]]
"""Computes a part from its inputs, whether the gradient by each is wanted, and the weights' numbers by identity."""


class Direct(Protocol):
    """Computes one kind of part in memory that stays from step to step."""

    def takes(self, x: Tensor) -> bool:
        """Whether it computes the part for such an input."""

    def run(self, x: Tensor) -> Tensor:
        """Computes the result, for an input that it takes."""

    def gradients(self, wants_x: bool, of_y: Tensor) -> tuple[Sequence[Tensor | None], Weighted]:
        """Returns the gradients of what ``run`` has returned last, as ``Back`` does; the next step overwrites them.

        Args:
            wants_x: Whether that by the input is wanted.
            of_y: The gradient of the result.
        """


_makers: dict[type[Layer], Callable[[Any, Sequence[Tensor]], Direct]] = {}
M = TypeVar("M", bound=Callable[[Any, Sequence[Tensor]], Direct])


def directly(*kinds: type[Layer]) -> Callable[[M], M]:
    """Registers what computes layers of some classes: of a layer, and the weights whose gradients are wanted.

    Args:
        kinds: The classes; what is derived from one may do something else.
    """

    def add(maker: M) -> M:
        _makers.update(dict.fromkeys(kinds, maker))
        return maker

    return add


def direct_layer(operation: Operation, parameters: Sequence[Tensor]) -> Direct | None:
    """Returns what computes the call of a layer; None where nothing is registered.

    Args:
        operation: The operation.
        parameters: The weights whose gradients are wanted.
    """
    if not isinstance(operation, Call):
        return None
    maker = _makers.get(type(operation.layer))
    return None if maker is None else maker(operation.layer, parameters)


def by_function(part: Part, x: Sequence[Tensor], wanted: Sequence[bool], numbers: Mapping[int, int]) -> Any:
    """Calls the one function of ours that a part is."""
    call = HandCall(list(zip(x, wanted, strict=True)), numbers)
    with caller_set(call):
        y = part.function(*x)
    call.check(y)
    return y, call.gradients


def by_torch(part: Part, x: Sequence[Tensor], wanted: Sequence[bool], numbers: Mapping[int, int]) -> Any:
    """Lets torch record a part by itself."""
    own = [one.detach().requires_grad_() if of_one else one for one, of_one in zip(x, wanted, strict=True)]
    y = part.function(*own)
    weights = _weights(part.operation)
    known = [(numbers[id(weight)], weight) for weight in weights if weight is not None and id(weight) in numbers]
    targets = [one for one, of_one in zip(own, wanted, strict=True) if of_one]

    def back(gradient: Tensor) -> tuple[list[Tensor | None], Weighted]:
        found = iter(torch.autograd.grad(y, [*targets, *(weight for _, weight in known)], gradient, allow_unused=True))
        by_inputs = [next(found) if of_one else None for of_one in wanted]
        return by_inputs, [(number, one) for (number, _), one in zip(known, found, strict=True) if one is not None]

    return y.detach(), back


def _weights(operation: Operation) -> Sequence[Tensor | None]:
    if isinstance(operation, Call):
        return list(operation.layer.parameters())
    return [source.owner[source.name] for source in operation.sources()]


def alone(part: Part, x: Sequence[Tensor], *_: Any) -> Any:
    """Computes a part that has no gradient."""
    return part.function(*x), None


def in_order(part: Part, x: Sequence[Tensor], *_: Any) -> Any:
    """Computes what leaves the values of its first input in their order."""
    shape, others = x[0].shape, [None] * (len(x) - 1)
    return part.function(*x), lambda gradient: ([gradient.reshape(shape), *others], [])


def side_by_side(part: Part, x: Sequence[Tensor], *_: Any) -> Any:
    """Computes a concatenation."""
    operation: Any = part.operation
    sizes = [one.shape[operation.axis] for one in x]
    return part.function(*x), lambda gradient: (gradient.split(sizes, operation.axis), [])


def in_reverse(part: Part, x: Sequence[Tensor], *_: Any) -> Any:
    """Computes the steps of sequences, the last one first."""
    return part.function(*x), lambda gradient: ([gradient.flip(1)], [])


def added(part: Part, x: Sequence[Tensor], *_: Any) -> Any:
    """Computes a sum."""
    return part.function(*x), lambda gradient: ([gradient, gradient], [])


def way_of(part: Part, x: Sequence[Tensor], y: Any, watch: Watch) -> Way | None:
    """Returns the way to compute a part.

    Args:
        part: The part.
        x: What it has taken.
        y: What it has made, recorded.
        watch: What has seen it.

    Returns:
        The way; None where there is none.
    """
    operation = part.operation
    is_one_function = watch.is_one_function(x, y)
    if type(y) is not Tensor:
        return None
    if not y.requires_grad:
        return alone
    if is_one_function:
        return by_function
    if isinstance(operation, Apply) and operation.name == "flatten":
        return in_order
    for kind, way in _WAYS.items():
        if isinstance(operation, kind):
            return way
    # What a function of the user's does with weights, nobody can tell.
    is_known = is_of_library(operation.layer) if isinstance(operation, Call) else _is_named(operation)
    return by_torch if is_known and _used_weights(x, y) <= {*map(id, _weights(operation))} else None


def _is_named(operation: Operation) -> bool:
    return type(operation) is not Apply or operation.name != ""


def _used_weights(x: Sequence[Tensor], y: Tensor) -> set[int]:
    """Returns the identities of the weights that a recorded result depends on, but for those by way of the inputs."""
    seen = {one.grad_fn for one in x}
    nodes, found = [y.grad_fn], set()
    while nodes:
        node: Any = nodes.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            found.add(id(node.variable))
        nodes += [following for following, _ in node.next_functions]
    return found


_WAYS: dict[type[Operation], Way] = {
    Fold: in_order,
    Unfold: in_order,
    InOrder: in_order,
    Join: side_by_side,
    Add: added,
    Reverse: in_reverse,
}
