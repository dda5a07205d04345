"""Callbacks that keep, show and write down what training reports."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from typing import Any, TextIO

from bigdl.errors import TrainingError
from bigdl.training.callbacks.base import Callback, Logs
from bigdl.training.progress import EpochDisplay


class BaseLogger(Callback):
    """Puts the means over an epoch, weighted by the size of the batches, into the epoch's logs.

    ``fit`` adds it itself, before all others.
    """

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


class History(Callback):
    """Keeps what each epoch reported; ``fit`` adds it itself and returns it.

    Attributes:
        epoch: The numbers of the epochs, from 0.
        history: The values of all epochs, by name.
    """

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
        self.csv_file: TextIO | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        """Opens the file."""
        has_rows = self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self.append_header = not has_rows
        self.keys = None
        # newline="": the csv module ends lines itself.
        self.csv_file = open(self.filename, "a" if self.append else "w", newline="", encoding="utf-8")  # noqa: SIM115

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Writes a row."""
        logs = logs or {}
        if self.csv_file is None:
            raise TrainingError("CSVLogger: on_epoch_end was called before on_train_begin.")
        writer = csv.writer(self.csv_file, delimiter=self.sep)
        if self.keys is None:
            self.keys = sorted(logs)
            if self.append_header:
                writer.writerow(["epoch", *self.keys])
        writer.writerow([epoch, *(_cell(logs.get(key, "")) for key in self.keys)])
        self.csv_file.flush()

    def on_train_end(self, logs: Logs = None) -> None:
        """Closes the file."""
        if self.csv_file is not None:
            self.csv_file.close()
            self.csv_file = None


def _cell(value: Any) -> Any:
    if isinstance(value, Iterable) and not isinstance(value, str) and getattr(value, "ndim", 1) != 0:
        return f'"[{", ".join(map(str, value))}]"'
    return value
