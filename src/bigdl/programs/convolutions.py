"""Convolutions in training: who computes one, what follows it, and the gradients, outside of autograd."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from bigdl.native import Library
from bigdl.programs import fused, largest, narrow, sequences, winograd
from bigdl.programs.endings import Ending, NativeEnding

Sizes = tuple[list[int], list[int], list[int]]
"""Padding, stride and dilation."""

Way = tuple[ModuleType, Library, tuple[list[int], ...]] | None
"""A module that computes a convolution by the library in C++, and the sizes that it wants to know; None for oneDNN."""


def _way(x: Tensor, weight: Tensor, sizes: Sizes) -> Way:
    """Returns who is to compute a convolution of float32 or bfloat16 on the CPU."""
    padding, stride, _ = sizes
    for module, wanted in ((winograd, (padding,)), (sequences, (padding,)), (narrow, (padding, stride))):
        library = module.library_for(x, weight, *sizes)
        if library is not None:
            return module, library, wanted
    return None


def _convolved(way: Way, x: Tensor, weight: Tensor, bias: Tensor | None, sizes: Sizes, relu: bool) -> Tensor:
    if way is not None:
        module, library, own_sizes = way
        y: Tensor = module.convolve(library, x, weight, *own_sizes, bias, relu)
        return y
    kernels = fused.kernels()
    assert kernels is not None
    y = kernels.convolve(x, weight, bias, *sizes, 1, "none", [], "")
    return y.relu_() if relu else y


def _gradients(way: Way, gradient: Tensor, x: Tensor, weight: Tensor, sizes: Sizes, wanted: list[bool]) -> Any:
    """Returns the gradients of images and kernel, those that are wanted."""
    if way is not None:
        module, library, own_sizes = way
        return module.gradients(library, gradient, x, weight, *own_sizes, wanted)
    return fused.gradients(gradient, x, weight, sizes, wanted)


class FusedConvolution(torch.autograd.Function):
    """A convolution with what follows it done while the result is at hand, and the bias's gradient summed apart.

    OneDNN's gradient of a bias takes longer than a sum. Kernels of 3 x 3, over sequences, and of few channels or
    filters are computed by the library in C++ where it suits them.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, sizes: Sizes, ending: Ending) -> Tensor:
        """Convolves.

        Args:
            ctx: Keeps what the gradient needs.
            x: The images, channels first.
            weight: The kernel.
            bias: What is added to each channel.
            sizes: Padding, stride and dilation.
            ending: What follows.
        """
        ctx.way = _way(x, weight, sizes)
        y = _convolved(ctx.way, x, weight, bias, sizes, ending.relu and not ending.pools)
        y, ctx.kept = ending.finish(y)
        ctx.save_for_backward(x, weight, y if ending.relu else None)
        ctx.sizes, ctx.ending = sizes, ending
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Any:
        """Returns the gradients of images, kernel and bias, those that are wanted."""
        x, weight, y = ctx.saved_tensors
        of_x, of_weight, of_bias, *_ = ctx.needs_input_grad
        gradient, sums = ctx.ending.gradient(gradient, y, ctx.kept)
        gradients = _gradients(ctx.way, gradient, x, weight, ctx.sizes, [of_x, of_weight])
        return *gradients, sums if of_bias else None, None, None


class LargestOfConvolution(torch.autograd.Function):
    """The largest values of a convolution over all positions, and what follows them."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, sizes: Sizes, ending: NativeEnding) -> Tensor:
        """Convolves, and takes the largest values.

        Args:
            ctx: Keeps what the gradient needs.
            x: The images, channels first.
            weight: The kernel.
            bias: What is added to each channel.
            sizes: Padding, stride and dilation.
            ending: What follows the largest values.
        """
        ctx.way = _way(x, weight, sizes)
        everywhere = _convolved(ctx.way, x, weight, bias, sizes, relu=False)
        values, ctx.places = largest.found(ending.library, everywhere)
        many = () if ctx.places.are_few() else (everywhere, values.clone())
        y, ctx.kept = ending.finish(values)
        ctx.save_for_backward(x, weight, y if ending.relu else None, *many)
        ctx.sizes, ctx.ending = sizes, ending
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Any:
        """Returns the gradients of images, kernel and bias, those that are wanted."""
        x, weight, y, *many = ctx.saved_tensors
        of_x, of_weight, of_bias, *_ = ctx.needs_input_grad
        gradient, sums = ctx.ending.gradient(gradient, y, ctx.kept)
        if many:
            everywhere = largest.spread_by_torch(gradient, *many)
            gradients = _gradients(ctx.way, everywhere, x, weight, ctx.sizes, [of_x, of_weight])
        else:
            wanted = (of_x, of_weight)
            library = ctx.ending.library
            gradients = largest.convolution_gradients(library, gradient, ctx.places, x, weight, ctx.sizes, wanted)
        return *gradients, sums if of_bias else None, None, None
