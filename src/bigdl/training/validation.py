"""BigDL's validation methods: how well outputs fit targets, counted so that batches and workers can be added."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from bigdl.errors import DataError
from bigdl.training.criterions import ClassNLLCriterion, Criterion
from bigdl.training.labels import class_indices


@dataclass(frozen=True, slots=True)
class Tally:
    """A sum of scores and what it is divided by.

    Attributes:
        total: The sum.
        count: The number of samples (or the sum of their weights) it is over.
    """

    total: float
    count: float

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.total + other.total, self.count + other.count)

    @property
    def result(self) -> float:
        """The mean; NaN over nothing."""
        return self.total / self.count if self.count else float("nan")


@dataclass(frozen=True, slots=True)
class EvaluatedResult:
    """What one validation method found.

    Attributes:
        result: The mean score.
        total_num: The number of samples.
        method: The method's name.
    """

    result: float
    total_num: int
    method: str

    def __str__(self) -> str:
        return f"Evaluated result: {self.result}, total_num: {self.total_num}, method: {self.method}"


class ValidationMethod(ABC):
    """A score of outputs.

    Attributes:
        by_row: Whether it is a sum over rows, each by itself, so that rows may be divided among workers at will.
    """

    by_row: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """The method's name in results, logs and summaries."""
        return type(self).__name__

    @abstractmethod
    def __call__(self, output: Tensor, target: Tensor) -> Tally:
        """Scores one batch."""

    def evaluated(self, tally: Tally) -> EvaluatedResult:
        """Returns the result of all batches together."""
        return EvaluatedResult(tally.result, round(tally.count), self.name)


class Top1Accuracy(ValidationMethod):
    """The share of samples whose most likely class is the true one.

    An output of one column is a probability: it is compared with labels 0 and 1, at 0.5.

    Args:
        bigdl_type: Kept for BigDL's signature.
        zero_based_label: Whether labels count from 0 rather than from 1.
    """

    def __init__(self, bigdl_type: str = "float", *, zero_based_label: bool = False) -> None:
        self.zero_based_label = zero_based_label

    def __call__(self, output: Tensor, target: Tensor) -> Tally:
        """Scores one batch.

        Args:
            output: ``(batch, classes)``, or more axes before the last.
            target: Labels ``(batch,)`` or ``(batch, 1)``, or one-hot rows like the output.

        Raises:
            DataError: A label is out of range, or there is not one for each sample.
        """
        rows = output.reshape(-1, output.shape[-1])
        if rows.shape[1] == 1:
            right = (rows[:, 0] >= 0.5) == _flat_labels(rows, target, self.name).bool()
        else:
            right = rows.argmax(1) == _true_classes(rows, target, self.zero_based_label, self.name)
        return Tally(float(right.sum()), right.numel())


class TreeNNAccuracy(Top1Accuracy):
    """``Top1Accuracy`` at the root of trees: of each sample's nodes the first.

    Args:
        bigdl_type: Kept for BigDL's signature.
        zero_based_label: Whether labels count from 0 rather than from 1.
    """

    def __call__(self, output: Tensor, target: Tensor) -> Tally:
        """Scores one batch.

        Args:
            output: ``(batch, nodes, classes)``.
            target: Labels ``(batch, nodes)``.

        Raises:
            DataError: The shapes are others, or a label is out of range.
        """
        if output.dim() != 3 or target.dim() != 2:
            raise DataError(
                "TreeNNAccuracy expects an output (batch, nodes, classes) and labels (batch, nodes). Received: shapes "
                f"{tuple(output.shape)} and {tuple(target.shape)}."
            )
        return super().__call__(output[:, 0], target[:, 0])


class Top5Accuracy(ValidationMethod):
    """The share of samples whose true class is among the five most likely.

    Args:
        bigdl_type: Kept for BigDL's signature.
        zero_based_label: Whether labels count from 0 rather than from 1.
    """

    def __init__(self, bigdl_type: str = "float", *, zero_based_label: bool = False) -> None:
        self.zero_based_label = zero_based_label

    def __call__(self, output: Tensor, target: Tensor) -> Tally:
        """Scores one batch; see ``Top1Accuracy``."""
        rows = output.reshape(-1, output.shape[-1])
        likely = rows.topk(min(5, rows.shape[1]), dim=1).indices
        classes = _true_classes(rows, target, self.zero_based_label, self.name)
        return Tally(float((likely == classes.unsqueeze(1)).any(1).sum()), len(rows))


class Loss(ValidationMethod):
    """A criterion's loss over all samples.

    Args:
        cri: The criterion; ``ClassNLLCriterion()`` by default.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, cri: Criterion | None = None, bigdl_type: str = "float") -> None:
        self.criterion = cri or ClassNLLCriterion()

    def __call__(self, output: Tensor, target: Tensor) -> Tally:
        """Scores one batch."""
        term = self.criterion.terms(output, target)
        return Tally(float(term.numerator.detach()), term.denominator)


class MAE(ValidationMethod):
    """The mean absolute error: of the output, or for class labels of the most likely class's number.

    Args:
        bigdl_type: Kept for BigDL's signature.
        zero_based_label: Whether labels count from 0 rather than from 1.
    """

    def __init__(self, bigdl_type: str = "float", *, zero_based_label: bool = False) -> None:
        self.zero_based_label = zero_based_label

    def __call__(self, output: Tensor, target: Tensor) -> Tally:
        """Scores one batch.

        Args:
            output: The output.
            target: Values like the output, or a label for each row of it.

        Raises:
            DataError: A label is out of range, or the target fits neither way.
        """
        if target.numel() == output.numel():
            return Tally(float((output - target.reshape(output.shape)).abs().sum()), output.numel())
        rows = output.reshape(-1, output.shape[-1])
        distance = rows.argmax(1) - _true_classes(rows, target, self.zero_based_label, self.name)
        return Tally(float(distance.abs().sum()), len(rows))


def _true_classes(rows: Tensor, target: Tensor, zero_based_label: bool, who: str) -> Tensor:
    """The index of each row's class, from labels or one-hot rows."""
    if target.numel() == rows.numel() and rows.shape[1] > 1:
        return target.reshape(rows.shape).argmax(1)
    return class_indices(_flat_labels(rows, target, who), rows.shape[1], zero_based_label, who)


def _flat_labels(rows: Tensor, target: Tensor, who: str) -> Tensor:
    if target.numel() != len(rows):
        raise DataError(
            f"{who} expects one label for each of the {len(rows)} rows of the output. "
            f"Received: a target of shape {tuple(target.shape)}."
        )
    return target.reshape(-1)
