"""Dense layers that follow each other, in training, with what stands between them: one call in C++ each way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from bigdl.native import kernels
from bigdl.programs.by_hand import calling
from bigdl.programs.native_chains import NativeChain
from bigdl.programs.operations import Chain


class FusedChain(torch.autograd.Function):
    """The layers of a chain, and the gradients of all."""

    @staticmethod
    def forward(ctx: Any, chain: NativeChain, x: Tensor, *weights: Tensor | None) -> Tensor:
        """Computes the last result.

        Args:
            ctx: Keeps what the gradient needs.
            chain: The layers.
            x: The rows.
            weights: See ``NativeChain.weights``.
        """
        ctx.chain, ctx.patterns, ctx.statistics = chain, chain.draw(), chain.room_for_statistics(weights)
        results = [x.new_empty(x.shape[0], width) for width in chain.widths(weights)]
        layers = chain.layers(weights, results, ctx.statistics)
        chain.drop(layers, ctx.patterns)
        chain.run("bigdl_chain", chain.call(layers, x))
        chain.take(ctx.statistics)
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
        layers = chain.layers(weights, results, ctx.statistics, gradients)
        chain.drop(layers, ctx.patterns)
        gradient = gradient.contiguous()
        chain.run("bigdl_chain_gradient", chain.call(layers, x, gradient, x_gradient))
        return None, x_gradient, *gradients


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
        self._apply: Callable[..., Tensor] = calling(FusedChain)
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
