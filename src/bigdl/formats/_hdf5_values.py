"""The values of an array in an HDF5 file, whole or in pieces."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from bigdl.formats._guard import guarded, shown
from bigdl.formats._pieces import pieces_of
from bigdl.formats.spec import Array


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
        with guarded(self.source, f"array {shown(self.name)}"):
            stored_together = self.dataset.chunks[0] if self.dataset.chunks else 1
        pieces = pieces_of(self.shape, self.dtype.itemsize, stored_together)
        if not pieces:
            yield self()
            return
        buffer = np.empty((pieces[0].stop, *self.shape[1:]), self.dtype)
        for rows in pieces:
            piece = buffer[: rows.stop - rows.start]
            self._read_rows(rows.start, piece)
            yield piece

    def _read_rows(self, start: int, piece: Array) -> None:
        with guarded(self.source, f"array {shown(self.name)}"):
            place = self.dataset.id.get_space()
            place.select_hyperslab((start, *(0 for _ in self.shape[1:])), piece.shape)
            self.dataset.id.read(h5py.h5s.create_simple(piece.shape), place, piece)
