"""How products are computed in training: differentiable, with the weights as they are at each step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from bigdl.programs import fused, largest
from bigdl.programs.by_hand import calling
from bigdl.programs.chains import Chained
from bigdl.programs.convolutions import FusedConvolution, LargestOfConvolution
from bigdl.programs.endings import NativeEnding, TorchEnding, native_ending, plain_ending
from bigdl.programs.images import DepthwiseConvolve
from bigdl.programs.normalization import Normalize, normalization
from bigdl.programs.operations import Affine, Chain, Convolve, Multiply
from bigdl.programs.precision import low
from bigdl.programs.prediction import CONVOLUTIONS
from bigdl.programs.products import product


class FusedProduct(torch.autograd.Function):
    """A product of rows with a matrix, and ``relu`` and dropping after it, in one pass each way."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, ending: NativeEnding) -> Tensor:
        """Multiplies.

        Args:
            ctx: Keeps what the gradient needs.
            x: The rows.
            weight: The matrix, output features first.
            bias: What is added to each feature.
            ending: What follows, ``relu`` among it.
        """
        y, ctx.kept = ending.finish(product(ending.library, x, weight.t()), bias)
        ctx.save_for_backward(x, weight, y if ending.relu else None)
        ctx.ending = ending
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Any:
        """Returns the gradients of rows, matrix and bias, those that are wanted."""
        x, weight, y = ctx.saved_tensors
        of_x, of_weight, of_bias, _ = ctx.needs_input_grad
        gradient, sums = ctx.ending.gradient(gradient, y, ctx.kept)
        of_rows = product(ctx.ending.library, gradient, weight) if of_x else None
        of_matrix = product(ctx.ending.library, gradient.t(), x) if of_weight else None
        return of_rows, of_matrix, sums if of_bias else None, None


def _weights(operation: Affine, like: Tensor) -> tuple[Tensor, Tensor | None]:
    weight, bias = operation.weight(), None if operation.bias is None else operation.bias()
    if like.dtype != torch.bfloat16:
        return weight, bias
    return low(weight), None if bias is None else low(bias)


def _convolution(operation: Convolve) -> Callable[[Tensor], Tensor]:
    stride, dilation = list(operation.stride), list(operation.dilation)
    native, by_torch = native_ending(operation), TorchEnding(operation)
    apply: Callable[..., Tensor] = calling(FusedConvolution)
    apply_and_take: Callable[..., Tensor] = calling(LargestOfConvolution)

    def convolve(x: Tensor) -> Tensor:
        x, padding = fused.evenly_padded(x, operation.pads(x.shape[2:]))
        weight, bias = _weights(operation, x)
        if fused.kernels() is None or not fused.take(x):
            return plain_ending(operation, CONVOLUTIONS[x.dim()](x, weight, bias, stride, padding, dilation))
        sizes = (padding, stride, dilation)
        if native is not None and x.dtype == torch.float32:
            if not operation.over_all:
                return apply(x, weight, bias, sizes, native)
            if largest.pays(x, weight, *sizes):
                return apply_and_take(x, weight, bias, sizes, native)
        y = apply(x, weight, bias, sizes, by_torch)
        return plain_ending(operation, y, rectified=by_torch.relu)

    return convolve


def _depthwise(operation: DepthwiseConvolve) -> Callable[[Tensor], Tensor]:
    def convolve(x: Tensor) -> Tensor:
        x, padding = fused.evenly_padded(x, operation.pads(x.shape[2:]))
        weight, bias = _weights(operation, x)
        return plain_ending(operation, F.conv2d(x, weight, bias, operation.stride, padding, groups=x.shape[1]))

    return convolve


def _matrix(operation: Multiply) -> Callable[[Tensor], Tensor]:
    native = native_ending(operation)
    apply: Callable[..., Tensor] = calling(FusedProduct)

    def multiply(x: Tensor) -> Tensor:
        weight, bias = _weights(operation, x)
        if native is not None and x.dim() == 2 and x.dtype == torch.float32 and x.is_cpu:
            return apply(x, weight, bias, native)
        return plain_ending(operation, F.linear(x, weight, bias))

    return multiply


def _chain(operation: Chain) -> Chained:
    makers: dict[type[Any], Callable[[Any], Callable[..., Tensor]]] = {Multiply: _matrix, Normalize: normalization}
    parts = [makers[type(part)](part) if type(part) in makers else part.kernel() for part in operation.parts]
    return Chained(operation, parts)


KERNELS: dict[type[Any], Callable[[Any], Callable[..., Tensor]]] = {
    Multiply: _matrix,
    Convolve: _convolution,
    DepthwiseConvolve: _depthwise,
    Chain: _chain,
    Normalize: normalization,
}
"""What makes the kernel of an operation that is computed in one way for prediction, in another in training."""
