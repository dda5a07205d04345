"""A network that is one chain of dense layers, trained in memory that stays from step to step."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter, is_

import torch
from torch import Tensor

from bigdl.programs.native_chains import NativeChain

_HOOKS = attrgetter("_backward_hooks")


class DirectChain:
    """Results and gradients of a chain without torch's record of it.

    Of small layers the record takes several times as long as what it is of: a node and a tensor for each weight, and a
    search through them for the gradients. Here both ways go by what the first step has laid out.

    Args:
        chain: The layers.
        parameters: The weights whose gradients are wanted.
    """

    def __init__(self, chain: NativeChain, parameters: Sequence[Tensor]) -> None:
        self._chain = chain
        self._parameters = list(parameters)
        self._weights: list[Tensor | None] = []
        self._places: list[int | None] = []
        self._room = 0
        self._suiting: set[int] = set()  # numbers of rows

    def is_for(self, parameters: Sequence[Tensor]) -> bool:
        """Whether it gives the gradients of these weights."""
        return len(parameters) == len(self._parameters) and all(map(is_, parameters, self._parameters))

    def takes(self, x: Tensor) -> bool:
        """Whether the kernels compute the network for some rows, and nobody else has a part in the gradients.

        Args:
            x: The rows.
        """
        weights = self._chain.weights()
        places = [None if weight is None else weight.data_ptr() for weight in weights]
        as_before = places == self._places and all(map(is_, weights, self._weights))
        rows = x.shape[0]
        if not self._chain.takes(x, weights, suits=as_before and rows in self._suiting):
            return False
        if any(map(_HOOKS, self._parameters)):
            return False
        if not as_before or rows > self._room:
            own = [id(weight) for weight in weights if weight is not None]
            if len(set(own)) < len(own) or not {id(parameter) for parameter in self._parameters}.issubset(own):
                return False
            self._lay_out(rows, weights, places)
            self._suiting = set()
        self._suiting.add(rows)
        return True

    def _lay_out(self, rows: int, weights: list[Tensor | None], places: list[int | None]) -> None:
        self._weights, self._places, self._room = weights, places, rows
        self._gradients = [torch.empty_like(p, requires_grad=False) for p in self._parameters]
        by_parameter = {id(p): gradient for p, gradient in zip(self._parameters, self._gradients, strict=True)}
        self._results = [torch.empty(rows, width) for width in self._chain.widths(weights)]
        self._statistics = self._chain.room_for_statistics(weights)
        gradients = [by_parameter.get(id(weight)) for weight in weights]
        self._layers = self._chain.layers(weights, self._results, self._statistics, gradients)

    def run(self, x: Tensor) -> Tensor:
        """Computes the output, by which a loss can be differentiated.

        Args:
            x: Rows that it takes.
        """
        self._chain.drop(self._layers, self._chain.draw())
        y = x.new_empty(len(x), self._results[-1].shape[1])
        self._layers[-1].y = y.data_ptr()
        self._chain.run("bigdl_chain", x, self._layers)
        self._chain.take(self._statistics)
        self._x, self._y = x, y.requires_grad_()
        return self._y

    def gradients(self, of_y: Tensor) -> list[Tensor]:
        """Returns the gradients of the weights, which the next step overwrites.

        Args:
            of_y: The gradient of what ``run`` has returned last.
        """
        self._chain.run("bigdl_chain_gradient", self._x, self._layers, of_y.contiguous())
        return list(self._gradients)

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
