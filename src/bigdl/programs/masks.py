"""Which steps of sequences count, in prediction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from bigdl.programs.operations import Operation


@dataclass(eq=False, slots=True)
class Mark(Operation):
    """The steps that count, as ones and zeros (batch, time): those that hold another value than a certain one.

    Attributes:
        value: That value.
        of_vectors: Whether a step is a vector (batch, time, values), else a number (batch, time).
    """

    value: float
    of_vectors: bool

    def kernel(self) -> Callable[..., Any]:
        """Returns a comparison."""

        def mark(x: Tensor) -> Tensor:
            differs = x != self.value
            return (differs.any(-1) if self.of_vectors else differs).to(torch.float32)

        return mark


@dataclass(eq=False, slots=True)
class Shade(Operation):
    """Sequences (batch, time, values) with zeros at the steps that do not count; the second input tells which do."""

    def kernel(self) -> Callable[..., Any]:
        """Returns a product."""
        return lambda x, marks: x * marks.unsqueeze(-1).to(x.dtype)
