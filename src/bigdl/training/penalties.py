"""Penalties of weights and their gradients: Keras's own by hand, others by torch's record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from bigdl.graph import Weight
from bigdl.layers.regularizers import L1L2Regularizer


class WeightPenalties:
    """The penalties of a model's weights.

    ``l1 sum|x| + l2 sum x^2`` has the gradient ``l1 sign(x) + 2 l2 x``, whichever way the weight is seen. So it needs a
    pass over the parameter, and none of torch's nodes.

    Args:
        penalties: The weights that have one, with how often each counts.
        parameters: Those whose gradients are wanted.
    """

    def __init__(self, penalties: Mapping[Weight, int], parameters: Sequence[Tensor]) -> None:
        self._penalties = list(penalties.items())
        self._parameters = list(parameters)
        # By the parameters themselves: what is sent to workers has others.
        self._numbers = {parameter: i for i, parameter in enumerate(self._parameters)}

    def value(self) -> float:
        """Returns the sum of all penalties."""
        with torch.no_grad():
            return _as_number(sum(weight.penalty() * times for weight, times in self._penalties))

    def value_and_gradients(self, wanted: bool = True) -> tuple[float, list[Tensor | None]]:
        """Returns the sum of all penalties, and its gradients by the parameters; None for those that have none.

        Args:
            wanted: Whether gradients are; else none is returned.
        """
        if not self._penalties:
            return 0.0, []
        if not wanted or not self._parameters:
            return self.value(), []
        gradients: list[Tensor | None] = [None] * len(self._parameters)
        others: list[tuple[Weight, int]] = []
        total: Tensor | float = 0.0
        with torch.no_grad():
            for weight, times in self._penalties:
                if not _is_known(weight):
                    others.append((weight, times))
                    continue
                total = total + weight.penalty() * times
                number = self._numbers.get(weight.parameter)
                if number is not None:
                    gradients[number] = _sum(gradients[number], _gradient(weight, times))
        if others:
            of_others = sum(weight.penalty() * times for weight, times in others)
            total = total + (of_others.detach() if isinstance(of_others, Tensor) else of_others)
            if isinstance(of_others, Tensor) and of_others.requires_grad:
                found = torch.autograd.grad(of_others, self._parameters, allow_unused=True)
                gradients = [b if a is None else _sum(b, a) for a, b in zip(gradients, found, strict=True)]
        return _as_number(total), gradients


def _as_number(total: Tensor | float) -> float:
    return total.item() if isinstance(total, Tensor) else total


def _sum(one: Tensor | None, other: Tensor) -> Tensor:
    return other if one is None else one + other


def _is_known(weight: Weight) -> bool:
    """Whether a penalty is Keras's, of a weight that is a view of its parameter and no copy."""
    if type(weight.regularizer) is not L1L2Regularizer:
        return False
    value, parameter = weight.value, weight.parameter
    return value.untyped_storage().data_ptr() == parameter.untyped_storage().data_ptr()


def _gradient(weight: Weight, times: int) -> Tensor:
    """Returns the gradient by the parameter of a penalty that is known."""
    regularizer, parameter = weight.regularizer, weight.parameter
    assert isinstance(regularizer, L1L2Regularizer)
    value = weight.value
    if value.numel() == parameter.numel():
        return _slope(regularizer, parameter, times)
    gradient = torch.zeros_like(parameter)
    weight.view(gradient).copy_(_slope(regularizer, value, times))
    return gradient


def _slope(regularizer: L1L2Regularizer, x: Tensor, times: int) -> Tensor:
    slope = x * (2.0 * regularizer.l2 * times)
    return slope.add_(x.sign(), alpha=regularizer.l1 * times) if regularizer.l1 else slope
