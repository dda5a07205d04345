"""Schedules one after the other."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Self

from bigdl.errors import DataError
from bigdl.training.schedules.base import Moment, Schedule
from bigdl.training.schedules.identify import get, serialize


class SequentialSchedule(Schedule):
    """Schedules one after the other, each starting from the last rate of the one before.

    Args:
        iteration_per_epoch: The number of steps of an epoch; a schedule counts its epochs from its own start.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, iteration_per_epoch: int, bigdl_type: str = "float") -> None:
        self.iteration_per_epoch = iteration_per_epoch
        self._stages: list[tuple[Schedule, int]] = []
        self._stage = 0
        self._base = math.nan
        self._rate = math.nan

    def add(self, scheduler: Schedule, max_iteration: int, bigdl_type: str = "float") -> SequentialSchedule:
        """Adds a schedule.

        Args:
            scheduler: The schedule.
            max_iteration: For how many steps it is in force; the last one stays in force.
            bigdl_type: Kept for BigDL's signature.

        Returns:
            This object.
        """
        self._stages.append((scheduler, self._start(len(self._stages)) + max_iteration))
        return self

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's argument and the schedules, each with how long it is in force."""
        stages = [[serialize(schedule), end - self._start(i)] for i, (schedule, end) in enumerate(self._stages)]
        return {"iteration_per_epoch": self.iteration_per_epoch, "stages": stages}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Makes a schedule from what ``get_config`` returned."""
        made = cls(config["iteration_per_epoch"])
        for schedule, length in config["stages"]:
            made.add(get(schedule), length)
        return made

    def _start(self, stage: int) -> int:
        return self._stages[stage - 1][1] if stage else 0

    def rate(self, base: float, moment: Moment) -> float:
        """Returns the rate of the next step.

        Raises:
            DataError: No schedule was added.
        """
        if not self._stages:
            raise DataError("A SequentialSchedule needs schedules: add(Poly(...), max_iteration).")
        if self._stage == 0:
            self._base = base
        if moment.iteration > self._stages[self._stage][1] and self._stage + 1 < len(self._stages):
            self._stage += 1
            self._base = self._rate
        start = self._start(self._stage)
        epoch = moment.epoch - start // self.iteration_per_epoch
        self._rate = self._stages[self._stage][0].rate(
            self._base, dataclasses.replace(moment, start=start, epoch=epoch)
        )
        return self._rate

    def state_dict(self) -> dict[str, float]:
        """Returns what the schedules remember."""
        state = {"stage": float(self._stage), "base": self._base, "rate": self._rate}
        for i, (schedule, _) in enumerate(self._stages):
            state.update((f"{i}.{key}", value) for key, value in schedule.state_dict().items())
        return state

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Takes what ``state_dict`` returned."""
        self._stage, self._base, self._rate = int(state["stage"]), float(state["base"]), float(state["rate"])
        for i, (schedule, _) in enumerate(self._stages):
            mark = f"{i}."
            schedule.load_state_dict({key[len(mark) :]: v for key, v in state.items() if key.startswith(mark)})
