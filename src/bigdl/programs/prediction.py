"""How products are computed for prediction: with weights that are folded and packed beforehand, without gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.programs import fused
from bigdl.programs.images import DepthwiseConvolve
from bigdl.programs.largest import over_all
from bigdl.programs.operations import Convolve, Multiply, Operation, Scale
from bigdl.programs.precision import low

CONVOLUTIONS: dict[int, Callable[..., Tensor]] = {4: F.conv2d, 5: F.conv3d}
"""Torch's convolutions by the rank of what they take."""

POOLINGS: dict[int, Callable[..., Tensor]] = {4: F.max_pool2d, 5: F.max_pool3d}
"""Torch's poolings, likewise."""


class Product:
    """A product whose weights are made ready before it is used.

    Args:
        operation: What it computes.
    """

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.refresh()

    def refresh(self) -> None:
        """Reads the weights anew."""
        raise NotImplementedError


class Scaled(Product):
    """A factor and a summand for each feature.

    Torch's batch normalization would wake all threads for whatever it is given.
    """

    operation: Scale

    def refresh(self) -> None:
        """Reads the weights anew."""
        dtype = self.operation.gamma().dtype
        self.factor, self.summand = (x.to(dtype) for x in self.operation.factors())

    def __call__(self, x: Tensor) -> Tensor:
        """Scales axis 1."""
        shape = (-1, *(1,) * (x.dim() - 2))
        y = torch.addcmul(self.summand.view(shape), x, self.factor.view(shape))
        return y.relu_() if self.operation.relu else y


class Matrix(Product):
    """A product with a matrix."""

    operation: Multiply

    def refresh(self) -> None:
        """Reads the weights anew."""
        self.weight, self.bias = self.operation.folded()

    def __call__(self, x: Tensor) -> Tensor:
        """Multiplies the last axis."""
        if x.dtype == torch.bfloat16 != self.weight.dtype:
            self.weight, self.bias = low(self.weight), None if self.bias is None else low(self.bias)
        y = F.linear(x, self.weight, self.bias)
        return y.relu_() if self.operation.relu else y


class Convolution(Product):
    """A convolution, by oneDNN's fused kernel or by torch's ordinary operations.

    Args:
        operation: What it computes.
    """

    operation: Convolve

    def refresh(self) -> None:
        """Forgets the weights; they are read when the next tensor comes."""
        self._ready: tuple[torch.Size, Callable[[Tensor, Tensor | None], Tensor]] | None = None

    def __call__(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        """Convolves a channels-first tensor; adds another one, if there is one."""
        ready = self._ready  # looked at once, as other threads may predict too
        if ready is None or ready[0] != x.shape[2:]:
            self._ready = ready = x.shape[2:], self._prepared(x)
        return ready[1](x, other)

    def _prepared(self, x: Tensor) -> Callable[[Tensor, Tensor | None], Tensor]:
        """Returns what convolves tensors of this type, rows and columns, however many images there are."""
        kernels = fused.kernels()
        return self._plain(x) if kernels is None or not fused.take(x) else self._fused(kernels, x)

    def _weights(self, like: Tensor) -> tuple[Tensor, Tensor | None]:
        weight, bias = self.operation.folded()
        if like.dtype != torch.bfloat16:
            return weight, bias
        return low(weight), None if bias is None else low(bias)

    def _fused(self, kernels: fused.Kernels, like: Tensor) -> Callable[[Tensor, Tensor | None], Tensor]:
        operation = self.operation
        weight, bias = self._weights(like)
        pads = operation.pads(like.shape[2:])
        shape, padding = torch.Size(fused.evenly_padded(like, pads)[0].shape), fused.evenly_padded(like, pads)[1]
        stride, dilation = list(operation.stride), list(operation.dilation)
        packed = kernels.pack(weight, padding, stride, dilation, 1, shape)

        def convolve(x: Tensor, other: Tensor | None) -> Tensor:
            x = fused.evenly_padded(x, pads)[0].contiguous(memory_format=torch.channels_last)
            weights = (packed, bias, padding, stride, dilation, 1)
            if other is None:
                y = self._pooled(kernels.convolve(x, *weights, "none", [], ""))
            else:
                y = kernels.convolve_and_add(x, other, *weights, "add", 1.0, None, [], "")
            return y.relu_() if operation.relu else y

        return convolve

    def _plain(self, like: Tensor) -> Callable[[Tensor, Tensor | None], Tensor]:
        operation = self.operation
        weight, bias = self._weights(like)

        def convolve(x: Tensor, other: Tensor | None) -> Tensor:
            x, padding = fused.evenly_padded(x, operation.pads(x.shape[2:]))
            y = CONVOLUTIONS[x.dim()](x, weight, bias, operation.stride, padding, operation.dilation)
            if other is not None:
                y += other
            return self._pooled(y.relu_() if operation.relu else y)

        return convolve

    def _pooled(self, x: Tensor) -> Tensor:
        window = self.operation.window
        if self.operation.over_all:
            return over_all(x)
        return x if window is None else POOLINGS[x.dim()](x, window)


class Depthwise(Product):
    """A convolution of each channel by itself."""

    operation: DepthwiseConvolve

    def refresh(self) -> None:
        """Reads the weights anew."""
        self.weight, self.bias = self.operation.folded()

    def __call__(self, x: Tensor) -> Tensor:
        """Convolves a channels-first tensor."""
        weight, bias = self.weight, self.bias
        if x.dtype == torch.bfloat16:
            weight, bias = low(weight), None if bias is None else low(bias)
        x, padding = fused.evenly_padded(x, self.operation.pads(x.shape[2:]))
        y = F.conv2d(x, weight, bias, self.operation.stride, padding, groups=x.shape[1])
        return y.relu_() if self.operation.relu else y


KERNELS: dict[type[Any], Callable[[Any], Callable[..., Tensor]]] = {
    Multiply: Matrix,
    Convolve: Convolution,
    DepthwiseConvolve: Depthwise,
    Scale: Scaled,
}
"""What makes the kernel of a product."""
