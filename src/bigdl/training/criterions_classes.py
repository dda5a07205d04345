"""BigDL's criterions of class labels, beyond the likelihood ones."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.errors import DataError
from bigdl.training.criterions import MSECriterion
from bigdl.training.criterions_base import Criterion, Weights, as_weights, class_weights
from bigdl.training.labels import class_indices
from bigdl.training.losses import LossTerm


class MultiMarginCriterion(Criterion):
    """The mean over samples of ``sum_(d != y) max(margin - o_y + o_d, 0)^p / classes``.

    Args:
        p: The power, 1 or 2.
        weights: A factor for each class.
        margin: The margin.
        size_average: Whether the loss is the mean over samples rather than their sum.
        bigdl_type: Kept for BigDL's signature.
        zero_based_label: Whether labels count from 0 rather than from 1.

    Raises:
        DataError: The power is neither 1 nor 2.
    """

    def __init__(
        self,
        p: int = 1,
        weights: Weights = None,
        margin: float = 1.0,
        size_average: bool = True,
        bigdl_type: str = "float",
        *,
        zero_based_label: bool = False,
    ) -> None:
        if p not in (1, 2):
            raise DataError(f"MultiMarginCriterion: p must be 1 or 2. Received: {p}.")
        self.p = p
        self.weights = as_weights(weights)
        self.margin = margin
        self.size_average = size_average
        self.zero_based_label = zero_based_label

    def terms(self, output: Tensor, target: Tensor) -> LossTerm:
        """Computes the loss as a quotient.

        Args:
            output: ``(batch, classes)``.
            target: Labels ``(batch,)`` or ``(batch, 1)``.

        Raises:
            DataError: A label is out of range, or their number is not that of the samples.
        """
        labels = _labels(output, target, self.zero_based_label, type(self).__name__)
        weights = None if self.weights is None else class_weights(self.weights, output, type(self).__name__)
        kept = labels >= 0
        loss = F.multi_margin_loss(output[kept], labels[kept], self.p, self.margin, weights, reduction="sum")
        return LossTerm(loss, float(kept.sum()), averaged=self.size_average)


class MultiLabelMarginCriterion(Criterion):
    """The mean over samples of ``sum_(y, d) max(1 - o_y + o_d, 0) / classes``, for all true ``y`` and all other ``d``.

    Args:
        size_average: Whether the loss is the mean over samples rather than their sum.
        bigdl_type: Kept for BigDL's signature.
        zero_based_label: Whether labels count from 0 (the rest of a row then being -1) rather than from 1 (being 0).
    """

    def __init__(self, size_average: bool = True, bigdl_type: str = "float", *, zero_based_label: bool = False) -> None:
        self.size_average = size_average
        self.zero_based_label = zero_based_label

    def terms(self, output: Tensor, target: Tensor) -> LossTerm:
        """Computes the loss as a quotient.

        Args:
            output: ``(batch, classes)``.
            target: The true labels of each sample, then fillers: ``(batch, classes)``.

        Raises:
            DataError: A label is out of range, or the target has not the output's shape.
        """
        labels = target.long() - (0 if self.zero_based_label else 1)
        if labels.shape != output.shape or bool(((labels < -1) | (labels >= output.shape[-1])).any()):
            raise DataError(
                f"{type(self).__name__} expects labels up to the number of classes, {output.shape[-1]}, in rows of the "
                f"output's shape {tuple(output.shape)}. Received: shape {tuple(target.shape)}, labels from "
                f"{float(target.min())} to {float(target.max())}."
            )
        loss = F.multilabel_margin_loss(output, labels, reduction="sum")
        return LossTerm(loss, float(len(output)), averaged=self.size_average)


class ClassSimplexCriterion(Criterion):
    """The mean squared distance from the corner of a regular simplex that stands for the true class.

    Args:
        n_classes: The number of classes, 2 or more.
        bigdl_type: Kept for BigDL's signature.
        zero_based_label: Whether labels count from 0 rather than from 1.

    Raises:
        DataError: There are less than two classes.
    """

    def __init__(self, n_classes: int, bigdl_type: str = "float", *, zero_based_label: bool = False) -> None:
        if n_classes < 2:
            raise DataError(f"ClassSimplexCriterion needs 2 classes or more. Received: {n_classes}.")
        self.n_classes = int(n_classes)
        self.zero_based_label = zero_based_label
        self._corners = torch.from_numpy(_simplex(self.n_classes))

    def terms(self, output: Tensor, target: Tensor) -> LossTerm:
        """Computes the loss as a quotient.

        Args:
            output: ``(batch, classes)``.
            target: Labels ``(batch,)`` or ``(batch, 1)``.

        Raises:
            DataError: A label is out of range, or output and labels do not fit.
        """
        labels = _labels(output, target, self.zero_based_label, type(self).__name__)
        return MSECriterion().terms(output, self._corners.to(output)[labels])


class SoftmaxWithCriterion(Criterion):
    """Softmax over axis 1 and negative log-likelihood in one, for maps ``(batch, classes, ...)``.

    Args:
        ignore_label: A label that does not count; None for none.
        normalize_mode: What the sum is divided by: ``"VALID"`` the labels that count, ``"FULL"`` all labels,
            ``"BATCH_SIZE"`` the samples, ``"NONE"`` nothing.
        bigdl_type: Kept for BigDL's signature.
        zero_based_label: Whether labels count from 0 rather than from 1.

    Raises:
        DataError: The mode is none of these.
    """

    def __init__(
        self,
        ignore_label: int | None = None,
        normalize_mode: str = "VALID",
        bigdl_type: str = "float",
        *,
        zero_based_label: bool = False,
    ) -> None:
        if normalize_mode not in ("VALID", "FULL", "BATCH_SIZE", "NONE"):
            raise DataError(
                "SoftmaxWithCriterion: normalize_mode must be 'VALID', 'FULL', 'BATCH_SIZE' or 'NONE'. "
                f"Received: {normalize_mode!r}."
            )
        self.ignore_label = ignore_label
        self.normalize_mode = normalize_mode
        self.zero_based_label = zero_based_label

    def terms(self, output: Tensor, target: Tensor) -> LossTerm:
        """Computes the loss as a quotient.

        Args:
            output: ``(batch, classes, ...)``.
            target: A label for each place of the map.

        Raises:
            DataError: A label is out of range, or their number is not that of the places.
        """
        rows = output.movedim(1, -1).reshape(-1, output.shape[1])
        flat = target.reshape(-1)
        kept = torch.ones_like(flat, dtype=torch.bool) if self.ignore_label is None else flat != self.ignore_label
        labels = _labels(rows[kept], flat[kept], self.zero_based_label, type(self).__name__)
        loss = F.cross_entropy(rows[kept], labels, reduction="sum")
        count = {"VALID": len(labels), "FULL": len(flat), "BATCH_SIZE": len(output), "NONE": 1}[self.normalize_mode]
        return LossTerm(loss, float(count), averaged=self.normalize_mode != "NONE")


def _labels(output: Tensor, target: Tensor, zero_based_label: bool, who: str) -> Tensor:
    if output.dim() != 2 or target.numel() != len(output):
        raise DataError(
            f"{who} expects an output (batch, classes) and a label for each sample. "
            f"Received: shapes {tuple(output.shape)} and {tuple(target.shape)}."
        )
    return class_indices(target.reshape(-1), output.shape[1], zero_based_label, who)


def _simplex(corners: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Corners of norm 1 whose products with each other are all ``-1 / (corners - 1)``; the last column is 0."""
    points = np.zeros((corners, corners))
    for k in range(corners - 1):
        points[k, k] = np.sqrt(1 - points[k] @ points[k])
        points[k + 1 :, k] = (-1 / (corners - 1) - points[k + 1 :, :k] @ points[k, :k]) / points[k, k]
    return points.astype(np.float32)
