"""CIFAR-10 and CIFAR-100 as Keras 1.2.2's ``datasets.cifar10`` and ``datasets.cifar100`` give them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigdl.data.keras_datasets.files import data_path
from bigdl.data.plain_pickle import read_plain_pickle
from bigdl.errors import DataError, FormatError
from bigdl.settings import image_dim_ordering

Part = tuple[NDArray[np.uint8], NDArray[Any]]


def load_cifar10() -> tuple[Part, Part]:
    """Reads CIFAR-10 from the folder ``~/.keras/datasets/cifar-10-batches-py``.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images, uint8 ``(images, 32, 32, 3)``, or where the default
        ``dim_ordering`` is ``"th"`` ``(images, 3, 32, 32)``; class numbers ``(images, 1)``.

    Raises:
        DataError: The folder is not there.
        FormatError: A file is damaged.
    """
    folder = data_path("cifar-10-batches-py")
    batches = [_batch(folder / f"data_batch_{number}", "labels") for number in range(1, 6)]
    train = np.concatenate([x for x, _ in batches]), np.concatenate([y for _, y in batches]).astype(np.uint8)
    return _part(*train), _part(*_batch(folder / "test_batch", "labels"))


def load_cifar100(label_mode: str = "fine") -> tuple[Part, Part]:
    """Reads CIFAR-100 from the folder ``~/.keras/datasets/cifar-100-python``; see ``load_cifar10``.

    Args:
        label_mode: ``"fine"`` for 100 classes, ``"coarse"`` for 20.

    Raises:
        DataError: The folder is not there, or the mode is another.
        FormatError: A file is damaged.
    """
    if label_mode not in ("fine", "coarse"):
        raise DataError(f"label_mode must be 'fine' or 'coarse'. Received: {label_mode!r}.")
    folder = data_path("cifar-100-python")
    key = f"{label_mode}_labels"
    return _part(*_batch(folder / "train", key)), _part(*_batch(folder / "test", key))


def _batch(path: Path, key: str) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    try:
        value = read_plain_pickle(path.read_bytes(), str(path))
        return value[b"data"].reshape(-1, 3, 32, 32), np.asarray(value[key.encode()])
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(f"{path} is no batch of CIFAR: {error}.") from error


def _part(images: NDArray[np.uint8], labels: NDArray[Any]) -> Part:
    return images if image_dim_ordering() == "th" else images.transpose(0, 2, 3, 1), labels.reshape(-1, 1)
