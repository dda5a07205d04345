"""Networks trained without torch's record of a step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from operator import attrgetter, is_
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.hooks import RemovableHandle

from bigdl.programs.by_hand import NotByHandError, Watch, caller_set
from bigdl.programs.chains import Chained
from bigdl.programs.direct_chain import DirectChain
from bigdl.programs.direct_ways import Back, Direct, Part, Way, by_torch, direct_layer, way_of
from bigdl.programs.operations import Ref
from bigdl.programs.views import applied, undone

_HOOKS = attrgetter("_backward_hooks")


class _Known(NamedTuple):
    """How a part is computed in a step that is not recorded.

    Attributes:
        way: The way.
        wanted: Whether the gradient by each input is wanted.
    """

    way: Way
    wanted: tuple[bool, ...]


class DirectNetwork:
    """Results and gradients of a network without torch's record of it.

    Of small layers the record takes several times as long as what it is of: a node and a tensor for each weight, and a
    search through them for the gradients. The first step with inputs of some shapes is recorded, and watched: where all
    that is differentiable in a part is one of our functions with a gradient by hand, that function is called without
    torch from then on. Of what is torch's own, some is differentiated part by part, by records of one operation each.

    Args:
        parts: The operations.
        output: The output.
        parameters: The weights whose gradients are wanted.
    """

    def __init__(self, parts: Sequence[Part], output: Ref, parameters: Sequence[Tensor]) -> None:
        self._parts = parts
        self._output = output
        self._back_views = [[undone(ref.views) for ref in part.operation.inputs] for part in parts]
        self._given = parameters
        self._parameters = list(parameters)
        self._numbers = {id(parameter): i for i, parameter in enumerate(self._parameters)}
        self._directs = [_direct_of(part, self._parameters) for part in parts]
        is_one = len(parts) == 1 and parts[0].operation.inputs == [Ref(0)] and not output.views
        self._only = self._directs[0] if is_one else None
        self._known: dict[Any, list[_Known] | None] = {}
        self._gave_up = False
        self._hooks_seen = -1  # how many there had ever been, of whatever, when the weights had none

    def is_for(self, parameters: Sequence[Tensor]) -> bool:
        """Whether it gives the gradients of these weights."""
        if parameters is self._given and type(parameters) is tuple:
            return True
        return len(parameters) == len(self._parameters) and all(map(is_, parameters, self._parameters))

    def takes(self, inputs: Sequence[Tensor]) -> bool:
        """Whether it is known how to compute the network for such inputs, and nobody else has a part in the gradients.

        Args:
            inputs: A tensor for each input.
        """
        if self._hooks_seen != RemovableHandle.next_id:
            if any(map(_HOOKS, self._parameters)):
                return False
            self._hooks_seen = RemovableHandle.next_id
        self._by_one = self._only is not None and self._only.takes(inputs[0])
        self._taken = None if self._by_one else self._known.get(_forms(inputs))
        return self._by_one or self._taken is not None

    def knows(self, inputs: Sequence[Tensor]) -> bool:
        """Whether it is known that such inputs need torch's record, or how they do not.

        Args:
            inputs: A tensor for each input.
        """
        return self._gave_up or _forms(inputs) in self._known

    def watched(self, inputs: Sequence[Tensor]) -> Tensor:
        """Computes the output by torch's record, and finds out whether such inputs need it.

        Args:
            inputs: A tensor for each input.
        """
        watch = Watch()
        found: list[_Known | None] = []

        def compute(i: int, x: list[Tensor]) -> Any:
            y = self._parts[i].function(*x)
            way = way_of(self._parts[i], x, y, watch)
            found.append(None if way is None else _Known(way, tuple([one.requires_grad for one in x])))
            return y

        with caller_set(watch):
            output = self._through(inputs, compute)
        known = [one for one in found if one is not None]
        few_records = sum(one.way is by_torch for one in known) <= len(known) // 2
        self._known[_forms(inputs)] = known if len(known) == len(found) and few_records else None
        return output

    def _through(self, inputs: Sequence[Tensor], compute: Callable[[int, list[Tensor]], Any]) -> Tensor:
        """Returns the output, each part computed from its number and what it takes."""
        values: dict[int, Any] = dict(enumerate(inputs))
        for i, part in enumerate(self._parts):
            x = [applied(ref.views, values[ref.number]) for ref in part.operation.inputs]
            values[part.operation.number] = compute(i, x)
            for number in part.done:
                values.pop(number)
        return applied(self._output.views, values[self._output.number])

    def run(self, inputs: Sequence[Tensor]) -> Tensor | None:
        """Computes the output.

        Args:
            inputs: Those that ``takes`` was asked about last, and takes.

        Returns:
            The output; None where a layer does not compute what it did, as with a hook that came later.
        """
        try:
            self._y, self._backs = self._run(inputs)
        except NotByHandError:
            self._known.clear()
            self._gave_up = True
            return None
        return self._y

    def _run(self, inputs: Sequence[Tensor]) -> tuple[Tensor, list[Back | None]]:
        if self._by_one:
            assert self._only is not None
            return self._only.run(inputs[0]), [partial(self._only.gradients, False)]
        assert self._taken is not None
        known = self._taken
        backs: list[Back | None] = []

        def compute(i: int, x: list[Tensor]) -> Tensor:
            direct, (way, wanted) = self._directs[i], known[i]
            back: Back | None
            if direct is not None and direct.takes(x[0]):
                y, back = direct.run(x[0]), partial(direct.gradients, wanted[0])
            else:
                y, back = way(self._parts[i], x, wanted, self._numbers)
            backs.append(back)
            return y

        return self._through(inputs, compute), backs

    @torch.no_grad()
    def gradients(self, of_y: Tensor) -> list[Tensor]:
        """Returns the gradients of the weights; the next step may overwrite them.

        Args:
            of_y: The gradient of what ``run`` has returned last.
        """
        found: list[Tensor | None] = [None] * len(self._parameters)
        of = {self._output.number: applied(undone(self._output.views), of_y)}
        backs, self._backs = self._backs, []
        for part, views in zip(reversed(self._parts), reversed(self._back_views), strict=True):
            back = backs.pop()  # so that what it keeps is given back
            gradient = of.pop(part.operation.number, None)
            if gradient is None or back is None:
                continue
            by_inputs, by_weights = back(gradient)
            for ref, own_views, one in zip(part.operation.inputs, views, by_inputs, strict=True):
                if one is not None:
                    one = applied(own_views, one)
                    before = of.get(ref.number)
                    of[ref.number] = one if before is None else before + one
            for number, one in by_weights:
                before = found[number]
                found[number] = one if before is None else before + one
        return [torch.zeros_like(p) if one is None else one for p, one in zip(self._parameters, found, strict=True)]

    def gradients_of(self, objective: Tensor, by_output_alone: bool) -> list[Tensor]:
        """Returns the gradients of what was computed from what ``run`` has returned last; see ``gradients``.

        Args:
            objective: What they are of.
            by_output_alone: Whether that is all by which it depends on the weights.
        """
        beside = [] if by_output_alone else self._parameters
        of_y, *others = torch.autograd.grad(objective, [self._y, *beside], allow_unused=True)
        own = self.gradients(torch.zeros_like(self._y) if of_y is None else of_y)
        if by_output_alone:
            return own
        return [one if other is None else one + other for one, other in zip(own, others, strict=True)]


def _direct_of(part: Part, parameters: Sequence[Tensor]) -> Direct | None:
    if not isinstance(part.function, Chained):
        return direct_layer(part.operation, parameters)
    native = part.function.native
    return None if native is None else DirectChain(native, parameters)


def _forms(inputs: Sequence[Tensor]) -> tuple[Any, ...]:
    return tuple([(x.shape, x.dtype) for x in inputs])
