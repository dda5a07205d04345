"""What the terms of a loss are divided by, where workers share a batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from bigdl.training.batches import Batch
from bigdl.training.goal import Goal
from bigdl.training.group import Group
from bigdl.training.losses import LossTerm


class Division:
    """The division of the terms of a loss by their denominators.

    A denominator is the sum of all workers' parts. A single term is divided by the rows for now, and rightly
    afterwards, with its gradients. Several terms, and activities that stand beside one, need one more reduction
    before the gradients, of three numbers a term. Where all rows count alike nothing needs it.

    Args:
        goal: What has the terms.
        has_penalties: Whether activities are penalised.
    """

    def __init__(self, goal: Goal, has_penalties: bool) -> None:
        self._goal = goal
        self._is_single = len(goal.names) == 1 and not has_penalties

    def later(self, batch: Batch, group: Group) -> bool:
        """Whether the only term of a batch is divided with its gradients."""
        return group.size > 1 and self._is_single and not self._goal.counts_rows(batch)

    def first(self, batch: Batch, group: Group) -> bool:
        """Whether denominators are added up before the gradients."""
        return group.size > 1 and not self._goal.counts_rows(batch) and not self.later(batch, group)

    def objective(self, terms: Sequence[LossTerm], batch: Batch, group: Group) -> Tensor:
        """Returns the sum of the terms times their factors, each divided by its denominator, or by the rows for now."""
        factors = self._goal.factors
        if self.later(batch, group):
            return factors[0] / batch.rows * terms[0].numerator
        if group.size == 1:
            return _weighted([term.value for term in terms], factors)
        parts = torch.stack([term.parts() for term in terms])
        if self.first(batch, group):
            (parts,) = group.all_reduce([parts])
        else:
            parts[:, 0] *= batch.rows / batch.held
        return _weighted([term.over(total) for term, total in zip(terms, parts, strict=True)], factors)


def _weighted(shares: Sequence[Tensor], factors: Sequence[float]) -> Tensor:
    # Each operation on a number takes longer than it looks, once more in the gradient.
    parts = [share if factor == 1 else factor * share for factor, share in zip(factors, shares, strict=True)]
    return torch.stack(parts).sum() if len(parts) > 1 else parts[0]
