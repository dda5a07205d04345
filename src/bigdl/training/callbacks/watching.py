"""What callbacks that wait for a better value share."""

from __future__ import annotations

import warnings

import numpy as np

from bigdl.training.callbacks.base import AttributesCallback, Logs


class Best:
    """The best value so far of something that is reported.

    Args:
        monitor: Its name.
        mode: Whether smaller (``"min"``) or larger is better. ``"auto"`` decides by the name: larger for those that
            contain one of ``rising`` (and those that begin with ``fmeasure``, where Keras knows it), else smaller.
        margin: By how much a value must be better.
        owner: Who asks, for warnings.
        plateau: Whether it is Keras's ``ReduceLROnPlateau``: it adds the margin to the best value instead of taking it
            from the new one, which may round otherwise, and does not know ``fmeasure``.
    """

    def __init__(self, monitor: str, mode: str, margin: float, owner: str, plateau: bool = False) -> None:
        if mode not in ("auto", "min", "max"):
            warnings.warn(f"{owner}: mode {mode!r} is unknown, 'auto' is used.", RuntimeWarning, stacklevel=3)
            mode = "auto"
        rises = "acc" in monitor or (not plateau and monitor.startswith("fmeasure"))
        self.monitor = monitor
        self.owner = owner
        self.margin = margin
        self.plateau = plateau
        self.larger_is_better = mode == "max" or (mode == "auto" and rises)
        self.forget()

    def forget(self) -> None:
        """Starts anew: any value is better."""
        self.value = -np.inf if self.larger_is_better else np.inf

    def current(self, logs: Logs) -> float | None:
        """Returns the watched value; warns where it is not reported."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            known = ", ".join(logs or {}) or "nothing"
            warnings.warn(
                f"{self.owner} needs {self.monitor!r}, which is not reported. Reported: {known}.",
                RuntimeWarning,
                stacklevel=2,
            )
        return value

    def is_better(self, value: float) -> bool:
        """Tells whether a value is better than the best, which it is not made by asking."""
        sign = 1 if self.larger_is_better else -1
        if self.plateau:
            return bool(sign * value > sign * (self.value + sign * self.margin))
        return bool(sign * (value - sign * self.margin) > sign * self.value)


class Watching(AttributesCallback):
    """A callback that remembers the best value so far."""

    _best: Best

    @property
    def best(self) -> float:
        """The best value so far."""
        return self._best.value

    @best.setter
    def best(self, value: float) -> None:
        self._best.value = value
