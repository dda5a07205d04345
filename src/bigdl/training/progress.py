"""What is shown while a model works: a bar on a terminal, and a line for each epoch."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

from tqdm import tqdm

# Writing the values beside the bar costs more than a small batch; a person reads no faster than this.
SECONDS_BETWEEN_VALUES = 0.2


def progress_bar(rows: int, description: str, verbose: int) -> tqdm[Any]:
    """Returns a bar that counts rows and shows rows per second and the time that is left.

    It is drawn on the standard error while that is a terminal, and disappears when it is done.

    Args:
        rows: How many there are.
        description: What stands before it.
        verbose: 1 for a bar; anything else for none.
    """
    return tqdm(
        total=rows,
        desc=description,
        unit=" records",
        leave=False,
        disable=verbose != 1 or not sys.stderr.isatty(),
    )


class EpochDisplay:
    """Shows epoch after epoch: a bar while it lasts, a line on the standard output when it is over.

    Args:
        rows: The rows of an epoch.
        verbose: 0 shows nothing, 1 all, 2 the lines only.
        epochs: How many epochs there will be; None where nobody knows.

    Attributes:
        note: What stands behind the values; None for nothing.
    """

    def __init__(self, rows: int, verbose: int, epochs: int | None = None) -> None:
        self.rows = rows
        self.verbose = verbose
        self.epochs = epochs
        self.note: str | None = None
        self._bar: tqdm[Any] | None = None

    def begin(self, epoch: int, done: int = 0) -> None:
        """Starts a bar.

        Args:
            epoch: The epoch, from 1.
            done: How many of its rows an earlier run has done.
        """
        self.title = f"Epoch {epoch}" if self.epochs is None else f"Epoch {epoch}/{self.epochs}"
        self._bar = progress_bar(self.rows, self.title, self.verbose)
        self._bar.update(done)
        self._started = time.perf_counter()
        self._shown_at = 0.0
        self._seen = 0
        self._totals: dict[str, float] = {}

    def advance(self, rows: int, values: Mapping[str, float]) -> None:
        """Moves the bar by a batch.

        Args:
            rows: The rows of the batch.
            values: What it reported; the bar shows the means over the epoch so far.
        """
        assert self._bar is not None
        self._seen += rows
        if self._bar.disable:
            return
        for name, value in values.items():
            self._totals[name] = self._totals.get(name, 0.0) + value * rows
        now = time.perf_counter()
        if now - self._shown_at > SECONDS_BETWEEN_VALUES:
            self._shown_at = now
            means = {name: total / self._seen for name, total in self._totals.items()}
            self._bar.set_postfix_str(_joined(means, self.note), refresh=False)
        self._bar.update(rows)

    def end(self, values: Mapping[str, float]) -> None:
        """Takes the bar away and writes the epoch's line.

        Args:
            values: What the epoch reported.
        """
        seconds = time.perf_counter() - self._started
        self.close()
        if self.verbose:
            rate = f"{self._seen / seconds:.0f} records/s"
            print(" - ".join([self.title, f"{seconds:.0f}s" if seconds >= 10 else f"{seconds:.1f}s", rate]), end="")
            shown = _joined(values, self.note)
            print(f" - {shown}" if shown else "", flush=True)

    def close(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.close()


def _joined(values: Mapping[str, float], note: str | None) -> str:
    shown = [f"{name}: {value:.4f}" if abs(value) > 1e-3 else f"{name}: {value:.4e}" for name, value in values.items()]
    return " - ".join([*shown, note] if note else shown)
