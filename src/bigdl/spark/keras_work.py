"""What workers do for Keras's ``fit``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from bigdl.errors import DistributedError
from bigdl.spark.fields import Fields
from bigdl.spark.group import ProcessGroup
from bigdl.spark.relay import Relay
from bigdl.spark.results import packed, restore, state_of, unpacked
from bigdl.spark.shard import ShardSource
from bigdl.spark.work import Arrays, Post, Work
from bigdl.training import Compiled
from bigdl.training.batches import Order, Samples
from bigdl.training.fitting import evaluate_source
from bigdl.training.loop import Hook
from bigdl.training.samples import for_outputs, samples_for
from bigdl.training.state import TrainingState


@dataclass(eq=False)
class KerasWork(Work):
    """A training as ``fit`` is told it.

    Attributes:
        compiled: What the model was compiled with.
        nb_epoch: The number of the last epoch.
        class_weight: A weight for each class number.
        split: The share of the rows, from the end, to validate on; 0 for none.
        mirrored: Whether the driver gets model and optimizer at the end of each epoch.
        answered: Whether the driver answers at the ends of epochs, as its callbacks may change something.
        epochs: What each epoch has reported: its state, the means of the results, and the validation.
        numpy_state: The state of NumPy's generator, from which Keras's orders come.
    """

    compiled: Compiled
    fields: Sequence[Fields]
    batch_size: int
    order: Order
    state: TrainingState
    seed: int
    nb_epoch: int
    class_weight: Any = None
    split: float = 0.0
    mirrored: bool = False
    answered: bool = False
    epochs: list[dict[str, Any]] = field(default_factory=list)
    numpy_state: Any = None

    def __post_init__(self) -> None:
        self.step = self.compiled.step
        self.needs_driver = self.answered

    @property
    def validation_batch_size(self) -> int:
        """Rows at a time in validation: those of a batch, as in Keras."""
        return self.batch_size

    def from_here(self) -> KerasWork:
        """Returns the work as it is to be sent off."""
        self.numpy_state = np.random.get_state()  # noqa: NPY002 - Keras's generator
        return self

    def samples(self, number: int, inputs: Arrays, targets: Arrays, weights: Arrays) -> Samples:
        """Checks rows of a data set against the model and what it was compiled with."""
        sample_weight = for_outputs(weights, len(self.model.outputs))
        class_weight = None if number else self.class_weight
        return samples_for(self.model, self.compiled, inputs, targets, sample_weight, class_weight)

    def is_done(self, state: TrainingState) -> bool:
        """Tells whether the last epoch is over, or a callback has ended training."""
        complete = state.epoch if state.epoch_finished else state.epoch - 1
        model: Any = self.model
        return complete >= self.nb_epoch or (state.epoch_finished and bool(model.stop_training))

    def hooks(self, post: Post) -> list[Hook]:
        """Returns what happens beside: validation by all workers, and what the driver is told."""
        return [DriverHook(self, post)]

    def outcome(self) -> dict[str, Any]:
        """Returns how far training has come, and what it has reported."""
        return {"state": asdict(self.state), "epochs": self.epochs}


class DriverHook(Hook):
    """Validates after each epoch, tells the driver, and lets its callbacks change something.

    Args:
        work: The work.
        post: Where the worker stands.
    """

    def __init__(self, work: KerasWork, post: Post) -> None:
        self._work = work
        self._group: ProcessGroup = post.group
        self._relay: Relay = post.relay
        self._held_out: ShardSource | None = post.held_out
        self._sums: list[float] = []

    def on_train_begin(self, state: TrainingState) -> None:
        """Tells that training begins."""
        np.random.set_state(self._work.numpy_state)  # noqa: NPY002
        self._exchange("on_train_begin", state)

    def on_epoch_begin(self, state: TrainingState) -> None:
        """Tells that an epoch begins."""
        self._sums = []
        self._exchange("on_epoch_begin", state)

    def on_batch_end(self, state: TrainingState, rows: int, results: list[float]) -> None:
        """Tells the results of a batch."""
        sums = self._sums or [0.0] * len(results)
        self._sums = [total + rows * value for total, value in zip(sums, results, strict=True)]
        if self._group.rank == 0:
            self._relay.tell("on_batch_end", state=asdict(state), rows=rows, results=results)

    def on_epoch_end(self, state: TrainingState) -> None:
        """Validates, and tells what the epoch has reported."""
        work = self._work
        held_out = None
        if self._held_out is not None:
            held_out = evaluate_source(work.model, work.compiled, self._held_out)
        means = [total / state.records for total in self._sums]
        work.epochs.append({"state": asdict(state), "means": means, "held_out": held_out})
        data = packed(state_of(work)) if work.mirrored and self._group.rank == 0 else b""
        self._exchange("on_epoch_end", state, data, held_out=held_out)

    def _exchange(self, kind: str, state: TrainingState, data: bytes = b"", **content: Any) -> None:
        """Tells the driver, and takes from its answer what the callbacks have changed."""
        if self._group.rank == 0:
            self._relay.tell(kind, data, state=asdict(state), **content)
        if self._work.answered:
            answer = self._relay.answer() if self._group.rank == 0 else None
            if self._group.rank == 0 and answer is None:
                raise DistributedError("The driver, on which the callbacks run, does not answer any more.")
            self._take(answer)

    def _take(self, answer: tuple[dict[str, Any], bytes] | None) -> None:
        changes = json.loads(self._group.share(None if answer is None else json.dumps(answer[0]).encode()))
        model: Any = self._work.model
        model.stop_training = changes["stop_training"]
        for name, value in changes["variables"].items():
            setattr(self._work.optimizer, name, value)
        if changes["weights"]:
            restore(self._work, unpacked(self._group.share(None if answer is None else answer[1])))
