"""BigDL's usual criterions with their gradients written by hand: what ``graded`` is for Keras's objectives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from bigdl.training.criterions import (
    AbsCriterion,
    BCECriterion,
    CategoricalCrossEntropy,
    ClassNLLCriterion,
    Criterion,
    CrossEntropyCriterion,
    MSECriterion,
)
from bigdl.training.criterions_base import ElementwiseCriterion, shaped_like
from bigdl.training.graded import graded as graded_objective
from bigdl.training.labels import class_indices
from bigdl.training.losses import LossTerm

Graded = tuple[LossTerm, Tensor] | None


def _share(criterion: Any, count: int) -> float:
    return 1.0 / count if criterion.size_average else 1.0


def _of_elements(slopes_of: Callable[[Any, Tensor, Tensor], Tensor]) -> Callable[[Any, Tensor, Tensor], Graded]:
    def compute(criterion: ElementwiseCriterion, output: Tensor, target: Tensor) -> Graded:
        if getattr(criterion, "weights", None) is not None:
            return None
        slopes = slopes_of(criterion, output, shaped_like(output, target, type(criterion).__name__))
        return criterion.terms(output, target), slopes.mul_(_share(criterion, output.numel()))

    return compute


def _of_shares(criterion: BCECriterion, output: Tensor, target: Tensor) -> Tensor:
    return (1 - target) / (1 - output + criterion.epsilon) - target / (output + criterion.epsilon)


def _of_class(criterion: ClassNLLCriterion, output: Tensor, target: Tensor) -> Graded:
    classes = output.shape[-1]
    if criterion.weights is not None or target.numel() * classes != output.numel():
        return None
    labels = class_indices(target.reshape(-1, 1), classes, criterion.zero_based_label, type(criterion).__name__)
    if int(labels.min()) < 0:  # padding
        return None
    rows, share = output.reshape(-1, classes), _share(criterion, len(labels))
    if isinstance(criterion, CrossEntropyCriterion):
        rows = rows.log_softmax(-1)
        of_class = rows.gather(-1, labels)
        slopes = rows.exp().mul_(share).scatter_add_(-1, labels, torch.full_like(of_class, -share))
    elif criterion.log_prob_as_input:
        of_class = rows.gather(-1, labels)
        slopes = torch.zeros_like(rows).scatter_(-1, labels, -share)
    else:
        p = rows.gather(-1, labels).clamp_(criterion.epsilon, 1 - criterion.epsilon)
        of_class = p.log()
        slopes = torch.zeros_like(rows).scatter_(-1, labels, -share / p)
    return LossTerm(-of_class.sum(), float(len(labels)), averaged=criterion.size_average), slopes.view(output.shape)


def _of_objective(criterion: CategoricalCrossEntropy, output: Tensor, target: Tensor) -> Graded:
    target = shaped_like(output, target, type(criterion).__name__)
    found = graded_objective(type(criterion).objective, target, output, 1.0 / len(output))
    return None if found is None else (LossTerm(found[0].sum(), float(len(output))), found[1])


_GRADED: dict[type[Criterion], Callable[[Any, Tensor, Tensor], Graded]] = {
    MSECriterion: _of_elements(lambda criterion, output, target: (output - target).mul_(2.0)),
    AbsCriterion: _of_elements(lambda criterion, output, target: (output - target).sign_()),
    BCECriterion: _of_elements(_of_shares),
    ClassNLLCriterion: _of_class,
    CrossEntropyCriterion: _of_class,
    CategoricalCrossEntropy: _of_objective,
}
"""By the very class: what is derived from one may compute something else."""


def graded(criterion: object, output: Tensor, target: Tensor) -> Graded:
    """Computes the loss of a criterion, and the gradient of its value.

    Args:
        criterion: The criterion, or any function.
        output: The model's output, whose record is left alone.
        target: What it should be.

    Returns:
        The loss, and the gradient by the output; None where nobody has written the gradient, or not for such tensors.

    Raises:
        DataError: The target does not fit the output.
    """
    compute = _GRADED.get(type(criterion))  # type: ignore[arg-type]
    if compute is None or not output.numel() or target.requires_grad:
        return None
    return compute(criterion, output.detach(), target)
