"""A data set of an HDF5 file as an array that is read by rows; Keras 1.2.2's ``HDF5Matrix``."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from bigdl.errors import FormatError, MissingFileError

Normalizer = Callable[[NDArray[Any]], NDArray[Any]]


class HDF5Matrix:
    """Rows of a data set of an HDF5 file, read when they are asked for.

    Args:
        datapath: The file.
        dataset: The name of the data set in it.
        start: The first row.
        end: The row after the last one; all by default.
        normalizer: Applied to the rows that are read.

    Attributes:
        shape: The shape, rows first.
        dtype: The dtype of what is read.

    Raises:
        MissingFileError: There is no such file.
        FormatError: It is no HDF5 file, or has no such data set.
    """

    def __init__(
        self,
        datapath: str | os.PathLike[str],
        dataset: str,
        start: int = 0,
        end: int | None = None,
        normalizer: Normalizer | None = None,
    ) -> None:
        path = os.fspath(datapath)
        if not os.path.exists(path):
            raise MissingFileError(f"There is no file {path}.")
        try:
            self.data = h5py.File(path, "r")[dataset]
        except (OSError, KeyError) as error:
            raise FormatError(f"{path} has no data set {dataset!r} that can be read: {error}.") from error
        self.start = start
        self.end = len(self.data) if end is None else min(end, len(self.data))
        self.normalizer = normalizer
        sample = self[0:1]
        self.shape: tuple[int, ...] = (len(self), *sample.shape[1:])
        self.dtype: np.dtype[Any] = sample.dtype

    def __len__(self) -> int:
        return self.end - self.start

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Reads rows.

        Args:
            key: A row, a slice of them, or their positions in increasing order.

        Raises:
            IndexError: There is no such row.
        """
        if isinstance(key, slice):
            first, last, step = key.indices(len(self))
            rows: Any = slice(self.start + first, self.start + last, step)
        else:
            positions = np.asarray(key)
            if positions.size and not -len(self) <= positions.min() <= positions.max() < len(self):
                raise IndexError(f"rows 0 to {len(self) - 1} are there. Received: {key}")
            rows = self.start + np.where(positions < 0, positions + len(self), positions)
            rows = int(rows) if positions.ndim == 0 else rows.tolist()
        values: NDArray[Any] = np.asarray(self.data[rows])
        return values if self.normalizer is None else np.asarray(self.normalizer(values))
