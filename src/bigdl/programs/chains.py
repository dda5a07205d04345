"""Dense layers that follow each other, in training: one call in C++ each way for all of them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from bigdl.native import Library, address, kernels
from bigdl.programs import structures
from bigdl.programs.dropping import Pattern, patterns
from bigdl.programs.operations import Chain, Multiply


class FusedChain(torch.autograd.Function):
    """Products with matrices, what follows each of them, and the gradients of all."""

    @staticmethod
    def forward(ctx: Any, chain: NativeChain, x: Tensor, *weights: Tensor | None) -> Tensor:
        """Computes the last result.

        Args:
            ctx: Keeps what the gradient needs.
            chain: The layers.
            x: The rows.
            weights: Matrix and bias of each layer, one after the other.
        """
        ctx.chain, ctx.patterns = chain, chain.draw()
        results = [x.new_empty(x.shape[0], matrix.shape[0]) for matrix in weights[::2] if matrix is not None]
        layers = chain.layers(weights, results)
        chain.drop(layers, ctx.patterns)
        chain.run("bigdl_chain", x, layers)
        ctx.save_for_backward(x, *weights, *results)
        return results[-1]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Any:
        """Returns the gradients of rows and weights, those that are wanted."""
        chain: NativeChain = ctx.chain
        x, *saved = ctx.saved_tensors
        weights, results = saved[: 2 * len(chain)], saved[2 * len(chain) :]
        _, of_x, *wanted = ctx.needs_input_grad
        gradients = [torch.empty_like(w) if of_w else None for w, of_w in zip(weights, wanted, strict=True)]
        x_gradient = torch.empty_like(x) if of_x else None
        layers = chain.layers(weights, results, gradients)
        chain.drop(layers, ctx.patterns)
        chain.run("bigdl_chain_gradient", x, layers, gradient.contiguous(), x_gradient)
        return None, x_gradient, *gradients


class NativeChain:
    """The layers of a chain, by the kernels in C++.

    Args:
        operation: The chain.
        library: The kernels.
    """

    def __init__(self, operation: Chain, library: Library) -> None:
        self.library = library
        self._products: list[Multiply] = []
        self._activations: list[int] = []
        for part in operation.parts:
            if isinstance(part, Multiply):
                self._products.append(part)
                self._activations.append(structures.ACTIVATIONS["relu"] if part.relu else structures.LINEAR)
            else:
                self._activations[-1] = structures.ACTIVATIONS[part.name]
        self._drops = {i: product.drop for i, product in enumerate(self._products) if product.drop}
        sources = [source for product in self._products for source in (product.weight, product.bias)]
        self._places = [({"": None}, "") if source is None else (source.owner, source.name) for source in sources]
        self._array = structures.ChainLayer * len(self._products)
        self._suits: dict[tuple[int, ...], bool] = {}

    def __len__(self) -> int:
        return len(self._products)

    def weights(self) -> list[Tensor | None]:
        """Returns matrix and bias of each layer as they are now, one after the other."""
        return [owner[name] for owner, name in self._places]

    def takes(self, x: Tensor, weights: Sequence[Tensor | None], are_known: bool = False) -> bool:
        """Whether the kernels compute the chain sooner than others, each way.

        Args:
            x: What it is given.
            weights: See ``weights``.
            are_known: Whether it has taken these weights before.
        """
        return x.dim() == 2 and _fits(x) and self.suits(x.shape[0], weights, are_known)

    def suits(self, rows: int, weights: Sequence[Tensor | None], are_known: bool = False) -> bool:
        """Whether that is so of some number of rows; see ``takes``."""
        if not are_known and not all(w is None or _fits(w) for w in weights):
            return False
        shapes = [matrix.shape for matrix in weights[::2] if matrix is not None]
        sizes = (rows, shapes[0][1], *(outputs for outputs, _ in shapes))
        if sizes not in self._suits:
            self._suits[sizes] = 0 not in sizes and self._suited(*sizes)
        return self._suits[sizes]

    def _suited(self, rows: int, inputs: int, *outputs: int) -> bool:
        layers = self._array(*(structures.ChainLayer(n) for n in outputs))
        chain = structures.Chain(rows, inputs, len(self), ctypes.addressof(layers))
        return bool(self.library.functions.bigdl_suits_chain(ctypes.byref(chain), self.library.set))

    def draw(self) -> list[Pattern | None]:
        """Draws what the layers that drop something drop, in their order."""
        return patterns([drop.share() for drop in self._drops.values()]) if self._drops else []

    def layers(
        self,
        weights: Sequence[Tensor | None],
        results: Sequence[Tensor],
        gradients: Sequence[Tensor | None] | None = None,
    ) -> ctypes.Array[structures.ChainLayer]:
        """Returns the layers as the kernels take them, which drop nothing.

        Args:
            weights: See ``weights``.
            results: The result of each.
            gradients: Those of the weights, None where they are not wanted.
        """
        places = [address(weight) for weight in weights]
        targets = [None] * len(weights) if gradients is None else [address(gradient) for gradient in gradients]
        layers = self._array()
        for i, (activation, result) in enumerate(zip(self._activations, results, strict=True)):
            numbers = (result.shape[1], 0, activation, False, 0, 1.0)
            pair = slice(2 * i, 2 * i + 2)
            layers[i] = structures.ChainLayer(*numbers, *places[pair], result.data_ptr(), *targets[pair])
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

    def run(
        self,
        name: str,
        x: Tensor,
        layers: ctypes.Array[structures.ChainLayer],
        gradient: Tensor | None = None,
        x_gradient: Tensor | None = None,
    ) -> None:
        """Calls one of the functions of ``csrc/chain.h``.

        Args:
            name: Which.
            x: The rows.
            layers: See ``layers``.
            gradient: That of the last result.
            x_gradient: Takes that of the rows; None where it is not wanted.
        """
        places = (ctypes.addressof(layers), x.data_ptr(), address(gradient), address(x_gradient))
        self.library.run(getattr(self.library.functions, name), structures.Chain(*x.shape, len(layers), *places))


def _fits(x: Tensor) -> bool:
    return x.dtype is torch.float32 and x.is_cpu and x.is_contiguous()


class Chained:
    """What computes a chain in training.

    Attributes:
        native: The kernels' way; None without them.

    Args:
        operation: The chain.
        plain: What computes each of its parts, for what the kernels do not take.
    """

    def __init__(self, operation: Chain, plain: Sequence[Callable[[Tensor], Tensor]]) -> None:
        library = kernels()
        self.native = None if library is None else NativeChain(operation, library)
        self._apply: Callable[..., Tensor] = FusedChain.apply
        self._plain = plain

    def __call__(self, x: Tensor) -> Tensor:
        """Computes the last result."""
        native = self.native
        if native is not None and native.takes(x, weights := native.weights()):
            return self._apply(native, x, *weights)
        for part in self._plain:
            x = part(x)
        return x

    def suits(self, rows: int) -> bool:
        """Whether the kernels compute it sooner than others.

        Args:
            rows: The rows of what it is given.
        """
        native = self.native
        return native is not None and native.suits(rows, native.weights())
