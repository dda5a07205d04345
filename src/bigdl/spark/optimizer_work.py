"""What workers do for BigDL's optimizers."""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar, cast

from bigdl.spark.fields import Fields
from bigdl.spark.relay import RelayHook, RelayWriter
from bigdl.spark.validating import validate
from bigdl.spark.work import Arrays, Post, Work
from bigdl.training.batches import Order, Samples
from bigdl.training.checkpoint import Checkpoints
from bigdl.training.labelled import check_labels, labelled_samples
from bigdl.training.loop import Hook
from bigdl.training.optimizer_hooks import CheckpointHook, ProgressHook, Record, ValidationHook
from bigdl.training.state import TrainingState
from bigdl.training.step import Step
from bigdl.training.summaries import Summary, TrainSummary, ValidationSummary
from bigdl.training.summary_hook import SummaryHook
from bigdl.training.triggers import Trigger
from bigdl.training.validation import ValidationMethod

S = TypeVar("S", bound=Summary)


@dataclass(eq=False)
class OptimizerWork(Work):
    """A training as ``DistriOptimizer`` is told it.

    Attributes:
        criterion: The loss.
        end_trigger: When to stop.
        record: What training has reported so far.
        validation: When to validate, and what is computed; None for never.
        checkpoint: Where checkpoints are written, and when; None for never.
        train_summary: What is reported of training, by the driver; None for nothing.
        val_summary: What is reported of validation, by the driver; None for nothing.
    """

    step: Step
    fields: Sequence[Fields]
    batch_size: int
    order: Order
    state: TrainingState
    seed: int
    criterion: Any
    end_trigger: Trigger
    record: Record
    validation: tuple[int, Trigger, list[ValidationMethod]] | None
    checkpoint: tuple[Checkpoints, Trigger] | None
    train_summary: TrainSummary | None = None
    val_summary: ValidationSummary | None = None

    @property
    def validation_batch_size(self) -> int:
        """Rows at a time in validation."""
        return self.validation[0] if self.validation is not None else self.batch_size

    def samples(self, number: int, inputs: Arrays, targets: Arrays, weights: Arrays) -> Samples:
        """Checks rows of a data set against the model, and labels against its classes."""
        samples = labelled_samples(self.model, (inputs, targets), may_be_empty=True)
        check_labels(self.criterion, self.model, samples)
        return samples

    def is_done(self, state: TrainingState) -> bool:
        """Tells whether the end trigger holds."""
        return self.end_trigger(state)

    def hooks(self, post: Post) -> list[Hook]:
        """Returns what happens beside: log lines, validation by all workers, checkpoints by the first."""
        progress = ProgressHook(self.record, post.source.rows, 0, None)
        hooks: list[Hook] = [progress]
        train_summary = self._summary(self.train_summary, post)
        if train_summary is not None:
            hooks.append(SummaryHook(train_summary, self.model, self.optimizer))
        if self.validation is not None and post.held_out is not None:
            batch_size, trigger, methods = self.validation
            check = functools.partial(validate, self.model, post.held_out, methods, post.group)
            hooks.append(ValidationHook(check, trigger, progress, self._summary(self.val_summary, post), batch_size))
        if post.group.rank == 0:
            if self.checkpoint is not None:
                checkpoints, trigger = self.checkpoint
                hooks.append(CheckpointHook(checkpoints, trigger, self.model, self.optimizer, self.progress))
            hooks.append(RelayHook(post.relay, lambda: self.record.newest))
        return hooks

    def _summary(self, summary: S | None, post: Post) -> S | None:
        """Returns a summary that writes on the driver; of all workers, the first reports."""
        if summary is None or post.group.rank:
            return None
        relayed: Any = copy.copy(summary)
        relayed._writer = RelayWriter(post.relay, summary.kind)
        return cast(S, relayed)

    def progress(self) -> dict[str, Any]:
        """Returns what checkpoints keep beside model and optimizer."""
        return {"state": asdict(self.state), "record": asdict(self.record), "seed": self.seed}

    def outcome(self) -> dict[str, Any]:
        """Returns how far training has come, and what it has reported."""
        return self.progress()
