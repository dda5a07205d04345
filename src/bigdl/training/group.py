"""The workers that train one model together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from torch import Tensor


class Group(Protocol):
    """Workers that each hold a part of every batch and the same weights.

    Attributes:
        size: How many they are.
        rank: Which of them this one is, from 0.
    """

    size: int
    rank: int

    def all_reduce(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Returns the sum of each tensor over all workers.

        Args:
            tensors: The same number of tensors, of the same shapes, on every worker.

        Returns:
            Tensors like them, the same to the last bit on every worker; they may be used until the next call.
        """

    def sum_gradients(
        self, parameters: Sequence[Tensor], compute: Callable[[], list[Tensor]], beside: Callable[[], list[Tensor]]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Returns the sums of gradients over all workers, and of what is summed beside them.

        Args:
            parameters: Those that the gradients are of.
            compute: Computes the gradients of this worker's rows; the sums may begin while it does.
            beside: Gives more tensors, once the gradients are computed.
        """


class SingleWorker:
    """One worker on its own: every sum is its own part."""

    size = 1
    rank = 0

    def all_reduce(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Returns the tensors as they are."""
        return list(tensors)

    def sum_gradients(
        self, parameters: Sequence[Tensor], compute: Callable[[], list[Tensor]], beside: Callable[[], list[Tensor]]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Returns what is computed."""
        return compute(), beside()
