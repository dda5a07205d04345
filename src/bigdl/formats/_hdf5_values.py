"""The values of an array in an HDF5 file, whole or in pieces."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from bigdl.formats._guard import guarded, shown
from bigdl.formats.spec import Array

_PIECE = 4 * 2**20  # bytes; little enough for a processor's cache, where copying into another layout is fast


@dataclass(frozen=True, slots=True)
class DatasetReader:
    """Reads an array of numbers, while its file is open.

    Attributes:
        dataset: The array.
        shape: Its shape.
        dtype: What its values are read as.
        name: Its name, for messages.
        source: The file's URI, for messages.
    """

    dataset: h5py.Dataset
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    name: str
    source: str

    def __call__(self) -> Array:
        """Returns the array."""
        array = np.empty(self.shape, self.dtype)
        if array.size:
            with guarded(self.source, f"array {shown(self.name)}"):
                self.dataset.id.read(h5py.h5s.ALL, h5py.h5s.ALL, array)
        return array

    def pieces(self) -> Iterator[Array]:
        """Gives the array in pieces along its first axis; each lasts until the next is asked for."""
        rows = self._rows_at_once()
        if not self.shape or rows >= self.shape[0]:
            yield self()
            return
        buffer = np.empty((rows, *self.shape[1:]), self.dtype)
        for start in range(0, self.shape[0], rows):
            piece = buffer[: self.shape[0] - start]
            self._read_rows(start, piece)
            yield piece

    def _rows_at_once(self) -> int:
        with guarded(self.source, f"array {shown(self.name)}"):
            stored_together: int = self.dataset.chunks[0] if self.dataset.chunks else 1
        row = self.dtype.itemsize * math.prod(self.shape[1:])
        return math.ceil(_PIECE / max(row, 1) / stored_together) * stored_together

    def _read_rows(self, start: int, piece: Array) -> None:
        with guarded(self.source, f"array {shown(self.name)}"):
            place = self.dataset.id.get_space()
            place.select_hyperslab((start, *(0 for _ in self.shape[1:])), piece.shape)
            self.dataset.id.read(h5py.h5s.create_simple(piece.shape), place, piece)
