"""How products are computed in training: differentiable, with the weights as they are at each step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from bigdl.programs import fused
from bigdl.programs.operations import Affine, Convolve, Multiply
from bigdl.programs.precision import low
from bigdl.programs.prediction import CONVOLUTIONS


class FusedConvolution(torch.autograd.Function):
    """A convolution with ``relu`` done while the result is at hand, and the bias's gradient summed apart.

    OneDNN's gradient of a bias takes longer than a sum.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, sizes: Any, relu: bool) -> Tensor:
        """Convolves.

        Args:
            ctx: Keeps what the gradient needs.
            x: The images, channels first.
            weight: The kernel.
            bias: What is added to each channel.
            sizes: Padding, stride and dilation.
            relu: Whether ``max(x, 0)`` comes last.
        """
        kernels = fused.kernels()
        assert kernels is not None
        y = kernels.convolve(x, weight, bias, *sizes, 1, "relu" if relu else "none", [], "")
        ctx.save_for_backward(x, weight, y if relu else None)
        ctx.sizes = sizes
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Any:
        """Returns the gradients of images, kernel and bias, those that are wanted."""
        x, weight, y = ctx.saved_tensors
        padding, stride, dilation = ctx.sizes
        of_x, of_weight, of_bias, *_ = ctx.needs_input_grad
        if y is not None:
            gradient = torch.ops.aten.threshold_backward(gradient, y, 0)
        total = gradient.sum((0, 2, 3)) if of_bias else None
        gradients = torch.ops.aten.convolution_backward(
            gradient, x, weight, None, stride, padding, dilation, False, [0, 0], 1, [of_x, of_weight, False]
        )
        return *gradients[:2], total, None, None


def _weights(operation: Affine, like: Tensor) -> tuple[Tensor, Tensor | None]:
    weight, bias = operation.weight(), None if operation.bias is None else operation.bias()
    if like.dtype != torch.bfloat16:
        return weight, bias
    return low(weight), None if bias is None else low(bias)


def _convolution(operation: Convolve) -> Callable[[Tensor], Tensor]:
    stride, dilation, relu = list(operation.stride), list(operation.dilation), operation.relu

    def convolve(x: Tensor) -> Tensor:
        x, padding = fused.evenly_padded(x, operation.pads(x.shape[2:]))
        weight, bias = _weights(operation, x)
        if fused.kernels() is not None and fused.take(x):
            apply: Callable[..., Tensor] = FusedConvolution.apply
            return apply(x, weight, bias, (padding, stride, dilation), relu)
        y = CONVOLUTIONS[x.dim()](x, weight, bias, stride, padding, dilation)
        return y.relu_() if relu else y

    return convolve


def _matrix(operation: Multiply) -> Callable[[Tensor], Tensor]:
    relu = operation.relu

    def multiply(x: Tensor) -> Tensor:
        y = F.linear(x, *_weights(operation, x))
        return y.relu_() if relu else y

    return multiply


KERNELS: dict[type[Any], Callable[[Any], Callable[..., Tensor]]] = {Multiply: _matrix, Convolve: _convolution}
"""What makes the kernel of a product."""
