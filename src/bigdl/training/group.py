"""The workers that train one model together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor


class Group(Protocol):
    """Workers that each hold a part of every batch and the same weights.

    Attributes:
        size: How many they are.
    """

    size: int

    def all_reduce(self, tensors: Sequence[Tensor]) -> None:
        """Replaces each tensor by its sum over all workers, in place.

        Args:
            tensors: The same number of tensors, of the same shapes, on every worker.
        """


class SingleWorker:
    """One worker on its own: every sum is its own part."""

    size = 1

    def all_reduce(self, tensors: Sequence[Tensor]) -> None:
        """Leaves the tensors as they are."""
