"""Parameters in blocks that fit the processor's cache.

A step is a dozen elementwise operations. Done one after the other over whole tensors, each of them goes through main
memory; done block by block, only the first does. Many small parameters make one block, so that the cost of starting an
operation is paid once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import is_
from typing import Any, NamedTuple

import torch
from torch import Tensor

from bigdl.training.optimizers.native import OnePass, Pieces

BLOCK_SIZE = 1 << 17
"""The most values in a block: 512 KB of float32, measured best for models of 0.6 and 25 million parameters."""

SMALL = 1 << 13
"""Pieces of fewer values are worth copying into a common block."""


class _Block(NamedTuple):
    """Neighbouring pieces, and where their values lie among those of all parameters."""

    first: int
    last: int
    start: int
    stop: int
    factor: float


class Blocks:
    """Parameters with accumulators beside them, cut into pieces, and the pieces grouped into blocks.

    The accumulators are rows of as many values as the parameters have together, in the order of the parameters' memory.

    Args:
        parameters: The parameters, of one dtype, on one device; their memory has no gaps.
        accumulators: What each accumulator starts from.
    """

    def __init__(self, parameters: Sequence[Tensor], accumulators: Mapping[str, float]) -> None:
        self._parameters = list(parameters)
        self._factors = [1.0] * len(self._parameters)
        size = sum(p.numel() for p in parameters)
        self._rows = {
            name: parameters[0].new_full((size,), value, requires_grad=False)
            for name, value in accumulators.items()
            if parameters
        }
        self._lay_out()

    def __getstate__(self) -> dict[str, Any]:
        """Leaves out what is laid out anew where the copy's parameters are."""
        laid_out: dict[str, Any] = {"_pieces": [], "_sizes": [], "_blocks": [], "_whole": None, "_known": []}
        addresses, strides = self._places
        return {**vars(self), "_places": ([0] * len(addresses), strides), **laid_out}

    def _lay_out(self) -> None:
        self._places = _places(self._parameters)
        self._pieces = _cut(self._parameters)
        self._sizes = [piece.numel() for piece in self._pieces]
        factors = [factor for p, factor in zip(self._parameters, self._factors, strict=True) for _ in _cut([p])]
        self._blocks = _group(self._sizes, factors)
        self._whole: Pieces | None = None
        self._known: list[Tensor] = []
        if all(factor == 1.0 for factor in factors) and Pieces.takes([*self._parameters, *self._rows.values()]):
            self._whole = Pieces(self._parameters, list(self.accumulators().values()))

    def scale(self, factors: Sequence[float]) -> None:
        """Sets by what the change of each parameter is multiplied, 1 until then."""
        self._factors = list(factors)
        self._lay_out()

    def takes_table(self, parameter: Tensor) -> bool:
        """Whether ``apply`` takes a sparse gradient of a parameter, if the rule goes through all values once."""
        return self._whole is not None and self._whole.takes_table(parameter)

    def accumulators(self) -> dict[str, list[Tensor]]:
        """Returns views of the accumulators that look like the parameters, by which they can be read and written."""
        return {name: self._views(row) for name, row in self._rows.items()}

    def _views(self, row: Tensor) -> list[Tensor]:
        pieces = torch.split(row, [p.numel() for p in self._parameters])
        places = zip(pieces, self._parameters, self._places[1], strict=True)
        return [piece.as_strided(p.shape, strides) for piece, p, strides in places]

    def gradients(self) -> list[Tensor]:
        """Returns the gradients for ``apply``: the ``.grad`` of each parameter, zeros where there is none."""
        if self._places != _places(self._parameters):
            self._follow()
        given, known = [parameter.grad for parameter in self._parameters], self._known
        if known and all(map(is_, given, known)) and self._whole is not None and self._whole.has_gradients():
            return known
        return [gradient_of(parameter) for parameter in self._parameters]

    def apply(self, rule: Callable[..., None], gradients: Sequence[Tensor]) -> None:
        """Applies a rule block by block, or to all at once if it goes through them once.

        Args:
            rule: ``rule(parameters, gradients, *accumulators)``, each one-dimensional; changes all but the gradients in
                place.
            gradients: What ``gradients`` has returned, or others like them: in the memory layout of their parameters,
                or sparse.
        """
        if isinstance(rule, OnePass) and self._whole is not None:
            if gradients is self._known:
                rule.move_again(self._whole)
                return
            if Pieces.takes(gradients):
                rule.move(self._whole, gradients)
                self._known = list(gradients)
                return
        cut_gradients = _cut([gradient.to_dense() if gradient.is_sparse else gradient for gradient in gradients])
        for first, last, start, stop, factor in self._blocks:
            move = rule if factor == 1.0 else _scaled(rule, factor)
            beside = [row[start:stop] for row in self._rows.values()]
            if last - first == 1:
                move(self._pieces[first], cut_gradients[first], *beside)
            else:
                joined = torch.cat(self._pieces[first:last])
                move(joined, torch.cat(cut_gradients[first:last]), *beside)
                torch._foreach_copy_(self._pieces[first:last], list(torch.split(joined, self._sizes[first:last])))

    def _follow(self) -> None:
        """Lays the accumulators out anew, after the parameters have moved or have changed their memory layout."""
        kept = self.accumulators()
        self._rows = {
            name: torch.empty_like(row, device=self._parameters[0].device) for name, row in self._rows.items()
        }
        self._lay_out()
        for name, views in self.accumulators().items():
            torch._foreach_copy_(views, kept[name])


def _scaled(rule: Callable[..., None], factor: float) -> Callable[..., None]:
    """Returns a rule that changes the parameters a factor as much."""

    def move(parameters: Tensor, *rest: Tensor) -> None:
        moved = parameters.clone()
        rule(moved, *rest)
        parameters.add_(moved.sub_(parameters), alpha=factor)

    return move


def same_layout(a: Tensor, b: Tensor) -> bool:
    """Whether the values of two tensors of one shape lie in memory in the same order."""
    return a.stride() == b.stride() or all(
        n == 1 or i == j for n, i, j in zip(a.shape, a.stride(), b.stride(), strict=True)
    )


def gradient_of(parameter: Tensor) -> Tensor:
    """Returns a parameter's gradient, in its memory layout, or sparse; zeros where there is none."""
    gradient = parameter.grad
    if gradient is None:
        return torch.zeros_like(parameter)
    if gradient.is_sparse or same_layout(parameter, gradient):
        return gradient
    return torch.empty_like(parameter).copy_(gradient)


def _places(tensors: Sequence[Tensor]) -> tuple[list[int], list[tuple[int, ...]]]:
    """Returns addresses and strides; without a loop, as it runs at every step."""
    return [*map(Tensor.data_ptr, tensors)], [*map(Tensor.stride, tensors)]


def _cut(tensors: Sequence[Tensor]) -> list[Tensor]:
    return [piece for tensor in tensors for piece in torch.split(_in_memory_order(tensor.detach()), BLOCK_SIZE)]


def _in_memory_order(tensor: Tensor) -> Tensor:
    return tensor.view(-1) if tensor.is_contiguous() else tensor.as_strided((tensor.numel(),), (1,))


def _group(sizes: Sequence[int], factors: Sequence[float]) -> list[_Block]:
    """Joins neighbouring small pieces of one factor, as many as fit a block; others are blocks by themselves."""
    blocks: list[_Block] = []
    start = 0
    for i, size in enumerate(sizes):
        previous = blocks[-1] if blocks else None
        joins = (
            previous is not None
            and size < SMALL
            and sizes[previous.first] < SMALL
            and factors[previous.first] == factors[i]
            and start + size - previous.start <= BLOCK_SIZE
        )
        if joins and previous is not None:
            blocks[-1] = previous._replace(last=i + 1, stop=start + size)
        else:
            blocks.append(_Block(i, i + 1, start, start + size, factors[i]))
        start += size
    return blocks
