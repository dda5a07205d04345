"""BigDL's criterions of several outputs, of steps, and of other criterions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Self

import torch
from torch import Tensor

from bigdl.errors import DataError
from bigdl.training.criterions_base import Criterion
from bigdl.training.criterions_elementwise import as_rows, cosine
from bigdl.training.losses import LossTerm

Table = Sequence[Tensor]


class CosineEmbeddingCriterion(Criterion):
    """The mean of ``1 - cos(a, b)`` where the target is 1, of ``max(cos(a, b) - margin, 0)`` where it is -1.

    Args:
        margin: The margin.
        size_average: Whether the loss is the mean over samples rather than their sum.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, margin: float = 0.0, size_average: bool = True, bigdl_type: str = "float") -> None:
        self.margin = margin
        self.size_average = size_average

    def terms(self, output: Table, target: Tensor | Table) -> LossTerm:
        """Computes the loss as a quotient, for an output ``[a, b]``."""
        a, b = _pair(output, self)
        similarity = cosine(as_rows(a), as_rows(b))
        apart = (similarity - self.margin).clamp(min=0)
        loss = torch.where(_column(target) == 1, 1 - similarity, apart)
        return LossTerm(loss.sum(), float(len(loss)), averaged=self.size_average)


class MarginRankingCriterion(Criterion):
    """The mean of ``max(margin - t (a - b), 0)``: ``a`` is to be the larger where ``t`` is 1, ``b`` where it is -1.

    Args:
        margin: The margin.
        size_average: Whether the loss is the mean over samples rather than their sum.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, margin: float = 1.0, size_average: bool = True, bigdl_type: str = "float") -> None:
        self.margin = margin
        self.size_average = size_average

    def terms(self, output: Table, target: Tensor | Table) -> LossTerm:
        """Computes the loss as a quotient, for an output ``[a, b]``."""
        a, b = _pair(output, self)
        loss = (self.margin - _column(target) * (a - b).reshape(-1)).clamp(min=0)
        return LossTerm(loss.sum(), float(len(loss)), averaged=self.size_average)


class L1HingeEmbeddingCriterion(Criterion):
    """The mean over samples of ``d = sum|a - b|`` where the target is 1, of ``max(margin - d, 0)`` where it is -1.

    Args:
        margin: The margin.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, margin: float = 1.0, bigdl_type: str = "float") -> None:
        self.margin = margin

    def terms(self, output: Table, target: Tensor | Table) -> LossTerm:
        """Computes the loss as a quotient, for an output ``[a, b]``."""
        a, b = _pair(output, self)
        distance = as_rows(a - b).abs().sum(1)
        loss = torch.where(_column(target) == -1, (self.margin - distance).clamp(min=0), distance)
        return LossTerm(loss.sum(), float(len(loss)))


class KLDCriterion(Criterion):
    """The divergence of normal distributions from the standard one (Kingma and Welling 2013, appendix B).

    ``-1/2 sum(1 + log v - m^2 - v)``, for an output ``[m, log v]``; the target plays no part.

    Args:
        size_average: Whether the loss is the mean over samples rather than their sum.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, size_average: bool = True, bigdl_type: str = "float") -> None:
        self.size_average = size_average

    def terms(self, output: Table, target: Tensor | Table) -> LossTerm:
        """Computes the loss as a quotient, for an output ``[m, log v]``."""
        mean, log_variance = _pair(output, self)
        loss = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum()
        return LossTerm(loss, float(len(mean)), averaged=self.size_average)


class GaussianCriterion(Criterion):
    """The negative log-likelihood of the target under normal distributions, for an output ``[m, log v]``; a sum.

    Args:
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, bigdl_type: str = "float") -> None:
        pass

    def terms(self, output: Table, target: Tensor | Table) -> LossTerm:
        """Computes the loss as a quotient, for an output ``[m, log v]``."""
        mean, log_variance = _pair(output, self)
        value = target if isinstance(target, Tensor) else target[0]
        distance = (value.reshape(mean.shape) - mean).square() / log_variance.exp()
        loss = 0.5 * (log_variance + math.log(2 * math.pi) + distance)
        return LossTerm(loss.sum(), 1.0, averaged=False)


class _Combined(Criterion):
    """A weighted sum of criterions.

    Its parts are divided by different numbers, so what it gives is the loss of the batch, weighted by the rows.
    """

    def __init__(self) -> None:
        self._criterions: list[tuple[Criterion, float]] = []

    def add(self, criterion: Criterion, weight: float = 1.0) -> Self:
        """Adds a criterion.

        Args:
            criterion: The criterion.
            weight: Its factor.

        Returns:
            This object.
        """
        self._criterions.append((criterion, float(weight)))
        return self


class MultiCriterion(_Combined):
    """A weighted sum of criterions of the same output and target.

    Args:
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, bigdl_type: str = "float") -> None:
        super().__init__()

    def terms(self, output: Tensor, target: Tensor) -> LossTerm:
        """Computes the loss as a quotient."""
        return _by_rows([criterion(output, target) * weight for criterion, weight in self._criterions], output)


class ParallelCriterion(_Combined):
    """A weighted sum of criterions, each of its own output and target.

    Args:
        repeat_target: Whether all have the same target.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, repeat_target: bool = False, bigdl_type: str = "float") -> None:
        super().__init__()
        self.repeat_target = repeat_target

    def terms(self, output: Table, target: Tensor | Table) -> LossTerm:
        """Computes the loss as a quotient.

        Raises:
            DataError: There are more or fewer outputs or targets than criterions.
        """
        targets = [target] * len(output) if self.repeat_target else list(target)
        if not len(output) == len(targets) == len(self._criterions):
            raise DataError(
                f"ParallelCriterion has {len(self._criterions)} criterions. "
                f"Received: {len(output)} outputs and {len(targets)} targets."
            )
        triples = zip(self._criterions, output, targets, strict=True)
        return _by_rows([criterion(o, t) * weight for (criterion, weight), o, t in triples], output)


class TimeDistributedCriterion(Criterion):
    """The sum, or the mean, of a criterion over all steps.

    Args:
        criterion: The criterion of one step.
        size_average: Whether the loss is the mean over steps rather than their sum.
        dimension: The axis of the steps, the batch being axis 1.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(
        self, criterion: Criterion, size_average: bool = False, dimension: int = 2, bigdl_type: str = "float"
    ) -> None:
        self.criterion = criterion
        self.size_average = size_average
        self.axis = dimension - 1

    def terms(self, output: Tensor, target: Tensor) -> LossTerm:
        """Computes the loss as a quotient.

        Raises:
            DataError: Output and target have different numbers of steps.
        """
        steps = output.shape[self.axis]
        if target.dim() <= self.axis or target.shape[self.axis] != steps:
            raise DataError(
                f"TimeDistributedCriterion expects a target for each of the {steps} steps. "
                f"Received: a target of shape {tuple(target.shape)}."
            )
        pairs = zip(output.unbind(self.axis), target.unbind(self.axis), strict=True)
        factor = 1 / steps if self.size_average else 1.0
        return _by_rows([self.criterion(o, t) * factor for o, t in pairs], output)


class TimeDistributedMaskCriterion(Criterion):
    """A criterion over all steps but those whose target is padding.

    Args:
        criterion: The criterion of one step.
        padding_value: The target of the steps that do not count.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, criterion: Criterion, padding_value: int = 0, bigdl_type: str = "float") -> None:
        self.criterion = criterion
        self.padding_value = padding_value

    def terms(self, output: Tensor, target: Tensor) -> LossTerm:
        """Computes the loss as a quotient.

        Args:
            output: ``(batch, time, ...)``.
            target: A label for each step.

        Raises:
            DataError: There is not one target for each step.
        """
        rows = output.flatten(0, 1)
        if target.numel() != len(rows):
            raise DataError(
                f"TimeDistributedMaskCriterion expects one target for each of the {len(rows)} steps. "
                f"Received: a target of shape {tuple(target.shape)}."
            )
        kept = target.reshape(-1) != self.padding_value
        return self.criterion.terms(rows[kept], target.reshape(-1)[kept])


def _by_rows(losses: list[Tensor], output: Tensor | Table) -> LossTerm:
    rows = float(len(output if isinstance(output, Tensor) else output[0]))
    return LossTerm(torch.stack(losses).sum() * rows, rows)


def _pair(output: Any, criterion: Criterion) -> tuple[Tensor, Tensor]:
    if isinstance(output, Tensor) or len(output) != 2:
        raise DataError(f"{type(criterion).__name__} compares two outputs. Received: {len(output)}.")
    return output[0], output[1]


def _column(target: Tensor | Table) -> Tensor:
    return (target if isinstance(target, Tensor) else target[0]).reshape(-1)


class TransformerCriterion(Criterion):
    """A criterion of what models make of output and target: a loss of features, as in style transfer.

    Args:
        criterion: The criterion.
        input_transformer: Changes the output first: a model or another function of tensors; None for nothing.
        target_transformer: Likewise the target; no gradient flows through it.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(
        self,
        criterion: Criterion,
        input_transformer: Callable[[Any], Any] | None = None,
        target_transformer: Callable[[Any], Any] | None = None,
        bigdl_type: str = "float",
    ) -> None:
        self.criterion = criterion
        self.input_transformer = input_transformer
        self.target_transformer = target_transformer

    def terms(self, output: Any, target: Any) -> LossTerm:
        """Computes the loss as a quotient."""
        if self.input_transformer is not None:
            output = self.input_transformer(output)
        if self.target_transformer is not None:
            with torch.no_grad():
                target = self.target_transformer(target)
        return self.criterion.terms(output, target)
