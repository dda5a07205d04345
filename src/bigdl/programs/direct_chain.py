"""Dense layers that follow each other, trained in memory that stays from step to step."""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_

import torch
from torch import Tensor

from bigdl.programs.direct_ways import Weighted
from bigdl.programs.native_chains import NativeChain


class DirectChain:
    """Results and gradients of a chain without torch's record of it.

    Both ways go by what the first step has laid out.

    Args:
        chain: The layers.
        parameters: The weights whose gradients are wanted; those of other layers may be among them.
    """

    def __init__(self, chain: NativeChain, parameters: Sequence[Tensor]) -> None:
        self._chain = chain
        self._numbers = {id(parameter): i for i, parameter in enumerate(parameters)}
        self._weights: list[Tensor | None] = []
        self._places: list[int | None] = []
        self._room = 0
        self._suiting: set[int] = set()  # numbers of rows

    def takes(self, x: Tensor) -> bool:
        """Whether the kernels compute the chain for some rows.

        Args:
            x: The rows.
        """
        weights = self._chain.weights()
        places = [None if weight is None else weight.data_ptr() for weight in weights]
        as_before = places == self._places and all(map(is_, weights, self._weights))
        rows = x.shape[0]
        if not self._chain.takes(x, weights, suits=as_before and rows in self._suiting):
            return False
        if not as_before or rows > self._room:
            own = [id(weight) for weight in weights if weight is not None]
            if len(set(own)) < len(own):
                return False
            self._lay_out(x, weights, places)
            self._suiting = set()
        self._suiting.add(rows)
        return True

    def _lay_out(self, x: Tensor, weights: list[Tensor | None], places: list[int | None]) -> None:
        rows = x.shape[0]
        self._weights, self._places, self._room = weights, places, rows
        gradients: list[Tensor | None] = []
        self._gradients: list[tuple[int, Tensor]] = []
        for weight in weights:
            number = None if weight is None else self._numbers.get(id(weight))
            gradients.append(None)
            if weight is not None and number is not None:
                gradients[-1] = gradient = torch.empty_like(weight, requires_grad=False)
                self._gradients.append((number, gradient))
        self._results = [torch.empty(rows, width) for width in self._chain.widths(weights)]
        self._statistics = self._chain.room_for_statistics(weights)
        self._layers = self._chain.layers(weights, self._results, self._statistics, gradients)
        self._last, self._width = self._layers[-1], self._results[-1].shape[1]
        self._call = self._chain.call(self._layers, x)

    def run(self, x: Tensor) -> Tensor:
        """Computes the result.

        Args:
            x: Rows that it takes.
        """
        rows = x.shape[0]
        y = x.new_empty(rows, self._width)
        self._chain.drop(self._layers, self._chain.draw())
        self._last.y, self._call.rows, self._call.x = y.data_ptr(), rows, x.data_ptr()
        self._chain.run("bigdl_chain", self._call)
        self._chain.take(self._statistics)
        self._x, self._y = x, y  # which the gradients need where they are
        return y

    def gradients(self, wants_x: bool, of_y: Tensor) -> tuple[Sequence[Tensor | None], Weighted]:
        """Returns the gradients; the next step overwrites those by the weights.

        Args:
            wants_x: Whether that by the rows is wanted.
            of_y: The gradient of what ``run`` has returned last.
        """
        of_y = of_y.contiguous()
        of_x = torch.empty_like(self._x) if wants_x else None
        self._call.gradient, self._call.x_gradient = of_y.data_ptr(), None if of_x is None else of_x.data_ptr()
        self._chain.run("bigdl_chain_gradient", self._call)
        return (of_x,), self._gradients
