"""Callbacks that keep, show and write down what training reports."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from typing import IO, Any

from bigdl.training.callbacks.base import AttributesCallback, Callback, Logs
from bigdl.training.progress import EpochDisplay


class BaseLogger(AttributesCallback):
    """Puts the means over an epoch, weighted by the size of the batches, into the epoch's logs.

    ``fit`` adds it itself, before all others.
    """

    remembered = ("seen", "totals")

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Starts the sums anew."""
        self.seen = 0
        self.totals: dict[str, float] = {}

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Adds a batch to the sums."""
        logs = logs or {}
        size = logs.get("size", 0)
        self.seen += size
        for name in self.params["metrics"]:
            if name in logs:
                self.totals[name] = self.totals.get(name, 0.0) + logs[name] * size

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Adds the means to the logs."""
        if logs is not None:
            logs.update((name, total / self.seen) for name, total in self.totals.items())


class History(AttributesCallback):
    """Keeps what each epoch reported; ``fit`` adds it itself and returns it.

    Attributes:
        epoch: The numbers of the epochs, from 0.
        history: The values of all epochs, by name.
    """

    remembered = ("epoch", "history")

    def on_train_begin(self, logs: Logs = None) -> None:
        """Starts anew."""
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = {}

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Adds an epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class ProgbarLogger(Callback):
    """Shows a progress bar on a terminal, and a line for each epoch everywhere; ``fit`` adds it itself, last."""

    def __init__(self) -> None:
        self._display = EpochDisplay(0, 0)

    def on_train_begin(self, logs: Logs = None) -> None:
        """Reads how much to show."""
        self._display = EpochDisplay(self.params["nb_sample"], self.params["verbose"], self.params["nb_epoch"])

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        """Starts a bar."""
        self._display.begin(epoch + 1)

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        """Moves the bar."""
        self._display.advance((logs or {}).get("size", 0), self._reported(logs))

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Writes the epoch's line."""
        self._display.end(self._reported(logs))

    def note(self, text: str | None) -> None:
        """Sets what stands behind the values; None for nothing."""
        self._display.note = text

    def close(self) -> None:
        """Takes the bar away."""
        self._display.close()

    def _reported(self, logs: Logs) -> dict[str, Any]:
        return {name: logs[name] for name in self.params["metrics"] if name in logs} if logs else {}


class CSVLogger(Callback):
    """Writes a row for each epoch to a file of separated values, at once.

    The columns are ``epoch`` and, in the order of the alphabet, what the first epoch reports.

    Args:
        filename: The file.
        separator: What stands between two values.
        append: Whether rows are added to a file that is there, rather than replacing it.
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Makes the file, or leaves it to be added to."""
        appends = self.append or self.resumed_epoch is not None
        self.append_header = not (appends and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0)
        self.keys = None
        with self._opened("a" if appends else "w"):
            pass

    def _opened(self, mode: str) -> IO[str]:
        # newline="": the csv module ends lines itself.
        return open(self.filename, mode, newline="", encoding="utf-8")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Writes a row."""
        logs = logs or {}
        with self._opened("a") as file:
            writer = csv.writer(file, delimiter=self.sep)
            if self.keys is None:
                self.keys = sorted(logs)
                if self.append_header:
                    writer.writerow(["epoch", *self.keys])
            writer.writerow([epoch, *(_cell(logs.get(key, "")) for key in self.keys)])

    def state_dict(self) -> dict[str, Any]:
        """Returns the columns and how long the file is."""
        return {"keys": self.keys, "size": os.path.getsize(self.filename)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Drops the rows of epochs that will be trained again."""
        self.keys = state["keys"]
        if os.path.getsize(self.filename) > state["size"]:
            os.truncate(self.filename, state["size"])


def _cell(value: Any) -> Any:
    if isinstance(value, Iterable) and not isinstance(value, str) and getattr(value, "ndim", 1) != 0:
        return f'"[{", ".join(map(str, value))}]"'
    return value
