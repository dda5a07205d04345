"""BigDL's validation methods that look at the order of outputs: for recommendation and retrieval."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from bigdl.errors import DataError
from bigdl.training.labels import class_indices
from bigdl.training.validation import Tally, ValidationMethod


class _Ranking(ValidationMethod):
    """A score of the rank of one right item among ``neg_num`` wrong ones; each such group is one record.

    The rows come group by group, in order, so that a batch must hold whole groups.

    Args:
        k: How far up the right item must be.
        neg_num: The number of wrong items beside it.
        bigdl_type: Kept for BigDL's signature.

    Raises:
        DataError: A number is not positive.
    """

    by_row = False

    def __init__(self, k: int = 10, neg_num: int = 100, bigdl_type: str = "float") -> None:
        if k < 1 or neg_num < 1:
            raise DataError(f"{self.name}: k and neg_num must be positive. Received: k={k}, neg_num={neg_num}.")
        self.k = k
        self.neg_num = neg_num

    @abstractmethod
    def scores(self, ranks: Tensor) -> Tensor:
        """Returns the score of each group, given the rank of its right item, from 1."""

    def __call__(self, output: Tensor, target: Tensor) -> Tally:
        """Scores one batch.

        Args:
            output: A number for each row, the larger the likelier.
            target: 1 for the right item of each group, 0 for the others.

        Raises:
            DataError: There are no whole groups, or a group has not one right item.
        """
        size = self.neg_num + 1
        if output.numel() != target.numel() or output.numel() % size:
            raise DataError(
                f"{self.name} expects groups of {size} rows, one right item and neg_num={self.neg_num} others: the "
                f"batch size must be a multiple of {size}. Received: {output.numel()} outputs and {target.numel()} "
                "targets."
            )
        groups, right = output.reshape(-1, size), target.reshape(-1, size) == 1
        counts = right.sum(1)
        if not bool((counts == 1).all()):
            wrong = int((counts != 1).nonzero()[0])
            raise DataError(f"{self.name} expects one right item in each group. Received: {int(counts[wrong])}.")
        ranks = 1 + (groups > groups[right].unsqueeze(1)).sum(1)
        return Tally(float(self.scores(ranks).sum()), len(ranks))


class HitRatio(_Ranking):
    """The share of groups whose right item is among the ``k`` likeliest; see ``_Ranking`` for the arguments."""

    def scores(self, ranks: Tensor) -> Tensor:
        """Returns 1 for a hit and 0 for none."""
        return (ranks <= self.k).double()


class NDCG(_Ranking):
    """The mean of ``1 / log2(1 + rank)`` of the right items, 0 beyond ``k``; see ``_Ranking`` for the arguments.

    The normalized discounted cumulative gain, where one item is right.
    """

    def scores(self, ranks: Tensor) -> Tensor:
        """Returns the gains."""
        return torch.where(ranks <= self.k, 1 / torch.log2(1 + ranks.double()), 0.0)


@dataclass(frozen=True, slots=True)
class RankedTally(Tally):
    """For each class its likeliest rows, and how many rows are of it; it counts as one record, as in BigDL.

    Attributes:
        confidences: The outputs of the rows, the largest first, ``(k, classes)``.
        hits: Whether each of these rows is of the class.
        positives: The number of rows of each class.
        k: How many rows are kept.
    """

    confidences: Tensor
    hits: Tensor
    positives: Tensor
    k: int

    def __add__(self, other: Tally) -> RankedTally:
        assert isinstance(other, RankedTally)
        confidences = torch.cat([self.confidences, other.confidences])
        hits = torch.cat([self.hits, other.hits])
        return ranked(confidences, hits, self.positives + other.positives, self.k)

    @property
    def result(self) -> float:
        """The mean over classes of the average precision, as the Pascal VOC challenge computes it since 2010."""
        precision = self.hits.cumsum(0) / torch.arange(1, len(self.hits) + 1).unsqueeze(1)
        # The best precision at each hit or behind it.
        best = torch.where(self.hits, precision, 0.0).flip(0).cummax(0).values.flip(0)
        total = torch.where(self.hits, best, 0.0).sum(0)
        return float((total / self.positives.clamp(min=1)).mean())


def ranked(confidences: Tensor, hits: Tensor, positives: Tensor, k: int) -> RankedTally:
    """Returns a tally of the ``k`` likeliest rows of each class."""
    order = confidences.argsort(dim=0, descending=True, stable=True)[:k]
    return RankedTally(0.0, 1.0, confidences.gather(0, order), hits.gather(0, order), positives, k)


class MeanAveragePrecision(ValidationMethod):
    """The mean average precision over classes, each of the ``k`` rows that are likeliest to be of it.

    Args:
        k: How many rows.
        classes: The number of classes.
        bigdl_type: Kept for BigDL's signature.
        zero_based_label: Whether labels count from 0; this method's do, unlike others of BigDL.

    Raises:
        DataError: A number is not positive.
    """

    by_row = False

    def __init__(self, k: int, classes: int, bigdl_type: str = "float", *, zero_based_label: bool = True) -> None:
        if k < 1 or classes < 1:
            raise DataError(
                f"MeanAveragePrecision: k and classes must be positive. Received: k={k}, classes={classes}."
            )
        self.k = k
        self.classes = classes
        self.zero_based_label = zero_based_label

    def __call__(self, output: Tensor, target: Tensor) -> RankedTally:
        """Scores one batch.

        Args:
            output: ``(batch, classes)``.
            target: Labels ``(batch,)`` or ``(batch, 1)``.

        Raises:
            DataError: A label is out of range, or the output has other numbers of rows or classes.
        """
        if output.dim() != 2 or output.shape[1] != self.classes or target.numel() != len(output):
            raise DataError(
                f"MeanAveragePrecision expects an output (batch, {self.classes}) and a label for each row. Received: "
                f"shapes {tuple(output.shape)} and {tuple(target.shape)}."
            )
        labels = class_indices(target.reshape(-1), self.classes, self.zero_based_label, self.name)
        hits = labels.unsqueeze(1) == torch.arange(self.classes)
        return ranked(output, hits, hits.sum(0), self.k)
