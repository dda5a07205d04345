"""Sums over workers of one host, in memory that they share; gloo would take them through the host's network.

A sum has two rounds. Each worker writes its vector into its place of the memory and tells the others; when all have
told, each adds up one part of all vectors and tells again; then the whole sum is there for all to read.
"""

from __future__ import annotations

import mmap
import socket
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

ROOM = 16 << 20
"""The bytes of a worker's place; longer vectors are added up piece by piece. Pages are taken when first written to."""

_SEGMENT = 1 << 20  # of gloo's ring

Range = tuple[int, int]


class Sums(Protocol):
    """A way to add up vectors over workers: on all of them the same ones in the same order."""

    def place(self, dtype: torch.dtype, count: int) -> Tensor:
        """Returns where this worker may write its values for ``total``.

        Args:
            dtype: The type of a value.
            count: How many there are.
        """

    def total(self, flat: Tensor) -> Tensor:
        """Returns the sum of what was written into ``place``; both are good until the next sum begins."""

    def start(self, vector: Tensor) -> Any:
        """Begins to add up a vector, in place; what it returns has ``wait()``."""

    def close(self) -> None:
        """Lets the others know that this worker has come to its end."""


class Buffers:
    """Vectors that are used again and again, one for each dtype.

    Args:
        device: Where they are.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._kept: dict[torch.dtype, Tensor] = {}

    def vector(self, dtype: torch.dtype, count: int) -> Tensor:
        """Returns a vector of so many values."""
        kept = self._kept.get(dtype)
        if kept is None or kept.numel() < count:
            kept = self._kept[dtype] = torch.empty(count, dtype=dtype, device=self._device)
        return kept[:count]


class SharedSums:
    """Adds up in shared memory; see ``Sums``.

    What is started is ended before the next sum begins. Sums are those of gloo's ring to the last bit, so that it makes
    no difference when a worker is lost and another takes its place elsewhere.

    Args:
        rank: Which worker this one is.
        memory: A place for each worker and, behind them, one for the sum.
        lines: A socket to each other worker.
        seconds: How long to wait for another worker.
    """

    def __init__(self, rank: int, memory: mmap.mmap, lines: Sequence[socket.socket], seconds: float) -> None:
        self._rank = rank
        self._size = len(lines) + 1
        self._memory = memory
        self._lines = list(lines)
        self._buffers = Buffers(torch.device("cpu"))
        self._under_way: tuple[Tensor, list[Range]] | None = None
        for line in self._lines:
            line.settimeout(seconds)

    def place(self, dtype: torch.dtype, count: int) -> Tensor:
        """Returns the place in the memory, or other memory where it is too small."""
        if not 0 < count * dtype.itemsize <= ROOM:
            return self._buffers.vector(dtype, count)
        self.wait()
        return self._row(self._rank, dtype, count)

    def total(self, flat: Tensor) -> Tensor:
        """Returns the sum.

        Raises:
            RuntimeError: Another worker is gone, or does not answer in time.
        """
        if not 0 < flat.nbytes <= ROOM:
            self.start(flat).wait()
            return flat
        self._tell()
        return self._sum(flat.dtype, parts(self._size, len(flat), flat.itemsize))

    def start(self, vector: Tensor) -> SharedSums:
        """Begins to add up a contiguous vector.

        Raises:
            RuntimeError: Another worker is gone, or does not answer in time.
        """
        whole = parts(self._size, len(vector), vector.itemsize)
        for piece in _pieces(whole, ROOM // vector.itemsize):
            self.wait()
            places = _one_after_the_other(piece)
            own = self._row(self._rank, vector.dtype, places[-1][1])
            for (first, last), (start, stop) in zip(piece, places, strict=True):
                own[start:stop].copy_(vector[first:last])
            self._under_way = vector, piece
            self._tell()
        return self

    def wait(self) -> None:
        """Ends what was started, if anything is under way.

        Raises:
            RuntimeError: Another worker is gone, or does not answer in time.
        """
        if self._under_way is None:
            return
        (vector, piece), self._under_way = self._under_way, None
        places = _one_after_the_other(piece)
        total = self._sum(vector.dtype, places)
        for (first, last), (start, stop) in zip(piece, places, strict=True):
            vector[first:last].copy_(total[start:stop])

    def close(self) -> None:
        """Closes the lines; the memory stays as long as tensors look at it."""
        for line in self._lines:
            line.close()

    def _sum(self, dtype: torch.dtype, places: list[Range]) -> Tensor:
        """Adds up this worker's part when all vectors are there, and returns the sum when all parts are."""
        self._hear()
        count, (start, stop) = places[-1][1], places[self._rank]
        total = self._row(self._size, dtype, count)
        if start < stop:
            vectors = [self._row(rank, dtype, count)[start:stop] for rank in range(self._size)]
            _add_up(self._rank, vectors, total[start:stop])
        self._tell()
        self._hear()
        return total

    def _row(self, number: int, dtype: torch.dtype, count: int) -> Tensor:
        return torch.frombuffer(self._memory, dtype=dtype, count=count, offset=number * ROOM)

    def _tell(self) -> None:
        for line in self._lines:
            try:
                line.sendall(b".")
            except OSError as error:
                raise RuntimeError(f"a worker on this host is gone ({error})") from error

    def _hear(self) -> None:
        for line in self._lines:
            try:
                heard = line.recv(1)
            except OSError as error:
                raise RuntimeError(f"a worker on this host does not answer ({error})") from error
            if not heard:
                raise RuntimeError("a worker on this host has closed its line")


def parts(size: int, count: int, itemsize: int) -> list[Range]:
    """Returns where each worker's part of a vector begins and ends, as in gloo's ring.

    Args:
        size: The number of workers.
        count: The number of values.
        itemsize: The bytes of a value.
    """
    segments = max(2, -(-count * itemsize // (_SEGMENT * size)))  # of each worker
    length = -(-count // (segments * size)) * segments
    return [(min(rank * length, count), min((rank + 1) * length, count)) for rank in range(size)]


def _add_up(rank: int, vectors: Sequence[Tensor], total: Tensor) -> None:
    """Adds up a worker's part of all vectors in the order in which it goes around gloo's ring: its own comes last."""
    first, second, *rest = [vectors[(rank - 1 - i) % len(vectors)] for i in range(len(vectors))]
    torch.add(first, second, out=total)
    for vector in rest:
        total.add_(vector)


def _pieces(whole: list[Range], room: int) -> Iterator[list[Range]]:
    """Cuts the parts of a vector into pieces, such that one of each part fit into a room together."""
    step = room // len(whole)
    for done in range(0, whole[0][1], step):
        yield [(min(start + done, stop), min(start + done + step, stop)) for start, stop in whole]


def _one_after_the_other(ranges: list[Range]) -> list[Range]:
    """Returns where ranges lie when they are put one after the other."""
    found, at = [], 0
    for start, stop in ranges:
        found.append((at, at + stop - start))
        at += stop - start
    return found
