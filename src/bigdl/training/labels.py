"""Class labels as BigDL counts them: from 1, with -1 for padding."""

from __future__ import annotations

from torch import Tensor

from bigdl.errors import DataError

PADDING = -1


def class_indices(target: Tensor, classes: int, zero_based_label: bool, who: str) -> Tensor:
    """Returns labels as indices from 0, with -1 for padding.

    Args:
        target: The labels, of any shape and numeric dtype.
        classes: The number of classes.
        zero_based_label: Whether the labels count from 0 rather than from 1.
        who: Whose labels they are, for messages.

    Raises:
        DataError: A label is no whole number, or out of range.
    """
    labels = target.long()
    if target.is_floating_point() and not bool((labels == target).all()):
        raise DataError(f"{who} expects class labels, whole numbers. Received: {_first_fraction(target)}.")
    first = 0 if zero_based_label else 1
    if labels.numel():
        least, largest = labels.aminmax()
        if first <= int(least) and int(largest) < classes + first:  # without padding either: mostly so
            return labels - first
    wrong = labels[((labels < first) | (labels >= classes + first)) & (labels != PADDING)]
    if wrong.numel():
        counting = "0 (zero_based_label=True)" if zero_based_label else "1, as BigDL's do"
        remedy = (
            "Labels that count from 1 need zero_based_label=False."
            if zero_based_label
            else "If your labels count from 0, give zero_based_label=True, or add 1 to them."
        )
        raise DataError(
            f"{who} expects class labels from {first} to {classes + first - 1} (they count from {counting}; -1 is "
            f"padding), for an output of {classes} classes. Received: labels from {int(labels.min())} to "
            f"{int(labels.max())}. {remedy}"
        )
    return labels if zero_based_label else labels.sub(1).masked_fill_(labels == PADDING, PADDING)


def _first_fraction(target: Tensor) -> float:
    return float(target[target.frac() != 0].flatten()[0])
