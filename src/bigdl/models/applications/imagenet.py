"""Images as the networks take them, and their predictions by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigdl.errors import DataError
from bigdl.settings import checked_dim_ordering

# The means of ImageNet's pixels, of blue, green and red.
MEANS = (103.939, 116.779, 123.68)
CLASS_INDEX_PATH = "~/.keras/models/imagenet_class_index.json"


def preprocess_input(x: NDArray[Any], dim_ordering: str = "default") -> NDArray[Any]:
    """Returns images for VGG and ResNet: blue first, the means subtracted. Changes the array itself, as in Keras.

    Args:
        x: Images of red, green and blue from 0 to 255, floating-point, rank 4.
        dim_ordering: Where the colours are; the process's default by default.
    """
    axis = 1 if checked_dim_ordering(dim_ordering) == "th" else 3
    blue_first = np.flip(x, axis)
    blue_first -= np.asarray(MEANS, x.dtype).reshape([3 if i == axis else 1 for i in range(4)])
    return blue_first


def scaled_input(x: NDArray[Any]) -> NDArray[Any]:
    """Returns images for Inception and Xception: from -1 to 1. Changes the array itself, as in Keras.

    Args:
        x: Images from 0 to 255, floating-point.
    """
    x /= 255.0
    x -= 0.5
    x *= 2.0
    return x


def decode_predictions(preds: NDArray[Any], top: int = 5) -> list[list[tuple[str, str, float]]]:
    """Returns the likeliest classes of each row.

    Args:
        preds: Predictions, a column for each of the 1000 classes.
        top: How many classes.

    Returns:
        For each row ``(WordNet's id, name, probability)``, the likeliest first.

    Raises:
        DataError: There are not 1000 columns, or Keras's file of the classes' names is not there.
    """
    if preds.ndim != 2 or preds.shape[1] != 1000:
        raise DataError(f"decode_predictions expects predictions (rows, 1000). Received: shape {preds.shape}.")
    path = Path(CLASS_INDEX_PATH).expanduser()
    if not path.exists():
        raise DataError(
            f"The names of the classes are read from Keras's file {path}, which is not there. Put it there."
        )
    names = json.loads(path.read_text("utf-8"))
    best = np.argsort(-preds, axis=1)[:, :top]
    return [[(*names[str(i)], row[i]) for i in order] for row, order in zip(preds, best, strict=True)]
