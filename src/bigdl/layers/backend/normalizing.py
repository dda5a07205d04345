"""Batch normalization and connectionist temporal classification as functions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.errors import LayerError

# What Keras adds to probabilities before it takes their logarithm, and what stands behind the end of a decoded row.
_EPSILON = 1e-8
_NOTHING = -1


def batch_normalization(
    x: Tensor, mean: Tensor, var: Tensor, beta: Tensor, gamma: Tensor, epsilon: float = 1e-3
) -> Tensor:
    """``gamma (x - mean) / sqrt(var + epsilon) + beta``, the others being broadcast."""
    return (x - mean) * (gamma * torch.rsqrt(var + epsilon)) + beta


def normalize_batch_in_training(
    x: Tensor, gamma: Tensor, beta: Tensor, reduction_axes: Sequence[int], epsilon: float = 1e-3
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalizes by the mean and the biased variance over some axes; returns these too.

    Args:
        x: The tensor.
        gamma: A factor for each place of the other axes.
        beta: A summand likewise.
        reduction_axes: The axes.
        epsilon: Added to the variance.
    """
    axes = tuple(reduction_axes)
    variance, mean = torch.var_mean(x, dim=axes, correction=0, keepdim=True)
    shape = mean.shape
    normalized = batch_normalization(x, mean, variance, beta.reshape(shape), gamma.reshape(shape), epsilon)
    return normalized, mean.squeeze(axes), variance.squeeze(axes)


def ctc_batch_cost(y_true: Tensor, y_pred: Tensor, input_length: Tensor, label_length: Tensor) -> Tensor:
    """Returns the loss of each row, ``(batch, 1)`` (Graves et al. 2006).

    Args:
        y_true: The labels ``(batch, most labels)``.
        y_pred: Probabilities ``(batch, time, classes)``, the last class being the blank.
        input_length: The number of steps of each row, ``(batch, 1)``.
        label_length: The number of its labels, ``(batch, 1)``.
    """
    logarithms = torch.log_softmax((y_pred + _EPSILON).log(), -1).transpose(0, 1)
    losses: Tensor = F.ctc_loss(
        logarithms,
        y_true.long(),
        input_length.reshape(-1).long(),
        label_length.reshape(-1).long(),
        blank=y_pred.shape[-1] - 1,
        reduction="none",
    )
    return losses.unsqueeze(1)


def ctc_decode(
    y_pred: Tensor, input_length: Tensor, greedy: bool = True, beam_width: int = 100, top_paths: int = 1
) -> tuple[list[Tensor], Tensor]:
    """Returns the labels of each row, the likeliest class of each step without repetitions and blanks.

    Args:
        y_pred: Probabilities ``(batch, time, classes)``, the last class being the blank.
        input_length: The number of steps of each row, ``(batch,)``.
        greedy: Must be True; there is no beam search here.
        beam_width: Keras's argument.
        top_paths: Keras's argument.

    Returns:
        A list of one tensor ``(batch, most labels)``, -1 behind the end of a row; and minus the logarithm of each row's
        probability, ``(batch, 1)``.

    Raises:
        LayerError: ``greedy`` is False.
    """
    if not greedy:
        raise LayerError("ctc_decode: there is no beam search. Use greedy=True.")
    logarithms = torch.log_softmax((y_pred + _EPSILON).log(), -1)
    best, classes = logarithms.max(-1)
    blank = y_pred.shape[-1] - 1
    lengths = [int(n) for n in input_length.reshape(-1)]
    rows = [torch.unique_consecutive(row[:n]) for row, n in zip(classes, lengths, strict=True)]
    rows = [row[row != blank] for row in rows]
    scores = torch.stack([-row[:n].sum() for row, n in zip(best, lengths, strict=True)])
    return [torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=_NOTHING)], scores.unsqueeze(1)
