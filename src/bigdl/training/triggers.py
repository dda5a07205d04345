"""BigDL's triggers: when to stop, validate, checkpoint or summarize."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol


class Progress(Protocol):
    """What a trigger looks at."""

    @property
    def epoch(self) -> int:
        """The epoch being trained, from 1."""

    @property
    def iteration(self) -> int:
        """The number of iterations that are complete."""

    @property
    def epoch_finished(self) -> bool:
        """Whether the last iteration completed its epoch."""

    @property
    def loss(self) -> float:
        """The last iteration's loss."""

    @property
    def score(self) -> float | None:
        """The last validation's score (by its first method), None before the first validation."""


class Trigger(ABC):
    """A condition on the progress of training."""

    @abstractmethod
    def __call__(self, state: Progress) -> bool:
        """Returns whether the condition holds."""


class MaxEpoch(Trigger):
    """Holds once ``max_epoch`` epochs are complete.

    Args:
        max_epoch: The number of epochs.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, max_epoch: int, bigdl_type: str = "float") -> None:
        self.max_epoch = int(max_epoch)

    def __call__(self, state: Progress) -> bool:
        """Returns whether the condition holds."""
        return state.epoch > self.max_epoch or (state.epoch == self.max_epoch and state.epoch_finished)


class MaxIteration(Trigger):
    """Holds once ``max`` iterations are complete.

    Args:
        max: The number of iterations.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, max: int, bigdl_type: str = "float") -> None:
        self.max = int(max)

    def __call__(self, state: Progress) -> bool:
        """Returns whether the condition holds."""
        return state.iteration >= self.max


class EveryEpoch(Trigger):
    """Holds at the end of each epoch.

    Args:
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, bigdl_type: str = "float") -> None:
        pass

    def __call__(self, state: Progress) -> bool:
        """Returns whether the condition holds."""
        return state.epoch_finished


class SeveralIteration(Trigger):
    """Holds after every ``interval`` iterations.

    Args:
        interval: The number of iterations.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, interval: int, bigdl_type: str = "float") -> None:
        self.interval = int(interval)

    def __call__(self, state: Progress) -> bool:
        """Returns whether the condition holds."""
        return state.iteration > 0 and state.iteration % self.interval == 0


class MaxScore(Trigger):
    """Holds when the validation score is above ``max``.

    Args:
        max: The score.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, max: float, bigdl_type: str = "float") -> None:
        self.max = float(max)

    def __call__(self, state: Progress) -> bool:
        """Returns whether the condition holds."""
        return state.score is not None and state.score > self.max


class MinLoss(Trigger):
    """Holds when the training loss is below ``min``.

    Args:
        min: The loss.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, min: float, bigdl_type: str = "float") -> None:
        self.min = float(min)

    def __call__(self, state: Progress) -> bool:
        """Returns whether the condition holds."""
        return state.loss < self.min


class TriggerAnd(Trigger):
    """Holds when all of its triggers hold.

    Args:
        first: A trigger.
        others: More triggers.
    """

    def __init__(self, first: Trigger, *others: Trigger) -> None:
        self.triggers = (first, *others)

    def __call__(self, state: Progress) -> bool:
        """Returns whether the condition holds."""
        return all(trigger(state) for trigger in self.triggers)


class TriggerOr(Trigger):
    """Holds when any of its triggers holds.

    Args:
        first: A trigger.
        others: More triggers.
    """

    def __init__(self, first: Trigger, *others: Trigger) -> None:
        self.triggers = (first, *others)

    def __call__(self, state: Progress) -> bool:
        """Returns whether the condition holds."""
        return any(trigger(state) for trigger in self.triggers)
