"""BigDL's criterions that compare output and target element by element or row by row, beyond the common ones."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.errors import DataError
from bigdl.training.criterions import BCECriterion
from bigdl.training.criterions_base import Criterion, ElementwiseCriterion, shaped_like
from bigdl.training.losses import LossTerm


class MarginCriterion(ElementwiseCriterion):
    """The mean of ``max(margin - o t, 0)``, for targets -1 and 1: the hinge loss.

    Args:
        margin: The margin.
        size_average: Whether the loss is the mean over all elements rather than their sum.
        squared: Whether the elements are squared.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(
        self, margin: float = 1.0, size_average: bool = True, squared: bool = False, bigdl_type: str = "float"
    ) -> None:
        super().__init__(size_average)
        self.margin = margin
        self.squared = squared

    def elements(self, output: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of each element."""
        hinge = (self.margin - output * target).clamp(min=0)
        return hinge.square() if self.squared else hinge


class SoftMarginCriterion(ElementwiseCriterion):
    """The mean of ``log(1 + exp(-o t))``, for targets -1 and 1.

    Args:
        size_average: Whether the loss is the mean over all elements rather than their sum.
        bigdl_type: Kept for BigDL's signature.
    """

    def elements(self, output: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of each element."""
        return F.softplus(-output * target)


class HingeEmbeddingCriterion(ElementwiseCriterion):
    """The mean of ``o`` where the target is 1 and of ``max(margin - o, 0)`` where it is -1, for distances ``o``.

    Args:
        margin: The margin.
        size_average: Whether the loss is the mean over all elements rather than their sum.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, margin: float = 1.0, size_average: bool = True, bigdl_type: str = "float") -> None:
        super().__init__(size_average)
        self.margin = margin

    def elements(self, output: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of each element."""
        return torch.where(target == -1, (self.margin - output).clamp(min=0), output)


class SmoothL1Criterion(ElementwiseCriterion):
    """The mean of ``(o - t)^2 / 2`` where ``|o - t| < 1``, of ``|o - t| - 1/2`` elsewhere.

    Args:
        size_average: Whether the loss is the mean over all elements rather than their sum.
        bigdl_type: Kept for BigDL's signature.
    """

    def elements(self, output: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of each element."""
        return F.smooth_l1_loss(output, target, reduction="none")


class SmoothL1CriterionWithWeights(Criterion):
    """``SmoothL1Criterion`` for boxes, as in Fast R-CNN: ``sum(w_out f(w_in (o - t)))`` over the number of rows.

    ``f(d)`` is ``(sigma d)^2 / 2`` where ``|d| < 1 / sigma^2``, and ``|d| - 1 / (2 sigma^2)`` elsewhere.

    Args:
        sigma: The larger, the nearer to 0 the loss begins to be linear.
        num: What the sum is divided by, where it is not the number of rows.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, sigma: float, num: int = 0, bigdl_type: str = "float") -> None:
        self.sigma = sigma
        self.num = num

    def terms(self, output: Tensor, target: Tensor | list[Tensor]) -> LossTerm:
        """Computes the loss as a quotient.

        Args:
            output: The output.
            target: What it should be; or a list of that, ``w_in`` and ``w_out``.

        Raises:
            DataError: One of them has another number of elements, or the list has another length.
        """
        given = target if isinstance(target, list) else [target]
        if len(given) not in (1, 3):
            raise DataError(
                "SmoothL1CriterionWithWeights expects a target, or a list of it, w_in and w_out. "
                f"Received: a list of {len(given)}."
            )
        wanted, *weights = (shaped_like(output, each, type(self).__name__) for each in given)
        inside, outside = weights or (1.0, 1.0)
        loss = F.smooth_l1_loss(inside * output, inside * wanted, reduction="none", beta=1 / self.sigma**2)
        total = (loss * outside).sum()
        return LossTerm(total / self.num, 1.0, averaged=False) if self.num else LossTerm(total, float(len(output)))


class DotProductCriterion(Criterion):
    """``sum(o t)``.

    Args:
        size_average: Whether it is divided by the number of rows.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, size_average: bool = False, bigdl_type: str = "float") -> None:
        self.size_average = size_average

    def terms(self, output: Tensor, target: Tensor) -> LossTerm:
        """Computes the loss as a quotient.

        Raises:
            DataError: Output and target have different numbers of elements.
        """
        products = output * shaped_like(output, target, type(self).__name__)
        return LossTerm(products.sum(), float(len(output)), averaged=self.size_average)


class PGCriterion(DotProductCriterion):
    """The negative policy gradient, ``-sum(t log o)``.

    The outputs are probabilities of actions; of the targets, that of the action that was taken is its reward, and the
    others are 0.

    Args:
        size_average: Whether it is divided by the number of rows.
        bigdl_type: Kept for BigDL's signature.
    """

    def terms(self, output: Tensor, target: Tensor) -> LossTerm:
        """Computes the loss as a quotient."""
        return super().terms(-output.log(), target)


class DistKLDivCriterion(ElementwiseCriterion):
    """The mean of ``t (log t - o)`` over all elements, for log-probabilities ``o``; 0 where ``t`` is not positive.

    Args:
        size_average: Whether the loss is the mean over all elements rather than their sum.
        bigdl_type: Kept for BigDL's signature.
    """

    def elements(self, output: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of each element."""
        return F.kl_div(output, target.clamp(min=0), reduction="none")


class MultiLabelSoftMarginCriterion(BCECriterion):
    """The binary cross-entropy of outputs that are no probabilities yet.

    Args:
        weights: Factors of the elements, of the shape of the output or of one sample.
        size_average: Whether the loss is the mean over all elements rather than their sum.
        bigdl_type: Kept for BigDL's signature.
    """

    def cross_entropies(self, output: Tensor, target: Tensor) -> Tensor:
        """Returns the cross-entropy of each element."""
        return F.binary_cross_entropy_with_logits(output, target, reduction="none")


class L1Cost(Criterion):
    """The sum of ``|o|``; the target plays no part.

    Args:
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, bigdl_type: str = "float") -> None:
        pass

    def terms(self, output: Tensor, target: Tensor) -> LossTerm:
        """Computes the loss as a quotient."""
        return LossTerm(output.abs().sum(), 1.0, averaged=False)


class RowwiseCriterion(Criterion):
    """The mean, or the sum, of a loss of each row.

    Args:
        size_average: Whether the loss is the mean over rows rather than their sum.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, size_average: bool = True, bigdl_type: str = "float") -> None:
        self.size_average = size_average

    def rows(self, output: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of each row of two matrices."""
        raise NotImplementedError(f"{type(self).__name__} defines no rows")

    def terms(self, output: Tensor, target: Tensor) -> LossTerm:
        """Computes the loss as a quotient.

        Raises:
            DataError: Output and target have different numbers of elements.
        """
        loss = self.rows(as_rows(output), as_rows(shaped_like(output, target, type(self).__name__)))
        return LossTerm(loss.sum(), float(len(loss)), averaged=self.size_average)


class CosineDistanceCriterion(RowwiseCriterion):
    """The mean of ``1 - cos(o, t)`` over rows.

    Args:
        size_average: Whether the loss is the mean over rows rather than their sum.
        bigdl_type: Kept for BigDL's signature.
    """

    def rows(self, output: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of each row."""
        return 1 - cosine(output, target)


class DiceCoefficientCriterion(RowwiseCriterion):
    """The mean of ``1 - (2 sum(o t) + epsilon) / (sum(o) + sum(t) + epsilon)`` over rows.

    Args:
        size_average: Whether the loss is the mean over rows rather than their sum.
        epsilon: Keeps the divisor from 0.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, size_average: bool = True, epsilon: float = 1.0, bigdl_type: str = "float") -> None:
        super().__init__(size_average)
        self.epsilon = epsilon

    def rows(self, output: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of each row."""
        common = 2 * (output * target).sum(1) + self.epsilon
        return 1 - common / (output.sum(1) + target.sum(1) + self.epsilon)


def as_rows(x: Tensor) -> Tensor:
    """Returns a matrix with a row for each sample; a vector is a single one."""
    return x.flatten(1) if x.dim() > 1 else x.unsqueeze(0)


def cosine(a: Tensor, b: Tensor) -> Tensor:
    """The cosine of the angle between rows, ``a.b / sqrt((a.a + 1e-12) (b.b + 1e-12))``."""
    return (a * b).sum(1) / ((a.square().sum(1) + 1e-12) * (b.square().sum(1) + 1e-12)).sqrt()
