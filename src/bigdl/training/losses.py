"""From scores to the loss: masks, sample weights and penalties, as Keras 1.2.2 counts them.

A mean over a batch that is spread over several workers is the sum of numerators over the sum of denominators, so both
are kept apart until every part is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bigdl.errors import DataError
from bigdl.training.objectives import Objective
from bigdl.training.regularization import Regularization as Regularization
from bigdl.training.regularization import regularization_loss as regularization_loss


@dataclass(frozen=True, slots=True)
class LossTerm:
    """One batch's (or part of a batch's) loss as a quotient whose parts can be added over workers.

    The loss is the numerator divided by ``count * mask_sum / mask_size``. Where nothing counts (all weights 0, or all
    steps masked) the loss is 0; Keras 1.2.2 would make it, and then the weights, NaN.

    Attributes:
        numerator: The weighted sum of scores, a scalar through which gradients flow.
        count: The number of samples (and steps) with a weight that is not 0; for a criterion the sum of weights.
        mask_sum: The number of steps that the output's mask keeps; equal to ``mask_size`` where there is none.
        mask_size: The number of steps.
        averaged: False for a loss that is the sum itself.
    """

    numerator: Tensor
    count: Tensor | float
    mask_sum: Tensor | float = 1.0
    mask_size: Tensor | float = 1.0
    averaged: bool = True

    @property
    def denominator(self) -> float:
        """What the numerator is divided by."""
        return divisor([float(part) for part in self.counted()])

    @property
    def value(self) -> Tensor:
        """The loss of this batch alone."""
        return self.numerator / self.denominator

    def counted(self) -> list[Tensor | float]:
        """Returns ``(count, mask_sum, mask_size)``; 0 for a sum."""
        return [self.count, self.mask_sum, self.mask_size] if self.averaged else [0.0, 0.0, 0.0]

    def parts(self) -> Tensor:
        """Returns ``counted`` as a float64 tensor, to be added over workers."""
        return torch.tensor([float(part) for part in self.counted()], dtype=torch.float64)

    def over(self, parts: Tensor) -> Tensor:
        """Returns this part's share of the loss of the whole batch.

        Args:
            parts: The sum of all workers' ``parts()``.
        """
        return self.numerator / divisor(parts.tolist())


def vector(values: Sequence[Tensor | float], like: Tensor) -> Tensor:
    """Returns numbers as a vector without gradients.

    Args:
        values: The numbers; those that are no tensors cost next to nothing.
        like: A tensor of the vector's dtype, on its device.
    """
    if like.is_cpu:
        return torch.tensor([x.item() if isinstance(x, Tensor) else x for x in values], dtype=like.dtype)
    numbers = [0.0 if isinstance(value, Tensor) else value for value in values]
    result = torch.tensor(numbers, dtype=like.dtype, device=like.device)
    for i, value in enumerate(values):
        if isinstance(value, Tensor):
            result[i] = value.detach()
    return result


def divisor(parts: Sequence[float]) -> float:
    """Returns what a loss is divided by.

    Args:
        parts: The sum of all workers' ``parts()``.
    """
    count, mask_sum, mask_size = parts
    return (count * mask_sum / mask_size if mask_size else 0.0) or 1.0


def results(factors: Sequence[float], numbers: Sequence[float], penalty: float) -> tuple[list[float], float, float]:
    """Returns what the sums over all workers mean.

    Args:
        factors: The factor of each term in the loss.
        numbers: The sums: numerator and parts of each term, the penalties of activations, the measures multiplied by
            the rows, the rows, and how many workers want to stop.
        penalty: The penalty of the weights.

    Returns:
        The loss, its terms and the measures; what the first term was divided by; and the last number.
    """
    count = len(factors)
    divisors = [divisor(numbers[4 * i + 1 : 4 * i + 4]) for i in range(count)]
    terms = [numbers[4 * i] / divisors[i] for i in range(count)]
    penalties, *measures, rows, stop = numbers[4 * count :]
    loss = sum(factor * term for factor, term in zip(factors, terms, strict=True))
    return [loss + penalties + penalty, *terms, *(value / rows for value in measures)], divisors[0], stop


def terms(
    objective: Objective,
    y_true: Tensor,
    y_pred: Tensor,
    sample_weight: Tensor | None = None,
    mask: Tensor | None = None,
) -> LossTerm:
    """Computes an output's loss.

    The score ``s`` of each sample (and step) becomes ``s m / mean(m)`` under a mask ``m``; its mean over the axes that
    the weights do not have is multiplied by the weights ``w``; the mean of that is divided by ``mean(w != 0)``.

    Args:
        objective: Gives the scores from ``(y_true, y_pred)``.
        y_true: The targets.
        y_pred: The output.
        sample_weight: A weight for each sample ``(batch,)`` or step ``(batch, time)``; 1 by default.
        mask: The output's mask, True where a step counts; of the scores' shape.

    Raises:
        DataError: Weights or mask do not fit the scores.
    """
    score = objective(y_true, y_pred)
    mask_sum: Tensor | float = 1.0
    mask_size = 1.0
    if mask is not None:
        _check_fit("The output's mask", mask, score)
        kept = mask.to(score.dtype)
        score = score * kept
        mask_sum, mask_size = kept.detach().sum(), float(kept.numel())
    if sample_weight is None:
        per_sample = score[0].numel() if score.dim() > 1 and len(score) else 1
        total = score.sum() if per_sample == 1 else score.sum() / per_sample
        return LossTerm(total, float(len(score)) if score.dim() else 1.0, mask_sum, mask_size)
    _check_fit("The sample weights", sample_weight, score)
    if score.dim() > sample_weight.dim():
        score = score.flatten(sample_weight.dim()).mean(-1)
    weights = sample_weight.to(score.dtype)
    return LossTerm((score * weights).sum(), (weights != 0).to(score.dtype).sum(), mask_sum, mask_size)


def _check_fit(what: str, values: Tensor, score: Tensor) -> None:
    if values.dim() > score.dim() or values.shape != score.shape[: values.dim()]:
        raise DataError(
            f"{what} must fit the scores of shape {tuple(score.shape)} (one for each sample, or for each sample and "
            f"step). Received: shape {tuple(values.shape)}."
        )
