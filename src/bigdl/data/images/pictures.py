"""Pictures in files, as arrays and back. Needs Pillow."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bigdl.errors import DataError
from bigdl.settings import checked_dim_ordering


def load_img(path: str | os.PathLike[str], grayscale: bool = False, target_size: Sequence[int] | None = None) -> Any:
    """Reads a picture.

    Args:
        path: Its file.
        grayscale: Whether it becomes grey; else it becomes RGB.
        target_size: The rows and columns that it is brought to, by the nearest pixel as Pillow did in Keras's days.

    Returns:
        A picture of Pillow.

    Raises:
        ImportError: Pillow is missing.
    """
    image = _pillow()
    img = image.open(path).convert("L" if grayscale else "RGB")
    if target_size:
        img = img.resize((target_size[1], target_size[0]), image.Resampling.NEAREST)
    return img


def img_to_array(img: Any, dim_ordering: str = "default") -> NDArray[np.float32]:
    """Returns a picture as an array.

    Args:
        img: A picture of Pillow.
        dim_ordering: ``"tf"`` for ``(rows, columns, channels)``, ``"th"`` for ``(channels, rows, columns)``.

    Raises:
        DataError: The picture has another rank.
        LayerError: The ordering is another.
    """
    ordering = checked_dim_ordering(dim_ordering)
    x = np.array(img, np.float32)
    if x.ndim not in (2, 3):
        raise DataError(f"img_to_array expects a picture. Received: shape {x.shape}.")
    if x.ndim == 2:
        x = x[..., np.newaxis]
    return np.ascontiguousarray(x.transpose(2, 0, 1)) if ordering == "th" else x


def array_to_img(x: ArrayLike, dim_ordering: str = "default", scale: bool = True) -> Any:
    """Returns an array as a picture of Pillow.

    Args:
        x: An image of rank 3 with one or three channels.
        dim_ordering: See ``img_to_array``.
        scale: Whether the values are brought to 0 to 255: the largest one becomes 255, negative ones are lifted first.

    Raises:
        ImportError: Pillow is missing.
        DataError: It has another shape.
        LayerError: The ordering is another.
    """
    image = _pillow()
    pixels = np.array(x, np.float32)
    if pixels.ndim != 3:
        raise DataError(f"array_to_img expects an image of rank 3. Received: shape {pixels.shape}.")
    if checked_dim_ordering(dim_ordering) == "th":
        pixels = pixels.transpose(1, 2, 0)
    if pixels.shape[2] not in (1, 3):
        raise DataError(f"array_to_img expects one or three channels. Received: shape {pixels.shape}.")
    if scale:
        pixels = pixels + max(-float(pixels.min()), 0.0)
        pixels = pixels / (pixels.max() or 1.0) * 255
    return image.fromarray((pixels[..., 0] if pixels.shape[2] == 1 else pixels).astype(np.uint8))


def list_pictures(directory: str | os.PathLike[str], ext: str = "jpg|jpeg|bmp|png") -> list[str]:
    """Returns the paths of the pictures in a folder and the folders in it.

    Args:
        directory: The folder.
        ext: Their suffixes, as a regular expression.
    """
    pattern = re.compile(rf"(\w+\.(?:{ext}))")
    return [os.path.join(root, name) for root, _, names in os.walk(directory) for name in names if pattern.match(name)]


def check_images(images: NDArray[Any], channel_axis: int, dim_ordering: str) -> None:
    """Checks that an array holds images.

    Raises:
        DataError: It has another rank, or not 1, 3 or 4 channels.
    """
    if images.ndim != 4 or images.shape[channel_axis] not in (1, 3, 4):
        raise DataError(
            f"Expected images of rank 4 with 1, 3 or 4 channels on axis {channel_axis} (dim_ordering="
            f"{dim_ordering!r}). Received: shape {images.shape}."
        )


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("Reading and writing pictures needs Pillow: pip install Pillow") from error
    return Image
