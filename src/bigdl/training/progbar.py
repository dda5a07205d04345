"""Keras 1.2.2's progress bar, for scripts that have a loop of their own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from bigdl.training.progress import progress_bar


class Progbar:
    """Shows how far a loop has come, with the means of values: a bar on a terminal, and a line at the end.

    Args:
        target: The number of steps.
        width: Keras's argument; the bar fits the terminal.
        verbose: 1 for the bar and the line, 2 for the line, 0 for nothing.
        interval: Keras's argument.
    """

    def __init__(self, target: int, width: int = 30, verbose: int = 1, interval: float = 0.05) -> None:
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.seen_so_far = 0
        self.sum_values: dict[str, list[float]] = {}
        self.start = time.perf_counter()
        self._bar = progress_bar(target, "", verbose)

    def update(self, current: int, values: Sequence[tuple[str, Any]] | None = None, force: bool = False) -> None:
        """Moves the bar.

        Args:
            current: The number of steps done.
            values: ``(name, value)`` pairs of the steps since the last update.
            force: Whether the bar is drawn at once.
        """
        steps = current - self.seen_so_far
        for name, value in values or ():
            total = self.sum_values.setdefault(name, [0.0, 0.0])
            total[0] += float(value) * steps
            total[1] += steps
        self.seen_so_far = current
        self._bar.set_postfix_str(self._means(), refresh=force)
        self._bar.update(steps)
        if current >= self.target:
            self._bar.close()
            if self.verbose:
                print(f"{current}/{self.target} - {time.perf_counter() - self.start:.0f}s{self._means(' - ')}")

    def add(self, n: int, values: Sequence[tuple[str, Any]] | None = None) -> None:
        """Moves the bar by ``n`` steps."""
        self.update(self.seen_so_far + n, values)

    def _means(self, before: str = "") -> str:
        means = {name: total / max(1.0, steps) for name, (total, steps) in self.sum_values.items()}
        shown = [f"{name}: {mean:.4f}" if abs(mean) > 1e-3 else f"{name}: {mean:.4e}" for name, mean in means.items()]
        return before + " - ".join(shown) if shown else ""
