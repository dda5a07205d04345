"""Keras 1.2.2's backend functions of cross-entropy: ``(output, target)``, the other way round than objectives."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.training import objectives


def categorical_crossentropy(output: Tensor, target: Tensor, from_logits: bool = False) -> Tensor:
    """``-sum t log p`` over the last axis.

    Args:
        output: Probabilities, or their logarithms up to a constant.
        target: The targets, a column for each class.
        from_logits: Whether the output is the latter.
    """
    if from_logits:
        return -(target * torch.log_softmax(output, -1)).sum(-1)
    return objectives.categorical_crossentropy(target, output)


def sparse_categorical_crossentropy(output: Tensor, target: Tensor, from_logits: bool = False) -> Tensor:
    """``-log p`` of the true class.

    Args:
        output: Probabilities, or their logarithms up to a constant.
        target: Class numbers from 0.
        from_logits: Whether the output is the latter.
    """
    probabilities = torch.softmax(output, -1) if from_logits else output
    return objectives.sparse_categorical_crossentropy(target, probabilities)


def binary_crossentropy(output: Tensor, target: Tensor, from_logits: bool = False) -> Tensor:
    """``-t log p - (1 - t) log(1 - p)`` of each element.

    Args:
        output: Probabilities, or logits.
        target: The targets.
        from_logits: Whether the output is the latter.
    """
    if from_logits:
        return F.binary_cross_entropy_with_logits(output, target, reduction="none")
    return objectives.elementwise_binary_crossentropy(target, output)


def in_top_k(predictions: Tensor, targets: Tensor, k: int) -> Tensor:
    """Tells for each row whether its class is among the ``k`` largest predictions; ties count.

    Args:
        predictions: A column for each class.
        targets: Class numbers from 0.
        k: See above.
    """
    true = predictions.gather(-1, targets.long().unsqueeze(-1))
    return (predictions > true).sum(-1) < k
