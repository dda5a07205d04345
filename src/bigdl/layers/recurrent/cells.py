"""The steps of SimpleRNN, GRU and LSTM."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from bigdl.layers.activations import Activation, linear
from bigdl.layers.recurrent.gates import RecurrentProduct
from bigdl.layers.recurrent.sequence import State


class GatedCell:
    """What the cells of SimpleRNN, GRU and LSTM are made of.

    Attributes:
        weight: U as ``(gates * units, units)``.
        masks: Dropout masks of h ``(1 or gates, batch, units)``, or None.
        activation: The activation of the output.
        inner_activation: The activation of the gates, where there are some.

    Args:
        weight: See above.
        masks: See above.
        activation: See above.
        inner_activation: See above.
    """

    def __init__(
        self, weight: Tensor, masks: Tensor | None, activation: Activation, inner_activation: Activation = linear
    ) -> None:
        self.weight = weight
        self.masks = masks
        self.activation = activation
        self.inner_activation = inner_activation

    @cached_property
    def product(self) -> RecurrentProduct:
        """The product of h with U, for all gates."""
        return RecurrentProduct(self.weight, self.masks)

    def with_weight(self, weight: Tensor) -> Self:
        """Returns the same cell with another U."""
        return type(self)(weight, self.masks, self.activation, self.inner_activation)

    def split(self, projected: Tensor) -> Sequence[Tensor]:
        """Cuts the projected input; see ``Cell``."""
        return (projected,)

    def step(self, inputs: Sequence[Tensor], state: State) -> State:
        """Returns the state after one step; see ``Cell``."""
        raise NotImplementedError(f"{type(self).__name__} defines no step")


class SimpleRNNCell(GatedCell):
    """``h' = activation(x + h U)``."""

    def step(self, inputs: Sequence[Tensor], state: State) -> State:
        """Returns the next state ``(h,)``."""
        return (self.activation(self.product(inputs[0], state[0])),)


class GRUCell(GatedCell):
    """One step of a GRU."""

    @property
    def units(self) -> int:
        """The number of units."""
        return self.weight.shape[1]

    @cached_property
    def gates_product(self) -> RecurrentProduct:
        """The product of h with U, for the gates z and r."""
        masks = self.masks if self.masks is None or len(self.masks) == 1 else self.masks[:2]
        return RecurrentProduct(self.weight[: 2 * self.units], masks)

    @cached_property
    def candidate_product(self) -> RecurrentProduct:
        """The product of ``r * h`` with U, for the candidate."""
        return RecurrentProduct(self.weight[2 * self.units :], None if self.masks is None else self.masks[-1:])

    def split(self, projected: Tensor) -> Sequence[Tensor]:
        """Returns the projected input of the two gates, and that of the candidate."""
        return projected[..., : 2 * self.units], projected[..., 2 * self.units :]

    def step(self, inputs: Sequence[Tensor], state: State) -> State:
        """Returns the next state ``(h,)``."""
        (h,) = state
        z, r = self.gates_product(inputs[0], h).chunk(2, 1)
        candidate = self.activation(self.candidate_product(inputs[1], self.inner_activation(r) * h))
        return (torch.lerp(candidate, h, self.inner_activation(z)),)


def next_state(gates: Tensor, c: Tensor, activation: Activation, inner_activation: Activation) -> State:
    """Returns h and c after one step of an LSTM.

    Args:
        gates: The gates i, f, c, o before their activation, side by side on axis 1.
        c: The memory before the step.
        activation: The activation of the candidate and of the memory.
        inner_activation: The activation of the gates i, f and o.
    """
    i, f, candidate, o = gates.chunk(4, 1)
    c = torch.addcmul(inner_activation(f) * c, inner_activation(i), activation(candidate))
    return inner_activation(o) * activation(c), c


class LSTMCell(GatedCell):
    """One step of an LSTM."""

    def step(self, inputs: Sequence[Tensor], state: State) -> State:
        """Returns the next state ``(h, c)``."""
        h, c = state
        return next_state(self.product(inputs[0], h), c, self.activation, self.inner_activation)
