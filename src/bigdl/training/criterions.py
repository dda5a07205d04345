"""BigDL's criterions of classification and regression: the loss of an output for a target."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from bigdl.errors import DataError
from bigdl.training import losses, objectives
from bigdl.training.criterions_base import (
    Criterion,
    ElementwiseCriterion,
    Weights,
    as_weights,
    class_weights,
    shaped_like,
)
from bigdl.training.labels import PADDING, class_indices
from bigdl.training.losses import LossTerm

__all__ = [
    "AbsCriterion",
    "BCECriterion",
    "CategoricalCrossEntropy",
    "ClassNLLCriterion",
    "CosineProximityCriterion",
    "Criterion",
    "CrossEntropyCriterion",
    "KullbackLeiblerDivergenceCriterion",
    "MSECriterion",
    "MeanAbsolutePercentageCriterion",
    "MeanSquaredLogarithmicCriterion",
    "ObjectiveCriterion",
    "PoissonCriterion",
]


class ClassNLLCriterion(Criterion):
    """The negative log-likelihood of the true class.

    With weights, each sample counts with the weight of its class, in the mean too.

    Args:
        weights: A weight for each class.
        size_average: Whether the loss is the mean over samples rather than their sum.
        logProbAsInput: Whether the output holds log-probabilities (a log-softmax) rather than probabilities.
        bigdl_type: Kept for BigDL's signature.
        zero_based_label: Whether labels count from 0 rather than from 1. -1 is padding and does not count.
    """

    epsilon = 1e-8

    def __init__(
        self,
        weights: Weights = None,
        size_average: bool = True,
        logProbAsInput: bool = True,
        bigdl_type: str = "float",
        *,
        zero_based_label: bool = False,
    ) -> None:
        self.weights = as_weights(weights)
        self.size_average = size_average
        self.log_prob_as_input = logProbAsInput
        self.zero_based_label = zero_based_label

    def log_probabilities(self, output: Tensor) -> Tensor:
        """Returns the output's log-probabilities, over the last axis."""
        if self.log_prob_as_input:
            return output
        # BigDL clips the value only: the gradient of a probability that is nearly 0 still flows.
        return (output + (output.clamp(self.epsilon, 1 - self.epsilon) - output).detach()).log()

    def terms(self, output: Tensor, target: Tensor) -> LossTerm:
        """Computes the loss as a quotient.

        Args:
            output: ``(batch, classes)``, or more axes before the last.
            target: Labels ``(batch,)`` or ``(batch, 1)``.

        Raises:
            DataError: A label is out of range, or their number is not that of the samples.
        """
        who, classes = type(self).__name__, output.shape[-1]
        if target.numel() * classes != output.numel():
            raise DataError(
                f"{who} expects one class label for each row of the output of shape {tuple(output.shape)}. "
                f"Received: a target of shape {tuple(target.shape)}. One-hot targets need CategoricalCrossEntropy."
            )
        labels = class_indices(target.reshape(-1), classes, self.zero_based_label, who)
        weights = None if self.weights is None else class_weights(self.weights, output, who)
        log_p = self.log_probabilities(output).reshape(-1, classes)
        loss = F.nll_loss(log_p, labels, weights, reduction="sum", ignore_index=PADDING)
        kept = labels[labels != PADDING]
        count = float(kept.numel()) if weights is None else weights[kept].sum()
        return LossTerm(loss, count, averaged=self.size_average)


class CrossEntropyCriterion(ClassNLLCriterion):
    """Softmax and negative log-likelihood in one, for outputs that are no probabilities yet.

    Args:
        weights: A weight for each class.
        size_average: Whether the loss is the mean over samples rather than their sum.
        bigdl_type: Kept for BigDL's signature.
        zero_based_label: Whether labels count from 0 rather than from 1. -1 is padding and does not count.
    """

    def __init__(
        self,
        weights: Weights = None,
        size_average: bool = True,
        bigdl_type: str = "float",
        *,
        zero_based_label: bool = False,
    ) -> None:
        super().__init__(weights, size_average, zero_based_label=zero_based_label)

    def log_probabilities(self, output: Tensor) -> Tensor:
        """Returns the output's log-softmax, over the last axis."""
        return F.log_softmax(output, dim=-1)


class MSECriterion(ElementwiseCriterion):
    """The mean of ``(o - t)^2``.

    Args:
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, bigdl_type: str = "float") -> None:
        super().__init__()

    def elements(self, output: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of each element."""
        return (output - target).square()


class AbsCriterion(ElementwiseCriterion):
    """The mean of ``|o - t|``.

    Args:
        size_average: Whether the loss is the mean over all elements rather than their sum.
        bigdl_type: Kept for BigDL's signature.
    """

    def elements(self, output: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of each element."""
        return (output - target).abs()


class BCECriterion(ElementwiseCriterion):
    """The mean of ``-t log(o + 1e-12) - (1 - t) log(1 - o + 1e-12)``, for probabilities ``o``.

    Args:
        weights: Factors of the elements, of the shape of the output or of one sample.
        size_average: Whether the loss is the mean over all elements rather than their sum.
        bigdl_type: Kept for BigDL's signature.
    """

    epsilon = 1e-12

    def __init__(self, weights: Weights = None, size_average: bool = True, bigdl_type: str = "float") -> None:
        super().__init__(size_average)
        self.weights = as_weights(weights)

    def cross_entropies(self, output: Tensor, target: Tensor) -> Tensor:
        """Returns the cross-entropy of each element."""
        return -(target * (output + self.epsilon).log() + (1 - target) * (1 - output + self.epsilon).log())

    def elements(self, output: Tensor, target: Tensor) -> Tensor:
        """Returns the loss of each element.

        Raises:
            DataError: The weights have neither the shape of the output nor that of one sample.
        """
        loss = self.cross_entropies(output, target)
        if self.weights is None:
            return loss
        if self.weights.shape not in (output.shape, output.shape[1:]):
            raise DataError(
                f"{type(self).__name__}: weights must have the shape of the output, {tuple(output.shape)}, or of one "
                f"sample. Received: {tuple(self.weights.shape)}."
            )
        return loss * self.weights.to(output)


class ObjectiveCriterion(Criterion):
    """A criterion that is one of Keras's objectives: the mean of its scores.

    Args:
        bigdl_type: Kept for BigDL's signature.
    """

    objective: objectives.Objective

    def __init__(self, bigdl_type: str = "float") -> None:
        pass

    def terms(self, output: Tensor, target: Tensor) -> LossTerm:
        """Computes the loss as a quotient.

        Raises:
            DataError: Output and target have different numbers of elements.
        """
        return losses.terms(type(self).objective, shaped_like(output, target, type(self).__name__), output)


class CategoricalCrossEntropy(ObjectiveCriterion):
    """The cross-entropy of probabilities for one-hot targets, as Keras's ``categorical_crossentropy``."""

    objective = staticmethod(objectives.categorical_crossentropy)


class MeanAbsolutePercentageCriterion(ObjectiveCriterion):
    """The mean of ``100 |t - o| / max(|t|, 1e-7)``."""

    objective = staticmethod(objectives.mean_absolute_percentage_error)


class MeanSquaredLogarithmicCriterion(ObjectiveCriterion):
    """The mean of ``(log(max(o, 1e-7) + 1) - log(max(t, 1e-7) + 1))^2``."""

    objective = staticmethod(objectives.mean_squared_logarithmic_error)


class KullbackLeiblerDivergenceCriterion(ObjectiveCriterion):
    """The sum of ``t log(t / o)`` over the last axis, both clipped to [1e-7, 1]; the mean of these over samples."""

    objective = staticmethod(objectives.kullback_leibler_divergence)


class PoissonCriterion(ObjectiveCriterion):
    """The mean of ``o - t log(o + 1e-7)``."""

    objective = staticmethod(objectives.poisson)


class CosineProximityCriterion(ObjectiveCriterion):
    """Minus the mean of the products of the elements of unit vectors."""

    objective = staticmethod(objectives.cosine_proximity)
