"""Parts of arrays, and of lists of arrays; as Keras 1.2.2's ``engine.training``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def slice_X(X: Any, start: Any = None, stop: int | None = None) -> Any:  # noqa: N802 - Keras's name
    """Returns some rows of an array, or of each array of a list.

    Args:
        X: The array or the list.
        start: The first row, or the positions of the rows.
        stop: The row after the last one.
    """
    if isinstance(X, list):
        return [slice_X(x, start, stop) for x in X]
    return X[np.asarray(start)] if hasattr(start, "__len__") else X[start:stop]


def make_batches(size: int, batch_size: int) -> list[tuple[int, int]]:
    """Returns the first row of each batch and the row after its last one.

    Args:
        size: The number of rows.
        batch_size: Rows in a batch.
    """
    return [(start, min(start + batch_size, size)) for start in range(0, size, batch_size)]


def batch_shuffle(index_array: NDArray[Any], batch_size: int) -> NDArray[Any]:
    """Shuffles whole batches of rows, by NumPy's global generator; rows that fill no batch stay at the end.

    Args:
        index_array: The rows.
        batch_size: Rows in a batch.
    """
    whole = len(index_array) - len(index_array) % batch_size
    batches = index_array[:whole].reshape(-1, batch_size)
    np.random.shuffle(batches)  # noqa: NPY002 - Keras's generator
    return np.append(batches.ravel(), index_array[whole:])
