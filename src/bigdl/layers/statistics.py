"""Statistics of a batch whose rows are spread over several workers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor

Sum = Callable[[Tensor], Tensor]
"""Returns the sum of a vector over all workers."""

_sum: ContextVar[Sum | None] = ContextVar("sum_over_workers", default=None)


@contextlib.contextmanager
def shared_statistics(total: Sum | None) -> Iterator[None]:
    """Lets layers that run inside the block take their statistics over the rows of all workers.

    Args:
        total: How they are added up; every worker must run the same layers then, one without rows too. None for
            statistics of the worker's own rows.
    """
    token = _sum.set(total)
    try:
        yield
    finally:
        _sum.reset(token)


def sum_over_workers() -> Sum | None:
    """Returns how vectors are added up over workers; None where statistics are those of the rows at hand."""
    return _sum.get()


class SharedBatchNorm(torch.autograd.Function):
    """Batch normalization of ``(batch, features, ...)`` by mean and variance over all workers' rows.

    The gradient is that of Ioffe and Szegedy 2015, section 3, its two sums taken over all workers' rows too.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, gamma: Tensor, beta: Tensor, epsilon: float, total: Sum
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Returns the normalized tensor, the mean and the biased variance."""
        axes = [0, *range(2, x.dim())]
        count = x.numel() // x.shape[1]
        if count:
            variance, mean = (part.double() for part in torch.var_mean(x, axes, correction=0))
        else:
            variance = mean = x.new_zeros(x.shape[1], dtype=torch.float64)
        parts = torch.cat([mean * count, (variance + mean.square()) * count, mean.new_tensor([float(count)])])
        sums, squares, rows = torch.split(total(parts).clone(), [len(mean), len(mean), 1])
        mean = sums / rows
        variance = (squares / rows - mean.square()).clamp_(min=0)
        shape = [1, -1] + [1] * (x.dim() - 2)
        inverse = torch.rsqrt(variance + epsilon).to(x.dtype).view(shape)
        normalized = (x - mean.to(x.dtype).view(shape)) * inverse
        ctx.save_for_backward(normalized, gamma, inverse, rows)
        ctx.total = total
        ctx.mark_non_differentiable(mean, variance)
        return normalized * gamma.view(shape) + beta.view(shape), mean, variance

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, *unused: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        """Returns the gradients; those of gamma and beta are of this worker's rows."""
        normalized, gamma, inverse, rows = ctx.saved_tensors
        axes = [0, *range(2, gradient.dim())]
        beta_sum = gradient.sum(axes)
        gamma_sum = (gradient * normalized).sum(axes)
        means = ctx.total(torch.cat([beta_sum, gamma_sum]).double()) / rows
        shape = inverse.shape
        mean, mean_normalized = (part.to(gradient.dtype).view(shape) for part in means.chunk(2))
        x_gradient = gamma.view(shape) * inverse * (gradient - mean - normalized * mean_normalized)
        return x_gradient, gamma_sum, beta_sum, None, None
