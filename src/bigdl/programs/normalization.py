"""Batch normalization in training: statistics, values and ``relu`` in two passes, the gradients in two others."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from bigdl.native import Library, address, kernels
from bigdl.programs import structures
from bigdl.programs.by_hand import calling
from bigdl.programs.operations import Operation, Source
from bigdl.programs.views import features_last


class Normalizer(Protocol):
    """A layer of batch normalization.

    Attributes:
        uses_batch_alone: Whether it normalizes by the mean and the variance of the batch, in the mode that it is in,
            and no worker has a part of the batch.
    """

    @property
    def uses_batch_alone(self) -> bool:
        """See above."""

    def normalize_features(self, x: Tensor) -> Tensor:
        """Normalizes each feature of a tensor ``(batch, features, ...)``."""

    def take_statistics(self, mean: Tensor, variance: Tensor) -> None:
        """Takes note of the mean and the biased variance of a batch."""


@dataclass(eq=False, slots=True)
class Normalize(Operation):
    """Batch normalization in training, of features on axis 1.

    Attributes:
        layer: The layer.
        gamma: The factor of what is normalized.
        beta: What is added to it.
        epsilon: Added to the variances.
        rank: The rank of what is normalized.
        relu: Whether ``max(x, 0)`` comes last.
    """

    layer: Normalizer
    gamma: Source
    beta: Source
    epsilon: float
    rank: int
    relu: bool = False

    def sources(self) -> list[Source]:
        """Returns the weights behind it."""
        return [self.gamma, self.beta]


class FusedNormalization(torch.autograd.Function):
    """The values of each feature over all rows, normalized; with the mean and the biased variance."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, gamma: Tensor, beta: Tensor, epsilon: float, relu: bool, library: Library
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Normalizes.

        Args:
            ctx: Keeps what the gradient needs.
            x: The values, (rows, features, ...), features last in memory.
            gamma: What multiplies each feature.
            beta: What is added to it.
            epsilon: Added to the variances.
            relu: Whether ``max(x, 0)`` comes last.
            library: The kernels.
        """
        y, mean, variance = torch.empty_like(x), torch.empty_like(gamma), torch.empty_like(gamma)
        call = _call(x, gamma, beta, mean, variance, y, relu, epsilon)
        library.run(library.functions.bigdl_normalize, call)
        ctx.save_for_backward(x, gamma, beta, mean, variance)
        ctx.mark_non_differentiable(mean, variance)
        ctx.set_materialize_grads(False)
        ctx.numbers, ctx.library = (relu, epsilon), library
        return y, mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor | None, *_: Any) -> Any:
        """Returns the gradients of values, gamma and beta."""
        if gradient is None:
            return None, None, None, None, None, None
        x, gamma, beta, mean, variance = ctx.saved_tensors
        gradient = features_last(gradient)
        of_x = torch.empty_like(x) if ctx.needs_input_grad[0] else None
        of_gamma, of_beta = torch.empty_like(gamma), torch.empty_like(beta)
        call = _call(x, gamma, beta, mean, variance, None, *ctx.numbers)
        places = [address(tensor) for tensor in (gradient, of_x, of_gamma, of_beta)]
        back = structures.NormalizationGradient(ctypes.addressof(call), *places)
        ctx.library.run(ctx.library.functions.bigdl_normalize_gradient, back)
        return of_x, of_gamma, of_beta, None, None, None


def _call(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    mean: Tensor,
    variance: Tensor,
    y: Tensor | None,
    relu: bool,
    epsilon: float,
) -> structures.Normalization:
    places = [address(tensor) for tensor in (x, gamma, beta, mean, variance, y)]
    return structures.Normalization(x.numel() // x.shape[1], x.shape[1], relu, epsilon, *places)


def _is_taken(x: Tensor, gamma: Tensor) -> bool:
    """Whether the kernels take values, which then are not copied."""
    of_float = x.dtype == gamma.dtype == torch.float32 and x.is_cpu and x.dim() in (2, 4) and x.numel() > 0
    return of_float and features_last(x).data_ptr() == x.data_ptr()


def normalization(operation: Normalize) -> Callable[[Tensor], Tensor]:
    """Returns what normalizes batches: the kernels in C++ where they take a batch, else the layer's own operations.

    Args:
        operation: The operation.
    """
    layer, library = operation.layer, kernels()
    apply: Callable[..., tuple[Tensor, Tensor, Tensor]] = calling(FusedNormalization)

    def normalize(x: Tensor) -> Tensor:
        gamma, beta = operation.gamma(), operation.beta()
        if library is not None and layer.uses_batch_alone and _is_taken(x, gamma):
            y, mean, variance = apply(x, gamma, beta, operation.epsilon, operation.relu, library)
            layer.take_statistics(mean, variance)
            return y
        y = layer.normalize_features(x)
        return y.relu_() if operation.relu else y

    return normalize
