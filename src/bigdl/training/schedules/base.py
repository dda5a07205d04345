"""BigDL's learning-rate schedules: the rate of each step, from the optimizer's own rate."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from bigdl.errors import WeightMismatchError


@dataclass(frozen=True, slots=True)
class Moment:
    """When a rate is asked for.

    Attributes:
        iteration: The number of steps done.
        decay: The optimizer's decay.
        epoch: The epoch being trained, from 1.
        loss: The last step's loss; None where it is not known.
        score: The last validation's score; None where it is not known.
        start: The step at which the schedule took over from another.
    """

    iteration: int
    decay: float = 0.0
    epoch: int = 1
    loss: float | None = None
    score: float | None = None
    start: int = 0


class Schedule(ABC):
    """A rule for the learning rate."""

    @abstractmethod
    def rate(self, base: float, moment: Moment) -> float:
        """Returns the rate of the next step.

        Args:
            base: The rate that the schedule starts from.
            moment: When that step is.
        """

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        names = inspect.signature(type(self)).parameters
        return {name: getattr(self, name) for name in names if name != "bigdl_type"}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Makes a schedule from what ``get_config`` returned."""
        return cls(**config)

    def state_dict(self) -> dict[str, float]:
        """Returns what the schedule remembers."""
        return {}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Takes what ``state_dict`` returned.

        Raises:
            WeightMismatchError: It is the state of another schedule.
        """
        if state:
            raise WeightMismatchError(
                f"The schedule {type(self).__name__} remembers nothing. Received: {', '.join(sorted(state))}."
            )
