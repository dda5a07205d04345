"""How products are computed for prediction: with weights that are folded and packed beforehand, without gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.programs import fused
from bigdl.programs.operations import Affine, Convolve, Multiply

CONVOLUTIONS: dict[int, Callable[..., Tensor]] = {4: F.conv2d, 5: F.conv3d}
"""Torch's convolutions by the rank of what they take."""


class Product:
    """A product whose weights are made ready before it is used.

    Args:
        operation: What it computes.
    """

    def __init__(self, operation: Affine) -> None:
        self.operation = operation
        self.relu = operation.relu
        self.refresh()

    def refresh(self) -> None:
        """Reads the weights anew."""
        self.weight, self.bias = self.operation.folded()


class Matrix(Product):
    """A product with a matrix."""

    def __call__(self, x: Tensor) -> Tensor:
        """Multiplies the last axis."""
        y = F.linear(x, self.weight, self.bias)
        return y.relu_() if self.relu else y


class Convolution(Product):
    """A convolution, by oneDNN's fused kernel where that takes the tensor.

    Args:
        operation: What it computes.
    """

    def __init__(self, operation: Convolve) -> None:
        self.padding = None if operation.padding is None else list(operation.padding)
        self.pad = operation.pad
        self.stride, self.dilation = list(operation.stride), list(operation.dilation)
        super().__init__(operation)

    def refresh(self) -> None:
        """Forgets the weights; they are read when the next tensor comes."""
        self._ready_for: Any = None

    def __call__(self, x: Tensor, other: Tensor | None = None) -> Tensor:
        """Convolves a channels-first tensor; adds another one, if there is one."""
        padding: Any = self.padding
        if padding is None:
            assert self.pad is not None
            x, padding = self.pad(x)
        kernels = fused.kernels() if fused.take(x) else None
        if x.shape[2:] != self._ready_for:
            self._make_ready(x.shape, padding, kernels)
        if kernels is None:
            return self._plain(x, padding, other)
        weights = (self.weight, self.bias, padding, self.stride, self.dilation, 1)
        x = x.contiguous(memory_format=torch.channels_last)
        if other is None:
            return kernels.convolve(x, *weights, "relu" if self.relu else "none", [], "")
        return kernels.convolve_and_add(x, other, *weights, "add", 1.0, "relu" if self.relu else None, [], "")

    def _make_ready(self, shape: torch.Size, padding: list[int], kernels: fused.Kernels | None) -> None:
        """Reads the weights and packs them for images of this size; how many there are makes no difference."""
        self.weight, self.bias = self.operation.folded()
        if kernels is not None:
            self.weight = kernels.pack(self.weight, padding, self.stride, self.dilation, 1, shape)
        self._ready_for = shape[2:]

    def _plain(self, x: Tensor, padding: list[int], other: Tensor | None) -> Tensor:
        y = CONVOLUTIONS[x.dim()](x, self.weight, self.bias, self.stride, padding, self.dilation)
        if other is not None:
            y += other
        return y.relu_() if self.relu else y


KERNELS: dict[type[Any], Callable[[Any], Callable[..., Tensor]]] = {Multiply: Matrix, Convolve: Convolution}
"""What makes the kernel of a product."""
