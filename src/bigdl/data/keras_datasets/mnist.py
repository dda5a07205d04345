"""MNIST as Keras 1.2.2's ``datasets.mnist`` gives it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigdl.data.keras_datasets.files import read_file
from bigdl.data.mnist import read_data_sets
from bigdl.data.plain_pickle import read_plain_pickle

Part = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def load_data(path: str = "mnist.pkl.gz") -> tuple[Part, Part]:
    """Reads MNIST; downloads it if need be.

    Args:
        path: Keras's file of it, a path or a name in ``~/.keras/datasets``; or a folder with MNIST's four files. Where
            there is neither, the four files are fetched into ``~/.keras/datasets/mnist``.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images, uint8 of shape (images, 28, 28), 0 to 255; labels, 0 to 9.

    Raises:
        DataError: It is not there and cannot be fetched.
        FormatError: A file is damaged.
    """
    keras_folder = Path("~/.keras/datasets").expanduser()
    for candidate in (Path(path).expanduser(), keras_folder / path):
        if candidate.is_file():
            data: Any = read_plain_pickle(read_file(candidate), str(candidate))
            return data[0], data[1]
    folder = Path(path) if Path(path).is_dir() else keras_folder / "mnist"
    train, test = (read_data_sets(folder, part) for part in ("train", "test"))
    return (train[0][..., 0], train[1]), (test[0][..., 0], test[1])
