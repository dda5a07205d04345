"""A rate that falls when training no longer improves."""

from __future__ import annotations

import math
from collections.abc import Mapping

from bigdl.errors import DataError, TrainingError
from bigdl.training.schedules.base import Moment, Schedule


class Plateau(Schedule):
    """Multiplies the rate by ``factor`` when what is monitored has not improved for ``patience`` epochs.

    Args:
        monitor: ``"Loss"`` (of training) or ``"score"`` (of validation), looked at at the start of each epoch.
        factor: The factor, less than 1.
        patience: The number of epochs without improvement that are allowed.
        mode: ``"min"`` where less is better, ``"max"`` where more is.
        epsilon: How large a change must be to count as an improvement.
        cooldown: The number of epochs after a reduction before epochs count again.
        min_lr: The least rate.
        bigdl_type: Kept for BigDL's signature.

    Raises:
        DataError: The factor, the mode or what to monitor is none of these.
    """

    def __init__(
        self,
        monitor: str,
        factor: float = 0.1,
        patience: int = 10,
        mode: str = "min",
        epsilon: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        bigdl_type: str = "float",
    ) -> None:
        if factor >= 1 or mode not in ("min", "max") or monitor.lower() not in ("loss", "score"):
            raise DataError(
                "Plateau expects a factor less than 1, the mode 'min' or 'max', and 'Loss' or 'score' to monitor. "
                f"Received: factor={factor}, mode={mode!r}, monitor={monitor!r}."
            )
        self.monitor = monitor.lower()
        self.factor = factor
        self.patience = patience
        self.mode = mode
        self.sign = 1 if mode == "min" else -1
        self.epsilon = epsilon
        self.cooldown = cooldown
        self.min_lr = min_lr
        self._kept = {"epoch": 1.0, "best": math.inf, "waited": 0.0, "cooling": 0.0, "rate": math.nan}

    def rate(self, base: float, moment: Moment) -> float:
        """Returns the rate of the next step.

        Raises:
            TrainingError: What is monitored is not known.
        """
        kept = self._kept
        if moment.epoch == 1 or math.isnan(kept["rate"]):
            kept["rate"] = base
        if moment.epoch != kept["epoch"]:
            kept["epoch"] = float(moment.epoch)
            self._look(self._monitored(moment))
        return kept["rate"]

    def _monitored(self, moment: Moment) -> float:
        value = moment.loss if self.monitor == "loss" else moment.score
        if value is None:
            raise TrainingError(
                f"Plateau monitors the {self.monitor}, which is not known at the start of epoch {moment.epoch}. "
                "A score needs set_validation with a trigger that holds at least once an epoch."
            )
        return self.sign * value

    def _look(self, current: float) -> None:
        kept = self._kept
        if kept["cooling"] > 0:
            kept["cooling"] -= 1
            kept["waited"] = 0
        if current < kept["best"] - self.epsilon:
            kept["best"] = current
            kept["waited"] = 0
        elif kept["cooling"] <= 0:
            if kept["waited"] >= self.patience and kept["rate"] > self.min_lr * (1 + 1e-4):
                kept["rate"] = max(kept["rate"] * self.factor, self.min_lr)
                kept["cooling"] = float(self.cooldown)
                kept["waited"] = 0
            kept["waited"] += 1

    def state_dict(self) -> dict[str, float]:
        """Returns what the schedule remembers."""
        return dict(self._kept)

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Takes what ``state_dict`` returned."""
        self._kept = {key: float(state[key]) for key in self._kept}
