"""Random changes of one image, drawn from NumPy's global generator as Keras 1.2.2 draws them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bigdl.data.images.affine import (
    Image,
    Matrix,
    apply_transform,
    rotation,
    scaling,
    shearing,
    transform_matrix_offset_center,
    translation,
)
from bigdl.errors import DataError


def random_rotation(
    x: Image,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
) -> Image:
    """Rotates an image by an angle from U(-rg, rg), in degrees; see ``apply_transform`` for the rest."""
    matrix = rotation(np.pi / 180 * uniform(-rg, rg))
    return apply_transform(x, _centred(matrix, x, row_axis, col_axis), channel_axis, fill_mode, cval)


def random_shift(
    x: Image,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
) -> Image:
    """Shifts an image by shares of its width and height from U(-wrg, wrg) and U(-hrg, hrg)."""
    rows = uniform(-hrg, hrg) * x.shape[row_axis]
    columns = uniform(-wrg, wrg) * x.shape[col_axis]
    return apply_transform(x, translation(rows, columns), channel_axis, fill_mode, cval)


def random_shear(
    x: Image,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
) -> Image:
    """Shears an image by an angle from U(-intensity, intensity), in radians."""
    matrix = shearing(uniform(-intensity, intensity))
    return apply_transform(x, _centred(matrix, x, row_axis, col_axis), channel_axis, fill_mode, cval)


def random_zoom(
    x: Image,
    zoom_range: Sequence[float],
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
) -> Image:
    """Zooms an image by a factor for each axis, from U(zoom_range).

    Raises:
        DataError: ``zoom_range`` is not two numbers.
    """
    matrix = scaling(*zoom_factors(zoom_range))
    return apply_transform(x, _centred(matrix, x, row_axis, col_axis), channel_axis, fill_mode, cval)


def random_channel_shift(x: Image, intensity: float, channel_axis: int = 0) -> Image:
    """Adds to each channel a number from U(-intensity, intensity); the range of values is kept."""
    low, high = x.min(), x.max()
    shifted = [
        np.clip(channel + uniform(-intensity, intensity), low, high) for channel in np.moveaxis(x, channel_axis, 0)
    ]
    return np.stack(shifted, axis=channel_axis)


def zoom_factors(zoom_range: Sequence[float]) -> tuple[float, float]:
    """Returns a factor for each axis; nothing is drawn where the range is (1, 1).

    Raises:
        DataError: The range is not two numbers.
    """
    if len(zoom_range) != 2:
        raise DataError(f"zoom_range must be two numbers. Received: {zoom_range!r}.")
    if zoom_range[0] == 1 and zoom_range[1] == 1:
        return 1.0, 1.0
    return uniform(*zoom_range), uniform(*zoom_range)


def uniform(low: float, high: float) -> float:
    """Returns a number from NumPy's global generator, which scripts for Keras seed."""
    return float(np.random.uniform(low, high))  # noqa: NPY002


def _centred(matrix: Matrix, x: Image, row_axis: int, col_axis: int) -> Matrix:
    return transform_matrix_offset_center(matrix, x.shape[row_axis], x.shape[col_axis])
