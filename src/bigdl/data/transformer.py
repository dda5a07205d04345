"""Preparation of data, as BigDL had it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def normalizer(data: NDArray[Any], mean: NDArray[Any] | float, std: NDArray[Any] | float) -> NDArray[Any]:
    """Normalises data: ``(data - mean) / std``.

    Args:
        data: Numbers, of any shape.
        mean: What to subtract; of a shape that broadcasts to the data's.
        std: What to divide by, likewise.

    Returns:
        An array of the data's shape: float64 for whole numbers, else of the dtype that NumPy's arithmetic gives.
    """
    if not np.issubdtype(data.dtype, np.inexact):
        data = data.astype(np.float64)  # bytes minus a whole number would wrap around below zero
    normalised: NDArray[Any] = (data - mean) / std
    return normalised
