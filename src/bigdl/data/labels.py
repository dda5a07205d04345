"""Class numbers and probabilities, and the shapes of convolutions; as Keras 1.2.2's ``utils.np_utils``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bigdl.errors import DataError
from bigdl.settings import image_dim_ordering

_SMALLEST = 1e-15


def to_categorical(y: ArrayLike, nb_classes: int | None = None) -> NDArray[np.float64]:
    """Returns a row for each class number, with 1 in its column.

    Args:
        y: Class numbers from 0, of any shape.
        nb_classes: The number of columns; one more than the largest number by default.

    Raises:
        DataError: A number is negative or too large.
    """
    numbers = np.asarray(y).astype(np.int64).ravel()
    columns = int(nb_classes or (numbers.max() + 1 if numbers.size else 0))
    if numbers.size and not 0 <= numbers.min() <= numbers.max() < columns:
        raise DataError(
            f"to_categorical expects class numbers from 0 to {columns - 1}. Received: {numbers.min()} to "
            f"{numbers.max()}."
        )
    categorical = np.zeros((numbers.size, columns))
    categorical[np.arange(numbers.size), numbers] = 1
    return categorical


def normalize(a: NDArray[Any], axis: int = -1, order: float = 2) -> NDArray[Any]:
    """Divides an array by its norms along an axis; where a norm is 0 nothing is divided."""
    norms = np.linalg.norm(a, order, axis, keepdims=True)
    return np.asarray(a / np.where(norms == 0, 1, norms))


def binary_logloss(p: NDArray[Any], y: NDArray[Any]) -> Any:
    """Returns the mean of ``-y log p - (1 - y) log(1 - p)`` over the rows."""
    p = np.clip(p, _SMALLEST, 1 - _SMALLEST)
    return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p), axis=0) / len(y)


def multiclass_logloss(p: NDArray[Any], y: Sequence[int]) -> Any:
    """Returns the mean of ``-log p`` of the true classes, whose numbers count from 1 here, as in Keras."""
    return -np.mean(np.log([p[i][label - 1] for i, label in enumerate(y)]))


def accuracy(p: Sequence[Any], y: Sequence[Any]) -> Any:
    """Returns the share of items that are equal."""
    return np.mean([a == b for a, b in zip(p, y, strict=False)])


def probas_to_classes(y_pred: NDArray[Any]) -> NDArray[Any]:
    """Returns the class of each row: the largest of several columns, or whether a single one is above 0.5."""
    if y_pred.ndim > 1 and y_pred.shape[1] > 1:
        return categorical_probas_to_classes(y_pred)
    return np.array([1 if p > 0.5 else 0 for p in y_pred])


def categorical_probas_to_classes(p: NDArray[Any]) -> NDArray[Any]:
    """Returns the number of the largest column of each row."""
    return np.asarray(np.argmax(p, axis=1))


def convert_kernel(kernel: NDArray[Any], dim_ordering: str | None = None) -> NDArray[Any]:
    """Turns a kernel of Theano's convolution, which flips it, into one of TensorFlow's; or back.

    Args:
        kernel: A kernel of rank 4 or 5.
        dim_ordering: ``"th"`` for ``(out, in, *lengths)``, ``"tf"`` for ``(*lengths, in, out)``; the process's default
            by default.

    Raises:
        DataError: The rank or the ordering is another.
    """
    ordering = dim_ordering or image_dim_ordering()
    if kernel.ndim not in (4, 5) or ordering not in ("th", "tf"):
        raise DataError(
            "convert_kernel expects a kernel of rank 4 or 5 and dim_ordering 'th' or 'tf'. "
            f"Received: shape {kernel.shape}, {ordering!r}."
        )
    axes = range(2, kernel.ndim) if ordering == "th" else range(kernel.ndim - 2)
    return np.flip(kernel, tuple(axes)).copy()


def conv_output_length(
    input_length: int | None, filter_size: int, border_mode: str, stride: int, dilation: int = 1
) -> int | None:
    """Returns the length of a convolution's output.

    Args:
        input_length: The length of its input; None gives None.
        filter_size: The length of its kernel.
        border_mode: ``"same"``, ``"valid"`` or ``"full"``.
        stride: Its stride.
        dilation: The distance of the kernel's cells.

    Raises:
        DataError: The border mode is another.
    """
    reach = (filter_size - 1) * dilation
    added = {"same": 0, "valid": -reach, "full": reach}[_checked_mode(border_mode)]
    return None if input_length is None else (input_length + added + stride - 1) // stride


def conv_input_length(output_length: int | None, filter_size: int, border_mode: str, stride: int) -> int | None:
    """Returns the length of a convolution's input; see ``conv_output_length``."""
    padding = {"same": filter_size // 2, "valid": 0, "full": filter_size - 1}[_checked_mode(border_mode)]
    return None if output_length is None else (output_length - 1) * stride - 2 * padding + filter_size


def _checked_mode(border_mode: str) -> str:
    if border_mode not in ("same", "valid", "full"):
        raise DataError(f"border_mode must be 'same', 'valid' or 'full'. Received: {border_mode!r}.")
    return border_mode
