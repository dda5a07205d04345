"""Objectives with their gradients written by hand.

They are what torch's record of the objective would give, in a third of the time: of a small network and a batch, the
record takes as long as all layers.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F

from bigdl.layers.settings import epsilon
from bigdl.training import objectives
from bigdl.training.entropy import graded_binary_cross_entropy, graded_cross_entropy
from bigdl.training.objectives import Objective, checked_labels

Graded = Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor] | None]


def _are_alike(y_true: Tensor, y_pred: Tensor) -> bool:
    return y_true.shape == y_pred.shape and y_true.dtype == y_pred.dtype


def mean_squared_error(y_true: Tensor, y_pred: Tensor, factor: float) -> tuple[Tensor, Tensor] | None:
    """See ``objectives.mean_squared_error``."""
    if not _are_alike(y_true, y_pred):
        return None
    difference = y_pred - y_true
    return difference.square().mean(-1), difference.mul_(2.0 * factor / y_pred.shape[-1])


def mean_absolute_error(y_true: Tensor, y_pred: Tensor, factor: float) -> tuple[Tensor, Tensor] | None:
    """See ``objectives.mean_absolute_error``."""
    if not _are_alike(y_true, y_pred):
        return None
    difference = y_pred - y_true
    return difference.abs().mean(-1), difference.sign_().mul_(factor / y_pred.shape[-1])


def binary_crossentropy(y_true: Tensor, y_pred: Tensor, factor: float) -> tuple[Tensor, Tensor] | None:
    """See ``objectives.binary_crossentropy``: the slope by a logit is ``sigmoid(logit) - t``."""
    if not _are_alike(y_true, y_pred):
        return None
    in_one_pass = graded_binary_cross_entropy(y_true, y_pred, factor)
    if in_one_pass is not None:
        return in_one_pass
    p = y_pred.clamp(epsilon(), 1.0 - epsilon())
    q = 1.0 - p
    logits = (p / q).log_()
    scores = F.binary_cross_entropy_with_logits(logits, y_true, reduction="none").mean(-1)
    slope = logits.sigmoid_().sub_(y_true).mul_(factor / y_pred.shape[-1]).div_(p).div_(q)
    return scores, slope.mul_(p == y_pred)


def sparse_categorical_crossentropy(y_true: Tensor, y_pred: Tensor, factor: float) -> tuple[Tensor, Tensor] | None:
    """See ``objectives.sparse_categorical_crossentropy``: the score is ``log(sum p) - log(p of the class)``."""
    if y_true.is_floating_point() or y_true.numel() != len(y_pred):
        return None
    labels = checked_labels(y_true, y_pred.shape[-1]).unsqueeze(-1)
    p = y_pred.clamp(epsilon(), 1.0 - epsilon())
    total, of_class = p.sum(-1, keepdim=True), p.gather(-1, labels)
    slope = (factor / total).repeat(1, p.shape[-1]).scatter_add_(-1, labels, -factor / of_class)
    return (total.log_() - of_class.log()).squeeze(-1), slope.mul_(p == y_pred)


GRADED: dict[Objective, Graded] = {
    objectives.categorical_crossentropy: graded_cross_entropy,
    objectives.mean_squared_error: mean_squared_error,
    objectives.mean_absolute_error: mean_absolute_error,
    objectives.binary_crossentropy: binary_crossentropy,
    objectives.sparse_categorical_crossentropy: sparse_categorical_crossentropy,
}
"""What computes the scores of ``(y_true, y_pred)`` and a number times the gradient of their sum by ``y_pred``, (batch,
features); None for what it does not take."""


_MEANS = (objectives.mean_squared_error, objectives.mean_absolute_error, objectives.binary_crossentropy)


def graded(objective: Objective, y_true: Tensor, y_pred: Tensor, factor: float) -> tuple[Tensor, Tensor] | None:
    """Computes an objective's scores, and a number times the gradient of their sum.

    Args:
        objective: The objective.
        y_true: The targets.
        y_pred: The output, whose record is left alone.
        factor: The number.

    Returns:
        The score of each row, which is the mean of those of its steps, and the gradient by ``y_pred``; None where
        nobody has written the gradient, or not for such tensors.
    """
    compute = GRADED.get(objective)
    if compute is None or y_pred.dim() < 2 or y_true.requires_grad:
        return None
    y_pred = y_pred.detach()
    if y_pred.dim() == 2:
        return compute(y_true, y_pred, factor)
    if y_true.shape[:-1] != y_pred.shape[:-1] or not y_pred.numel():
        return None
    # The mean of means over all steps is one over all numbers.
    steps = 1 if objective in _MEANS and _are_alike(y_true, y_pred) else math.prod(y_pred.shape[1:-1])
    rows = len(y_pred) * steps
    found = compute(y_true.reshape(rows, -1), y_pred.reshape(rows, -1), factor / steps)
    return None if found is None else (found[0].view(-1, steps).mean(-1), found[1].view(y_pred.shape))
