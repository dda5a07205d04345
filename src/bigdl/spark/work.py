"""What the workers of a job are to do, the same for each of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from bigdl.graph import Container
from bigdl.spark.fields import Arrays as Arrays
from bigdl.spark.fields import Fields
from bigdl.spark.group import ProcessGroup
from bigdl.spark.relay import Relay
from bigdl.spark.shard import ShardSource
from bigdl.training.batches import Order, Samples
from bigdl.training.loop import Hook
from bigdl.training.state import TrainingState
from bigdl.training.step import Step


@dataclass(frozen=True)
class Post:
    """Where a worker stands.

    Attributes:
        group: It and the others.
        source: The batches to train on.
        held_out: The batches to validate on, None for none.
        relay: The line to the driver.
    """

    group: ProcessGroup
    source: ShardSource
    held_out: ShardSource | None
    relay: Relay


class Work(ABC):
    """A training, made on the driver and sent to each worker as a whole, so that what belongs together stays so.

    Attributes:
        fields: What the columns of each data set hold: those to train on, and those to validate on.
        batch_size: Rows of a batch, over all workers.
        order: The order of the rows.
        state: How far training has come.
        seed: Where random numbers start from.
        step: Trains on one batch.
        split: The share of the rows to train on, from the end, that is validated on instead.
        needs_driver: Whether the driver must be reached while training goes on.
    """

    fields: Sequence[Fields]
    batch_size: int
    order: Order
    state: TrainingState
    seed: int
    step: Step
    split: float = 0.0
    needs_driver: bool = False

    @property
    @abstractmethod
    def validation_batch_size(self) -> int:
        """Rows at a time in validation."""

    @property
    def model(self) -> Container:
        """The model."""
        return self.step.model

    @property
    def optimizer(self) -> Any:
        """The optimizer."""
        return self.step.optimizer

    @abstractmethod
    def samples(self, number: int, inputs: Arrays, targets: Arrays, weights: Arrays) -> Samples:
        """Checks rows of a data set against the model.

        Raises:
            DataError: They do not fit.
        """

    @abstractmethod
    def is_done(self, state: TrainingState) -> bool:
        """Tells whether training is to end."""

    @abstractmethod
    def hooks(self, post: Post) -> list[Hook]:
        """Returns what a worker does beside training."""

    @abstractmethod
    def outcome(self) -> dict[str, Any]:
        """Returns what the driver is told in the end beside the weights, of what JSON can hold."""


class SeedHook(Hook):
    """Starts torch's random numbers anew before each batch, from the seed, the iteration and the worker.

    A worker that takes up the training after a failure thus draws what its predecessor would have drawn.

    Args:
        seed: The seed.
        rank: The worker.
    """

    def __init__(self, seed: int, rank: int) -> None:
        self._seed = seed
        self._rank = rank

    def on_batch_begin(self, state: TrainingState, rows: int) -> None:
        """Sets the state of the generator."""
        entropy = np.random.SeedSequence([self._seed, state.iteration, self._rank])
        seed = int(entropy.generate_state(1, np.uint64)[0])
        # What torch.manual_seed comes to, without half a millisecond of looking for devices.
        torch.default_generator.manual_seed(seed)
        cuda: Any = torch.cuda  # not typed
        if cuda.is_initialized():
            cuda.manual_seed(seed)
