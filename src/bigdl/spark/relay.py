"""The workers' end of the line to the driver: what happens in training is told there, while it happens."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigdl.spark.channel import Line
from bigdl.spark.group import ProcessGroup
from bigdl.training.events import Distribution
from bigdl.training.loop import Hook
from bigdl.training.state import TrainingState

_SECONDS_BETWEEN_REPORTS = 1.0


class Relay:
    """Sends messages to the driver; without a line, or once it is lost, they are dropped.

    Args:
        line: The line, None where the driver cannot be reached.
        rank: The worker.
        seconds: How long to wait for an answer.
    """

    def __init__(self, line: Line | None, rank: int, seconds: float) -> None:
        self.rank = rank
        self._line = line
        self._seconds = seconds
        self._answers: queue.Queue[tuple[dict[str, Any], bytes] | None] = queue.Queue()
        self._stop = threading.Event()
        if line is not None:
            line.set_timeout(None)
            threading.Thread(target=self._listen, args=(line,), name="bigdl-relay", daemon=True).start()

    @property
    def connected(self) -> bool:
        """Whether there is a line."""
        return self._line is not None

    @property
    def stop_wanted(self) -> bool:
        """Whether the driver wants training to end."""
        return self._stop.is_set()

    def tell(self, kind: str, data: bytes = b"", **content: Any) -> None:
        """Sends a message."""
        if self._line is None:
            return
        try:
            self._line.send({"kind": kind, "rank": self.rank, **content}, data)
        except OSError:
            self.close()

    def answer(self) -> tuple[dict[str, Any], bytes] | None:
        """Waits for the answer to the last message; None where none comes."""
        try:
            return self._answers.get(timeout=self._seconds) if self._line is not None else None
        except queue.Empty:
            return None

    def close(self) -> None:
        """Ends the line."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def _listen(self, line: Line) -> None:
        try:
            while (received := line.receive()) is not None:
                if received[0].get("kind") == "stop":
                    self._stop.set()
                else:
                    self._answers.put(received)
        except (OSError, ValueError):
            pass
        self._answers.put(None)


class RelayHook(Hook):
    """Tells the driver of every step that is done; for one worker of all, as all have the same results.

    Args:
        relay: The line.
        newest: Gives what an epoch has reported, when it is over.
    """

    def __init__(self, relay: Relay, newest: Callable[[], dict[str, float]]) -> None:
        self._relay = relay
        self._newest = newest

    def on_train_begin(self, state: TrainingState) -> None:
        """Tells that training begins."""
        self._relay.tell("on_train_begin", state=asdict(state))

    def on_epoch_begin(self, state: TrainingState) -> None:
        """Tells that an epoch begins."""
        self._relay.tell("on_epoch_begin", state=asdict(state))

    def on_batch_end(self, state: TrainingState, rows: int, results: list[float]) -> None:
        """Tells the results of a batch."""
        self._relay.tell("on_batch_end", state=asdict(state), rows=rows, results=results)

    def on_epoch_end(self, state: TrainingState) -> None:
        """Tells what the epoch has reported."""
        self._relay.tell("on_epoch_end", state=asdict(state), newest=self._newest())


class RelayWriter:
    """Writes to the event file that the driver has open; see ``EventWriter``.

    Args:
        relay: The line.
        kind: Of which summary it is.
    """

    def __init__(self, relay: Relay, kind: str) -> None:
        self._relay = relay
        self._kind = kind

    def scalar(self, tag: str, value: float, step: int) -> None:
        """Sends a number."""
        self._relay.tell("scalar", summary=self._kind, tag=tag, value=float(value), step=step)

    def histogram(self, tag: str, values: NDArray[Any], step: int) -> None:
        """Sends how values are distributed."""
        found = Distribution()
        found.add(np.asarray(values))
        content = {**asdict(found), "counts": found.counts.tolist()}
        self._relay.tell("histogram", summary=self._kind, tag=tag, distribution=content, step=step)

    def flush(self) -> None:
        """Has the driver write out what waits in its memory."""
        self._relay.tell("flush", summary=self._kind)


class LagHook(Hook):
    """Tells the driver, now and then, how long this worker computes, and how long it waits for the others.

    Args:
        relay: The line.
        group: Knows how long the worker has waited so far.
    """

    def __init__(self, relay: Relay, group: ProcessGroup) -> None:
        self._relay = relay
        self._group = group

    def on_train_begin(self, state: TrainingState) -> None:
        """Starts the clock."""
        self._start(state)

    def on_batch_end(self, state: TrainingState, rows: int, results: list[float]) -> None:
        """Tells if it is time to."""
        seconds = time.perf_counter() - self._since
        if seconds >= _SECONDS_BETWEEN_REPORTS:
            steps = state.iteration - self._iteration
            waited = self._group.waited - self._waited_before
            self._relay.tell("lag", steps=steps, seconds=seconds, waited=waited)
            self._start(state)

    def _start(self, state: TrainingState) -> None:
        self._since = time.perf_counter()
        self._iteration = state.iteration
        self._waited_before = self._group.waited


class RelayLogs(logging.Handler):
    """Sends log lines to the driver.

    Args:
        relay: The line.
    """

    def __init__(self, relay: Relay) -> None:
        super().__init__()
        self._relay = relay

    def emit(self, record: logging.LogRecord) -> None:
        """Sends one."""
        self._relay.tell("log", name=record.name, level=record.levelno, text=record.getMessage())
