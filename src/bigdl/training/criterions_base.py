"""What all of BigDL's criterions share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bigdl.errors import DataError
from bigdl.training.losses import LossTerm

Weights = NDArray[Any] | Tensor | None


class Criterion(ABC):
    """A loss as BigDL has it: a function of output and target, in this order."""

    @abstractmethod
    def terms(self, output: Any, target: Any) -> LossTerm:
        """Computes the loss as a quotient whose parts can be added over workers.

        Args:
            output: The model's output; a list where it has several.
            target: What it should be.

        Raises:
            DataError: The target does not fit the output.
        """

    def __call__(self, output: Any, target: Any) -> Tensor:
        """Returns the loss, a scalar through which gradients flow."""
        return self.terms(output, target).value

    def forward(self, input: Any, target: Any) -> float:
        """Returns the loss.

        Args:
            input: The output of a model, an array; a list where it has several.
            target: What it should be.
        """
        return float(self(_tensors(input), _tensors(target)).detach())

    def backward(self, input: Any, target: Any) -> Any:
        """Returns the gradient of the loss with respect to the input of ``forward``, in the same form."""
        outputs = _tensors(input)
        table = outputs if isinstance(outputs, list) else [outputs]
        for output in table:
            output.requires_grad_()
        gradients = torch.autograd.grad(self(outputs, _tensors(target)), table, materialize_grads=True)
        arrays = [gradient.numpy() for gradient in gradients]
        return arrays if isinstance(outputs, list) else arrays[0]


def _tensors(arrays: Any) -> Any:
    """Copies of arrays as float32 tensors."""
    if isinstance(arrays, list | tuple):
        return [_tensors(array) for array in arrays]
    if isinstance(arrays, Tensor):
        return arrays.detach().to(torch.float32, copy=True)
    return torch.from_numpy(np.array(arrays, dtype=np.float32))


class ElementwiseCriterion(Criterion):
    """The mean, or the sum, of a loss of each element.

    Args:
        size_average: Whether the loss is the mean over all elements rather than their sum.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, size_average: bool = True, bigdl_type: str = "float") -> None:
        self.size_average = size_average

    @abstractmethod
    def elements(self, output: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of each element; output and target have one shape."""

    def terms(self, output: Tensor, target: Tensor) -> LossTerm:
        """Computes the loss as a quotient.

        Raises:
            DataError: Output and target have different numbers of elements.
        """
        loss = self.elements(output, shaped_like(output, target, type(self).__name__))
        return LossTerm(loss.sum(), float(loss.numel()), averaged=self.size_average)


def as_weights(weights: Weights) -> Tensor | None:
    """Returns factors as a float32 tensor, None for none."""
    return None if weights is None else torch.as_tensor(weights, dtype=torch.float32)


def class_weights(weights: Tensor, output: Tensor, who: str) -> Tensor:
    """Returns a weight for each class, like the output.

    Raises:
        DataError: There is not one for each class.
    """
    if weights.shape != output.shape[-1:]:
        raise DataError(
            f"{who}: weights must hold one number for each of the {output.shape[-1]} classes. "
            f"Received: shape {tuple(weights.shape)}."
        )
    return weights.to(output)


def shaped_like(output: Tensor, target: Tensor, who: str) -> Tensor:
    """Returns the target in the output's shape and dtype.

    Raises:
        DataError: It has another number of elements.
    """
    if target.numel() != output.numel():
        raise DataError(
            f"{who} expects a target of the output's shape, {tuple(output.shape)}. Received: {tuple(target.shape)}."
        )
    return target.reshape(output.shape).to(output.dtype)
