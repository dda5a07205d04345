"""TensorBoard's event files, written and read by the package ``tensorboard``."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigdl.errors import DataError
from bigdl.files import Uri


def check_tensorboard() -> None:
    """Checks that event files can be written and read, before any time is spent.

    Raises:
        DataError: The package is not installed.
    """
    if importlib.util.find_spec("tensorboard") is None:
        raise DataError("Event files need TensorBoard: pip install 'bigdl-torch[tensorboard]'.")


@functools.cache
def _edges() -> NDArray[np.float64]:
    """The edges of TensorFlow's histograms: each a tenth further from 0 than the one before."""
    positive = 1e-12 * 1.1 ** np.arange(774)
    return np.concatenate([-positive[::-1], [0.0], positive])


@dataclass(slots=True)
class Distribution:
    """How values are distributed, added up piece by piece; those that are not finite are left out.

    Attributes:
        counts: How many lie between each two of TensorFlow's edges.
        low: The least value.
        high: The largest.
        total: Their sum.
        squares: The sum of their squares.
    """

    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(_edges()) - 1, np.int64))
    low: float = np.inf
    high: float = -np.inf
    total: float = 0.0
    squares: float = 0.0

    def add(self, values: NDArray[Any]) -> None:
        """Adds values, of any shape."""
        finite = values[np.isfinite(values)].astype(np.float64)
        if finite.size == 0:
            return
        self.counts += np.histogram(np.clip(finite, _edges()[0], _edges()[-1]), _edges())[0]
        self.low, self.high = min(self.low, finite.min()), max(self.high, finite.max())
        self.total += finite.sum()
        self.squares += np.square(finite).sum()


class EventWriter:
    """Writes one event file.

    Args:
        folder: Where it goes, a path or a URI; the file gets a name of its own.
        first_step: The first step that will be written: what other files of the folder hold from there on counts no
            more. None leaves it valid.
    """

    def __init__(self, folder: Uri, first_step: int | None = None) -> None:
        from torch.utils.tensorboard import SummaryWriter  # here, as it takes seconds to import

        self._writer: Any = SummaryWriter(os.fspath(folder), purge_step=first_step)

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Adds a number."""
        self._writer.add_scalar(tag, float(value), step)

    def histogram(self, tag: str, values: NDArray[Any] | Distribution, step: int) -> None:
        """Adds how values are distributed."""
        found = values if isinstance(values, Distribution) else Distribution()
        if found is not values:
            found.add(np.asarray(values))
        filled = np.flatnonzero(found.counts)
        if not filled.size:
            return
        part = slice(filled[0], filled[-1] + 1)
        self._writer.add_histogram_raw(
            tag,
            found.low,
            found.high,
            int(found.counts.sum()),
            found.total,
            found.squares,
            _edges()[1:][part].tolist(),
            found.counts[part].tolist(),
            step,
        )

    def image(self, tag: str, pixels: NDArray[Any], step: int) -> None:
        """Adds a picture in shades of grey, from the least to the largest of its values.

        Args:
            tag: The tag.
            pixels: ``(rows, columns)``.
            step: The step.
        """
        low, high = float(pixels.min()), float(pixels.max())
        self._writer.add_image(tag, (pixels - low) / ((high - low) or 1.0), step, dataformats="HW")

    def graph(self, nodes: Iterable[tuple[str, str, Iterable[str]]]) -> None:
        """Adds a graph.

        Args:
            nodes: Name, kind and the names of the inputs of each node.
        """
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.graph_pb2 import GraphDef

        definition = GraphDef()
        for name, kind, inputs in nodes:
            definition.node.add(name=name, op=kind, input=list(inputs))
        event = Event(graph_def=definition.SerializeToString())
        self._writer.file_writer.add_event(event)

    def flush(self) -> None:
        """Writes out what waits in memory."""
        self._writer.flush()

    def close(self) -> None:
        """Writes out what waits in memory and closes the file."""
        self._writer.close()


def read_scalars(folder: Uri, tag: str) -> list[list[float]]:
    """Reads the numbers of a tag from all event files of a folder.

    Args:
        folder: A path or a URI.
        tag: The tag.

    Returns:
        For each number ``[step, value, seconds since 1970]``; nothing where the tag or the folder is not known.
    """
    from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator

    events = EventAccumulator(os.fspath(folder), size_guidance={SCALARS: 0})
    with _quiet():
        events.Reload()
    if tag not in events.Tags()[SCALARS]:
        return []
    return [[event.step, event.value, event.wall_time] for event in events.Scalars(tag)]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps TensorBoard from warning of steps that a resumed training has taken again."""
    logger = logging.getLogger("tensorboard")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
