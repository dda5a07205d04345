"""Rates that follow from the number of steps alone."""

from __future__ import annotations

import math
from collections.abc import Sequence

from bigdl.training.schedules.base import Moment, Schedule


class Default(Schedule):
    """``base / (1 + decay i)``, the decay being the optimizer's.

    Args:
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, bigdl_type: str = "float") -> None:
        pass

    def rate(self, base: float, moment: Moment) -> float:
        """Returns the rate of the next step."""
        return base / (1 + (moment.iteration - moment.start) * moment.decay)


class Poly(Schedule):
    """``base (1 - i / max_iteration)^power``, and 0 beyond ``max_iteration``.

    In a ``SequentialSchedule`` too, steps count from the start of training.

    Args:
        power: The power.
        max_iteration: The step at which the rate is 0.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, power: float, max_iteration: int, bigdl_type: str = "float") -> None:
        self.power = power
        self.max_iteration = max_iteration

    def rate(self, base: float, moment: Moment) -> float:
        """Returns the rate of the next step."""
        if moment.iteration > self.max_iteration:
            return 0.0
        return base * math.pow(1.0 - moment.iteration / self.max_iteration, self.power)


class Exponential(Schedule):
    """``base decay_rate^(i / decay_step)``.

    Args:
        decay_step: After how many steps the rate has been multiplied by ``decay_rate``.
        decay_rate: The factor.
        stair_case: Whether it is applied all at once after each ``decay_step`` steps.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, decay_step: int, decay_rate: float, stair_case: bool = False, bigdl_type: str = "float") -> None:
        self.decay_step = decay_step
        self.decay_rate = decay_rate
        self.stair_case = stair_case

    def rate(self, base: float, moment: Moment) -> float:
        """Returns the rate of the next step."""
        times = (moment.iteration - moment.start) / self.decay_step
        return base * math.pow(self.decay_rate, math.floor(times) if self.stair_case else times)


class Step(Schedule):
    """``base gamma^floor(i / step_size)``.

    Args:
        step_size: After how many steps the rate is multiplied by ``gamma``.
        gamma: The factor.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, step_size: int, gamma: float, bigdl_type: str = "float") -> None:
        self.step_size = step_size
        self.gamma = gamma

    def rate(self, base: float, moment: Moment) -> float:
        """Returns the rate of the next step."""
        return base * math.pow(self.gamma, (moment.iteration - moment.start) // self.step_size)


class MultiStep(Schedule):
    """``base gamma^n``, where ``n`` of the given steps have been reached.

    Args:
        step_sizes: The steps at which the rate is multiplied by ``gamma``, in rising order.
        gamma: The factor.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, step_sizes: Sequence[int], gamma: float, bigdl_type: str = "float") -> None:
        self.step_sizes = list(step_sizes)
        self.gamma = gamma

    def rate(self, base: float, moment: Moment) -> float:
        """Returns the rate of the next step."""
        reached = sum(moment.iteration - moment.start >= size for size in self.step_sizes)
        return base * math.pow(self.gamma, reached)


class Warmup(Schedule):
    """``base + delta i``.

    Args:
        delta: What each step adds to the rate.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, delta: float, bigdl_type: str = "float") -> None:
        self.delta = delta

    def rate(self, base: float, moment: Moment) -> float:
        """Returns the rate of the next step."""
        return base + self.delta * (moment.iteration - moment.start)
