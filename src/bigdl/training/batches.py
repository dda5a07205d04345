"""Data sets cut into batches, in an order that is decided epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bigdl.training.data import Column, Index


@dataclass(frozen=True, slots=True)
class Batch:
    """A few rows of a data set.

    Attributes:
        inputs: A tensor for each input of the model.
        targets: A tensor for each target.
        weights: The sample weights of each target, None where every sample counts the same.
        rows: The number of rows of the batch, those of other workers included.
    """

    inputs: list[Tensor]
    targets: list[Tensor]
    weights: list[Tensor | None]
    rows: int

    @property
    def held(self) -> int:
        """The number of rows that are here."""
        return len(self.inputs[0])


class Order(Protocol):
    """Decides the order of the rows of each epoch."""

    def rows(self, epoch: int, count: int, batch_size: int) -> NDArray[np.int64] | None:
        """Returns the positions of the rows in the order of an epoch, None for the order that they are in.

        Args:
            epoch: The epoch, from 1.
            count: How many rows there are.
            batch_size: Rows in a batch.
        """

    def state_dict(self) -> dict[str, Tensor]:
        """Returns what the orders of later epochs depend on, beside random numbers."""

    def load_state_dict(self, state: Mapping[str, Tensor], epoch: int) -> None:
        """Takes what ``state_dict`` returned.

        Args:
            state: That.
            epoch: The last epoch whose order was asked for.
        """


class FixedOrder:
    """An order that depends on nothing but the epoch."""

    def state_dict(self) -> dict[str, Tensor]:
        """Returns nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Tensor], epoch: int) -> None:
        """Takes nothing."""


class InOrder(FixedOrder):
    """The rows as they are, in every epoch."""

    def rows(self, epoch: int, count: int, batch_size: int) -> None:
        """Returns None."""
        return


class SeededOrder(FixedOrder):
    """A shuffled order for each epoch that depends on the seed and the epoch only.

    An epoch can therefore be repeated, from any of its batches, by another process, and by any number of workers.
    For their sake it is stratified: row ``i`` is of stratum ``i % STRATA``, the rows of each stratum are permuted, and
    as many neighbours as there are strata come from one stratum each, those of a cycle in the order
    ``(a q + b) % STRATA`` with random ``a`` and ``b``. Of any batch, a worker that holds each n-th row then has its
    n-th part and at most two rows more. In a plain permutation the slowest of 2 workers would have 7% more than its
    part of 128 rows, of 16 workers 22% more than of 1024.

    Args:
        seed: The seed.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def rows(self, epoch: int, count: int, batch_size: int) -> NDArray[np.int64]:
        """Returns the epoch's order."""
        random = np.random.Generator(np.random.PCG64([self.seed, epoch]))
        strata = _strata(count)
        cycles = -(-count // strata)
        rows = random.permuted(np.arange(cycles * strata).reshape(cycles, strata), axis=0)
        steps = random.choice(_units(strata), (cycles, 1))
        starts = random.integers(strata, size=(cycles, 1))
        columns = (steps * np.arange(strata) + starts) % strata
        order = np.take_along_axis(rows, columns, axis=1).reshape(-1)
        return order[order < count]


STRATA = 240
"""Strata of a large data set; all numbers up to 6 divide it, and many more that are numbers of workers."""

_ROWS_OF_A_STRATUM = 16


def _strata(count: int) -> int:
    """Returns the number of strata of so many rows: few enough that each has rows to permute."""
    return next((n for n in (STRATA, 60, 12) if count >= n * _ROWS_OF_A_STRATUM), 1)


def _units(n: int) -> NDArray[np.int64]:
    """Returns the factors by which multiplying modulo ``n`` is a permutation."""
    return np.array([a for a in range(1, n + 1) if math.gcd(a, n) == 1])


class KerasOrder:
    """The orders that Keras 1.2.2's ``fit`` draws: each epoch shuffles the order of the one before.

    They come from NumPy's global generator, so that a script that seeds it sees the batches that it saw in Keras.

    Args:
        whole_batches: Whether neighbouring rows stay together, so that only batches change places (``"batch"``).
    """

    def __init__(self, whole_batches: bool = False) -> None:
        self.whole_batches = whole_batches
        self._order: NDArray[np.int64] | None = None
        self._drawn: int | None = None

    def rows(self, epoch: int, count: int, batch_size: int) -> NDArray[np.int64]:
        """Returns the next epoch's order; after ``load_state_dict`` that of the epoch it was for, if that goes on."""
        if self._order is not None and epoch == self._drawn:
            return self._order
        last = self._order
        order = last.copy() if last is not None and len(last) == count else np.arange(count)
        whole = count - count % batch_size
        shuffled = order[:whole].reshape(-1, batch_size) if self.whole_batches else order
        np.random.shuffle(shuffled)  # noqa: NPY002 - Keras's generator
        self._order = order
        return order

    def state_dict(self) -> dict[str, Tensor]:
        """Returns the last order."""
        return {} if self._order is None else {"order": torch.from_numpy(self._order)}

    def load_state_dict(self, state: Mapping[str, Tensor], epoch: int) -> None:
        """Takes the last order, which is that of ``epoch``."""
        if "order" in state:
            self._order, self._drawn = state["order"].numpy(), epoch


def keras_order(shuffle: bool | str) -> Order:
    """Returns the order that ``fit``'s argument ``shuffle`` means.

    Args:
        shuffle: ``"batch"``; ``"balanced"`` for a ``SeededOrder``, its seed from NumPy's generator; or whether to
            shuffle.
    """
    if shuffle == "balanced":
        return SeededOrder(int(np.random.randint(2**31)))  # noqa: NPY002 - Keras's generator
    return KerasOrder(shuffle == "batch") if shuffle else InOrder()


class Source(Protocol):
    """Where the batches of an epoch come from.

    Attributes:
        rows: The number of rows of an epoch.
        order: The order in which they come.
    """

    rows: int
    order: Order

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Gives the batches of an epoch.

        Args:
            epoch: The epoch, from 1.
            start: How many rows of it are done already; a sum of whole batches.
        """


@dataclass(frozen=True, slots=True)
class Samples:
    """Rows of a data set: inputs, targets and weights that fit a model and each other.

    Attributes:
        inputs: A column for each input.
        targets: A column for each target.
        weights: The sample weights of each target, None where there are none.
    """

    inputs: Sequence[Column]
    targets: Sequence[Column]
    weights: Sequence[Column | None]

    def __len__(self) -> int:
        return len(self.inputs[0])

    def part(self, start: int, stop: int) -> Samples:
        """Returns some of the rows, without copying them."""
        return Samples(
            [column.part(start, stop) for column in self.inputs],
            [column.part(start, stop) for column in self.targets],
            [None if column is None else column.part(start, stop) for column in self.weights],
        )

    def batch(self, index: Index = slice(None)) -> Batch:
        """Returns the rows at some positions, all by default, as a batch."""
        inputs = [column.take(index) for column in self.inputs]
        targets = [column.take(index) for column in self.targets]
        weights = [None if column is None else column.take(index) for column in self.weights]
        return Batch(inputs, targets, weights, len(inputs[0]))


class ArraySource:
    """Batches from arrays; the last one of an epoch holds what is left.

    Args:
        samples: The rows.
        batch_size: Rows in a batch.
        order: The order of the rows; as they are by default.
    """

    def __init__(self, samples: Samples, batch_size: int, order: Order | None = None) -> None:
        self.rows = len(samples)
        self._samples = samples
        self._batch_size = batch_size
        self.order: Order = order or InOrder()

    def batches(self, epoch: int = 1, start: int = 0) -> Iterator[Batch]:
        """Gives the batches of an epoch; see ``Source``."""
        order = self.order.rows(epoch, self.rows, self._batch_size)
        for first in range(start, self.rows, self._batch_size):
            index = slice(first, min(first + self._batch_size, self.rows))
            yield self._samples.batch(index if order is None else order[index])
