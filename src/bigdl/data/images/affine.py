"""Affine transformations of images: each pixel of the result is the nearest one of the image.

The matrices map the result's rows and columns to the image's: ``(row, column, 1) -> matrix @ (row, column, 1)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigdl.errors import DataError

Image = NDArray[Any]
Matrix = NDArray[np.float64]


def rotation(theta: float) -> Matrix:
    """Returns the matrix of a rotation by ``theta`` radians."""
    return np.array([[np.cos(theta), -np.sin(theta), 0], [np.sin(theta), np.cos(theta), 0], [0, 0, 1]])


def translation(rows: float, columns: float) -> Matrix:
    """Returns the matrix of a shift by so many pixels."""
    return np.array([[1, 0, rows], [0, 1, columns], [0, 0, 1]], np.float64)


def shearing(angle: float) -> Matrix:
    """Returns the matrix of a shear by ``angle`` radians."""
    return np.array([[1, -np.sin(angle), 0], [0, np.cos(angle), 0], [0, 0, 1]])


def scaling(rows: float, columns: float) -> Matrix:
    """Returns the matrix of a zoom; a factor above 1 makes things smaller."""
    return np.diag([rows, columns, 1.0])


def transform_matrix_offset_center(matrix: Matrix, x: int, y: int) -> Matrix:
    """Returns the matrix of the same transformation around the centre of an image.

    As in Keras 1.2.2 the centre is half a pixel beyond the middle.

    Args:
        matrix: The transformation around pixel (0, 0).
        x: The number of rows.
        y: The number of columns.
    """
    row, column = x / 2 + 0.5, y / 2 + 0.5
    return np.asarray(translation(row, column) @ matrix @ translation(-row, -column))


def apply_transform(
    x: Image, transform_matrix: Matrix, channel_axis: int = 0, fill_mode: str = "nearest", cval: float = 0.0
) -> Image:
    """Transforms an image.

    Args:
        x: The image, of rank 3.
        transform_matrix: Maps the result's rows and columns to the image's.
        channel_axis: The axis of the channels.
        fill_mode: What stands beyond the edges: ``"constant"`` for ``cval``, ``"nearest"`` for the edge's pixel,
            ``"reflect"`` for the image mirrored at the edge, ``"wrap"`` for the image again.
        cval: See above.

    Returns:
        An image of the same shape and dtype.

    Raises:
        DataError: The fill mode is another.
    """
    if fill_mode not in _INSIDE and fill_mode != "constant":
        raise DataError(f"fill_mode must be one of constant, {', '.join(_INSIDE)}. Received: {fill_mode!r}.")
    image = np.moveaxis(x, channel_axis, -1)
    rows, columns = image.shape[:2]
    grid = np.indices((rows, columns)).reshape(2, -1)
    places = transform_matrix[:2, :2] @ grid + transform_matrix[:2, 2:]
    if fill_mode == "constant":
        outside = ((places < 0) | (places > [[rows - 1], [columns - 1]])).any(0).reshape(rows, columns)
        nearest = [_clipped(_rounded(place), n) for place, n in zip(places, (rows, columns), strict=True)]
    else:
        inside = _INSIDE[fill_mode]
        nearest = [inside(place, n) for place, n in zip(places, (rows, columns), strict=True)]
    result = image[nearest[0], nearest[1]].reshape(image.shape)
    if fill_mode == "constant":
        result[outside] = cval
    return np.moveaxis(result, -1, channel_axis)


def flip_axis(x: Image, axis: int) -> Image:
    """Returns an image with an axis turned round."""
    return np.flip(x, axis)


def _rounded(place: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.floor(place + 0.5).astype(np.int64)


def _clipped(place: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    return np.clip(place, 0, length - 1)


def _nearest(place: NDArray[np.float64], length: int) -> NDArray[np.int64]:
    return _clipped(_rounded(place), length)


def _reflected(place: NDArray[np.float64], length: int) -> NDArray[np.int64]:
    """Mirrors at the outer edge of the last pixel: ``d c b a | a b c d | d c b a``.

    SciPy, which Keras uses, mirrors before it rounds; what then lies beyond the edge is mirrored at the last pixel.
    """
    period = np.mod(place, 2 * length)
    number = np.abs(_rounded(np.where(period < length, period, 2 * length - 1 - period)))
    return _clipped(np.where(number >= length, 2 * length - 2 - number, number), length)


def _wrapped(place: NDArray[np.float64], length: int) -> NDArray[np.int64]:
    """Repeats the image, the last pixel falling on the first as in SciPy's ``wrap``, whose period is one shorter."""
    period = max(length - 1, 1)
    beyond = (place < 0) | (place > length - 1)
    return _clipped(_rounded(np.where(beyond, np.mod(place, period), place)), length)


_INSIDE: Mapping[str, Callable[[NDArray[np.float64], int], NDArray[np.int64]]] = {
    "nearest": _nearest,
    "reflect": _reflected,
    "wrap": _wrapped,
}
