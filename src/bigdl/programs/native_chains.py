"""The layers of a chain as the kernels in C++ take them."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bigdl.native import Library, address
from bigdl.programs import structures
from bigdl.programs.dropping import Pattern, patterns
from bigdl.programs.normalization import Normalize, Normalizer
from bigdl.programs.operations import Apply, Chain, Drop, Multiply, Source

Statistics = Sequence[Tensor | None]
"""Mean and variance of each layer's batch, one after the other; None for those that do not normalize."""


@dataclass(slots=True)
class _Layer:
    """A layer of a chain.

    Attributes:
        kind: ``"product"``, ``"normalization"`` or ``"dropping"``; see ``csrc/chain.h``.
        weight: Its matrix or gamma; None for none.
        bias: Its bias or beta; None for none.
        drop: What drops a part of the result; None for nothing.
        normalizer: The layer that takes note of a batch's statistics; None for none.
        epsilon: Added to the variances.
        activation: The number of the activation.
    """

    kind: str
    weight: Source | None = None
    bias: Source | None = None
    drop: Drop | None = None
    normalizer: Normalizer | None = None
    epsilon: float = 0.0
    activation: int = structures.LINEAR


def _layers(operation: Chain) -> list[_Layer]:
    layers: list[_Layer] = []
    for part in operation.parts:
        if isinstance(part, Multiply):
            activation = structures.relu_or_linear(part.relu)
            layers.append(_Layer("product", part.weight, part.bias, part.drop, activation=activation))
        elif isinstance(part, Normalize):
            activation = structures.relu_or_linear(part.relu)
            layers.append(_Layer("normalization", part.gamma, part.beta, None, part.layer, part.epsilon, activation))
        elif isinstance(part, Drop):
            layers.append(_Layer("dropping", drop=part))
        else:
            assert isinstance(part, Apply)
            layers[-1].activation = structures.ACTIVATIONS[part.name]
    return layers


class NativeChain:
    """The layers of a chain, by the kernels in C++.

    Args:
        operation: The chain.
        library: The kernels.
    """

    def __init__(self, operation: Chain, library: Library) -> None:
        self.library = library
        layers = self._layers = _layers(operation)
        self._drops = {i: layer.drop for i, layer in enumerate(layers) if layer.drop}
        self._normalizers = {i: layer.normalizer for i, layer in enumerate(layers) if layer.normalizer}
        self._numbers = [(structures.CHAIN_KINDS[layer.kind], layer.activation) for layer in layers]
        sources = [source for layer in layers for source in (layer.weight, layer.bias)]
        self._places = [({"": None}, "") if source is None else (source.owner, source.name) for source in sources]
        self._array = structures.ChainLayer * len(layers)
        self._suits: dict[tuple[int, ...], bool] = {}

    def __len__(self) -> int:
        return len(self._layers)

    def weights(self) -> list[Tensor | None]:
        """Returns matrix and bias, or gamma and beta, of each layer as they are now, one after the other."""
        return [owner[name] for owner, name in self._places]

    def widths(self, weights: Sequence[Tensor | None]) -> list[int]:
        """Returns the length of each layer's result.

        Args:
            weights: See ``weights``.
        """
        widths: list[int] = []
        for weight in weights[::2]:
            widths.append(widths[-1] if weight is None else len(weight))
        return widths

    def room_for_statistics(self, weights: Sequence[Tensor | None]) -> Statistics:
        """Returns room for the statistics of a batch.

        Args:
            weights: See ``weights``.
        """
        room: list[Tensor | None] = [None] * len(weights)
        for i in self._normalizers:
            gamma = weights[2 * i]
            assert gamma is not None
            room[2 * i : 2 * i + 2] = gamma.new_empty(2, len(gamma)).unbind()
        return room

    def take(self, statistics: Statistics) -> None:
        """Lets layers take note of the statistics of a batch.

        Args:
            statistics: The statistics.
        """
        for i, normalizer in self._normalizers.items():
            mean, variance = statistics[2 * i : 2 * i + 2]
            assert mean is not None
            assert variance is not None
            normalizer.take_statistics(mean, variance)

    def takes(self, x: Tensor, weights: Sequence[Tensor | None], suits: bool = False) -> bool:
        """Whether the kernels compute the chain sooner than others, each way.

        Args:
            x: What it is given.
            weights: See ``weights``.
            suits: Whether it is known that these weights and so many rows suit them.
        """
        if x.dim() != 2 or not fits(x) or not (suits or self.suits(x.shape[0], weights)):
            return False
        return all(normalizer.uses_batch_alone for normalizer in self._normalizers.values())

    def suits(self, rows: int, weights: Sequence[Tensor | None]) -> bool:
        """Whether that is so of some number of rows; see ``takes``."""
        if not all(w is None or fits(w) for w in weights):
            return False
        first = weights[0]
        assert first is not None
        sizes = (rows, first.shape[-1], *self.widths(weights))
        if sizes not in self._suits:
            self._suits[sizes] = 0 not in sizes and self._suited(*sizes)
        return self._suits[sizes]

    def _suited(self, rows: int, inputs: int, *outputs: int) -> bool:
        kinds = [kind for kind, _ in self._numbers]
        layers = self._array(*(structures.ChainLayer(n, 0, kind) for n, kind in zip(outputs, kinds, strict=True)))
        chain = structures.Chain(rows, inputs, len(self), ctypes.addressof(layers))
        return bool(self.library.functions.bigdl_suits_chain(ctypes.byref(chain), self.library.set))

    def draw(self) -> list[Pattern | None]:
        """Draws what the layers that drop something drop, in their order."""
        return patterns([drop.share() for drop in self._drops.values()]) if self._drops else []

    def layers(
        self,
        weights: Sequence[Tensor | None],
        results: Sequence[Tensor],
        statistics: Statistics,
        gradients: Sequence[Tensor | None] | None = None,
    ) -> ctypes.Array[structures.ChainLayer]:
        """Returns the layers as the kernels take them, which drop nothing.

        Args:
            weights: See ``weights``.
            results: The result of each.
            statistics: See ``room_for_statistics``.
            gradients: Those of the weights, None where they are not wanted.
        """
        places, known = [address(weight) for weight in weights], [address(tensor) for tensor in statistics]
        targets = [None] * len(weights) if gradients is None else [address(gradient) for gradient in gradients]
        layers = self._array()
        for i, (layer, (kind, activation), result) in enumerate(zip(self._layers, self._numbers, results, strict=True)):
            numbers = (result.shape[1], 0, kind, activation, False, 0, 1.0, layer.epsilon)
            pair = slice(2 * i, 2 * i + 2)
            layers[i] = structures.ChainLayer(*numbers, *places[pair], result.data_ptr(), *targets[pair], *known[pair])
        return layers

    def drop(self, layers: ctypes.Array[structures.ChainLayer], drawn: Sequence[Pattern | None]) -> None:
        """Lets layers drop what was drawn.

        Args:
            layers: See ``layers``.
            drawn: See ``draw``.
        """
        for i, pattern in zip(self._drops, drawn, strict=True):
            layer = layers[i]
            layer.drops = pattern is not None
            layer.seed, layer.limit, layer.scale = pattern or (0, 0, 1.0)

    def call(
        self,
        layers: ctypes.Array[structures.ChainLayer],
        x: Tensor,
        gradient: Tensor | None = None,
        x_gradient: Tensor | None = None,
    ) -> structures.Chain:
        """Returns what ``run`` takes, for as long as the tensors are where they are.

        Args:
            layers: See ``layers``.
            x: The rows.
            gradient: That of the last result.
            x_gradient: Takes that of the rows; None where it is not wanted.
        """
        places = (ctypes.addressof(layers), x.data_ptr(), address(gradient), address(x_gradient))
        return structures.Chain(*x.shape, len(layers), *places)

    def run(self, name: str, call: structures.Chain) -> None:
        """Calls one of the functions of ``csrc/chain.h``.

        Args:
            name: Which.
            call: See ``call``.
        """
        self.library.run(getattr(self.library.functions, name), call)


def fits(x: Tensor) -> bool:
    """Whether the kernels take a tensor as it is: of float32, on the CPU, without gaps."""
    return x.dtype is torch.float32 and x.is_cpu and x.is_contiguous()
