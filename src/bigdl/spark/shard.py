"""The rows that one worker holds, and the batches that it makes of them."""

from __future__ import annotations

import os
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import IO, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bigdl.errors import DataError
from bigdl.spark.decode import Field
from bigdl.training.batches import Batch, Order, Samples

ROW_BITS = 33
"""Of ``monotonically_increasing_id``: the row within its partition is in the lower bits, the partition above."""

_SHOWN = 5


def row_of(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the row within its partition of each id."""
    return ids & ((1 << ROW_BITS) - 1)


def partition_of(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the partition of each id."""
    return ids >> ROW_BITS


class Shard:
    """The rows of one worker: their ids and, column by column, their values.

    Beyond a limit the values are written to a file, of which only those that are needed are read. The file has no name
    any more once it is complete, so that nothing is left behind, however the worker ends.

    Args:
        fields: What the columns hold.
        memory_limit: How many bytes may be kept in memory.
        number: The number of the data set.
    """

    def __init__(self, fields: Sequence[Field], memory_limit: int, number: int = 0) -> None:
        self._number = number
        self.fields = list(fields)
        self.ids: NDArray[np.int64] = np.empty(0, np.int64)
        self.columns: list[NDArray[Any]] = []
        self._limit = memory_limit
        self._parts: list[list[NDArray[Any]]] = [[] for _ in fields]
        self._id_parts: list[NDArray[np.int64]] = []
        self._bytes = 0
        self._files: list[IO[bytes]] | None = None
        self._wrong: dict[int, str] = {}

    def add(self, ids: pa.Array, reasons: pa.Array, columns: Sequence[pa.Array]) -> None:
        """Takes rows.

        Args:
            ids: Their ids.
            reasons: Why they cannot be used, null for those that can.
            columns: Their values, column by column.
        """
        numbers = np.array(ids.to_numpy(zero_copy_only=False))
        self._id_parts.append(numbers)
        for i, (field, values) in enumerate(zip(self.fields, columns, strict=True)):
            array, bad = field.decode(values)
            self._wrong.update((int(numbers[at]), f"{field.name}: {reason}") for at, reason in bad.items())
            if len(bad) < len(array):  # what the first good rows are, all must be
                dtype = str(array.dtype) if field.kind == "bytes" else None
                self.fields[i] = replace(field, shape=array.shape[1:], dtype=dtype)
            self._parts[i].append(array)
            self._bytes += array.nbytes
        known = {at: reason for at, reason in enumerate(reasons.to_pylist()) if reason is not None}
        self._wrong.update((int(numbers[at]), reason) for at, reason in known.items())
        if self._files is None and self._bytes > self._limit:
            self._files = [_unnamed_file() for _ in self.fields]
        if self._files is not None:
            self._spill(self._files)

    def finish(self) -> None:
        """Makes ``ids`` and ``columns`` of what was taken.

        Raises:
            BadRowsError: Rows are null or have other shapes than expected.
        """
        self.ids = np.concatenate([np.empty(0, np.int64), *self._id_parts])
        if self._wrong:
            raise BadRowsError(self._number, self._wrong)
        self.columns = [self._column(i) for i in range(len(self.fields))]
        for file in self._files or ():
            file.close()  # the mapped pages stay

    @property
    def spilled(self) -> bool:
        """Whether the rows are in a file."""
        return self._files is not None

    def checksum(self) -> int:
        """Returns a CRC-32 of all rows in the order of their ids."""
        order = np.argsort(self.ids, kind="stable")
        total = zlib.crc32(np.ascontiguousarray(self.ids[order]).data)
        for column in self.columns:
            for start in range(0, len(order), 4096):
                total = zlib.crc32(np.ascontiguousarray(column[order[start : start + 4096]]).data, total)
        return total

    def _spill(self, files: list[IO[bytes]]) -> None:
        for file, parts in zip(files, self._parts, strict=True):
            for part in parts:
                file.write(np.ascontiguousarray(part).data)
            parts[:] = [part[:0] for part in parts[:1]]  # keeps dtype and shape

    def _column(self, i: int) -> NDArray[Any]:
        parts = self._parts[i]
        if not parts:
            shape = self.fields[i].shape
            return np.empty((0, *(n or 0 for n in shape or ())), self.fields[i].dtype or np.float32)
        if self._files is None or not len(self.ids):
            return np.concatenate(parts)
        file = self._files[i]
        file.flush()
        # Copy on write, so that torch may share the pages; nothing writes to them.
        return np.memmap(file, parts[0].dtype, "c", shape=(len(self.ids), *parts[0].shape[1:]))


class BadRowsError(DataError):
    """Rows that cannot be used.

    Attributes:
        number: The number of the data set.
        wrong: What is wrong, by id.
    """

    def __init__(self, number: int, wrong: dict[int, str]) -> None:
        super().__init__(f"{len(wrong)} rows cannot be used.")
        self.number = number
        self.wrong = wrong

    def described(self, offsets: Sequence[Sequence[int]]) -> str:
        """Returns what is wrong with the first rows, by their index.

        Args:
            offsets: For each data set, how many rows lie before each partition.
        """
        first = sorted(self.wrong)[:_SHOWN]
        ids = np.array(first, np.int64)
        indices = np.asarray(offsets[self.number])[partition_of(ids)] + row_of(ids)
        shown = "; ".join(f"row {index}, {self.wrong[id]}" for index, id in zip(indices.tolist(), first, strict=True))
        return (
            f"{len(self.wrong)} rows cannot be used: {shown}{', ...' if len(self.wrong) > _SHOWN else ''}. "
            "Rows count from 0, in the order of the data; drop or mend them first."
        )


class ShardSource:
    """Batches of a data set of which this worker holds some rows; see ``Source``.

    Which rows make a batch follows from the order alone. Each worker gives those of them that it holds.

    Args:
        samples: This worker's rows.
        indices: Where each of them is in the whole data set.
        rows: The number of rows of the whole data set that are used.
        batch_size: Rows of a batch, over all workers.
        order: The order of the rows.
        first: Where the rows begin, if what others come before are not used.

    Attributes:
        samples: This worker's rows.
    """

    def __init__(
        self, samples: Samples, indices: NDArray[np.int64], rows: int, batch_size: int, order: Order, first: int = 0
    ) -> None:
        self.rows = rows
        self.samples = samples
        self._batch_size = batch_size
        self.order = order
        self._here: NDArray[np.int32] = np.full(rows, -1, np.int32)
        used = np.flatnonzero((indices >= first) & (indices < first + rows))
        self._here[indices[used] - first] = used.astype(np.int32)

    def batches(self, epoch: int = 1, start: int = 0) -> Iterator[Batch]:
        """Gives the batches of an epoch; see ``Source``."""
        order = self.order.rows(epoch, self.rows, self._batch_size)
        here = self._here if order is None else self._here[order]
        for first in range(start, self.rows, self._batch_size):
            last = min(first + self._batch_size, self.rows)
            held = here[first:last]
            batch = self.samples.batch(held[held >= 0].astype(np.int64))
            yield Batch(batch.inputs, batch.targets, batch.weights, last - first)

    def held(self, first: int, last: int) -> NDArray[np.int64]:
        """Returns which of some neighbouring rows are here, counted from the first of them."""
        return np.flatnonzero(self._here[first:last] >= 0)


def _unnamed_file() -> IO[bytes]:
    folders = os.environ.get("SPARK_LOCAL_DIRS", "").split(",")
    return tempfile.TemporaryFile(dir=folders[0] or None, prefix="bigdl-")
