"""What moves the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from bigdl.graph import Weight
from bigdl.training.checkpoint import Stateful


class Mover(Stateful, Protocol):
    """An optimizer, as far as a step is concerned."""

    def bind(self, weights: Sequence[Weight]) -> None:
        """Takes the weights to move."""

    def step(self) -> None:
        """Moves them once, by the gradients in their parameters' ``.grad``."""

    def takes_table(self, parameter: Tensor) -> bool:
        """Whether the gradient of a table may be a sparse tensor of the rows that were used."""
