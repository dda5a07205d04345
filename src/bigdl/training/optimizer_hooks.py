"""What BigDL's optimizers do beside training: log lines, progress, validation, checkpoints."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bigdl.graph import Container
from bigdl.training.checkpoint import Checkpoints, Stateful
from bigdl.training.loop import Hook
from bigdl.training.progress import EpochDisplay
from bigdl.training.state import TrainingState
from bigdl.training.summaries import ValidationSummary
from bigdl.training.triggers import Trigger
from bigdl.training.validation import EvaluatedResult

logger = logging.getLogger("bigdl")


@dataclass(slots=True)
class Record:
    """What training has reported so far.

    Attributes:
        history: For each finished epoch the mean ``loss``, and what validations found as ``val_NAME``.
        newest: Those values that are of the epoch that is being trained.
        loss_sum: The sum of the losses of the rows of the epoch that is being trained.
        seconds: The time that earlier runs took.
    """

    history: dict[str, list[float]] = field(default_factory=dict)
    newest: dict[str, float] = field(default_factory=dict)
    loss_sum: float = 0.0
    seconds: float = 0.0

    def add(self, name: str, value: float) -> None:
        """Adds a value."""
        self.history.setdefault(name, []).append(value)
        self.newest[name] = value

    def start_epoch(self) -> None:
        """Starts the sums of an epoch."""
        self.newest.clear()
        self.loss_sum = 0.0


class ProgressHook(Hook):
    """Shows a bar and a line for each epoch, writes BigDL's log lines, and keeps the history of the loss.

    Args:
        record: Takes the history.
        rows: The rows of an epoch.
        verbose: 0 shows nothing, 1 all, 2 the lines only; log lines are written in any case.
        epochs: How many epochs there will be; None where nobody knows.
    """

    def __init__(self, record: Record, rows: int, verbose: int, epochs: int | None) -> None:
        self.record = record
        self.rows = rows
        self._display = EpochDisplay(rows, verbose, epochs)

    def on_train_begin(self, state: TrainingState) -> None:
        """Starts the clock."""
        self._started = self._batch_started = time.perf_counter()

    def on_epoch_begin(self, state: TrainingState) -> None:
        """Starts a bar."""
        if state.records == 0:
            self.record.start_epoch()
        self._display.begin(state.epoch, state.records)

    def on_batch_begin(self, state: TrainingState, rows: int) -> None:
        """Starts the batch's clock."""
        self._batch_started = time.perf_counter()

    def on_batch_end(self, state: TrainingState, rows: int, results: list[float]) -> None:
        """Moves the bar and writes a log line."""
        self.record.loss_sum += results[0] * rows
        if logger.isEnabledFor(logging.INFO):
            now = time.perf_counter()
            seconds = now - self._batch_started
            logger.info(
                "%s Trained %.1f records in %.4f seconds. Throughput is %.2f records/second. Loss is %.6g.",
                self.header(state),
                rows,
                seconds,
                rows / seconds,
                results[0],
            )
        self._display.advance(rows, {"loss": results[0]})
        if state.epoch_finished:
            self.record.add("loss", self.record.loss_sum / state.records)

    def on_epoch_end(self, state: TrainingState) -> None:
        """Writes the epoch's line."""
        self._display.end(self.record.newest)

    def on_train_end(self, state: TrainingState) -> None:
        """Writes the line of an epoch that was not finished."""
        if state.records and not state.epoch_finished:
            self._display.end({"loss": self.record.loss_sum / state.records, **self.record.newest})

    def header(self, state: TrainingState) -> str:
        """Returns how BigDL's log lines begin."""
        clock = self.record.seconds + time.perf_counter() - self._started
        return (
            f"[Epoch {state.epoch} {state.records}/{self.rows}][Iteration {state.iteration}][Wall Clock {clock:.1f}s]"
        )

    def close(self) -> None:
        """Takes the bar away, and adds up the time."""
        self.record.seconds += time.perf_counter() - self._started
        self._display.close()


@dataclass(slots=True)
class ValidationHook(Hook):
    """Validates when a trigger holds; the first method's result becomes the state's score.

    Attributes:
        validate: Gives the results, of so many of the first rows, or of all for None.
        trigger: When.
        progress: Gives the head of log lines, and takes the history.
        summary: Takes the results as well, by iteration; None for no summary.
        first_rows: How many rows to try before training.
    """

    validate: Callable[[int | None], list[EvaluatedResult]]
    trigger: Trigger
    progress: ProgressHook
    summary: ValidationSummary | None = None
    first_rows: int = 1

    def on_train_begin(self, state: TrainingState) -> None:
        """Validates a few rows, so that what does not fit is found before any time is spent."""
        self.validate(self.first_rows)

    def on_batch_end(self, state: TrainingState, rows: int, results: list[float]) -> None:
        """Validates if it is time to."""
        if self.trigger(state):
            self._report(state, self.validate(None))

    def _report(self, state: TrainingState, found: list[EvaluatedResult]) -> None:
        state.score = found[0].result
        header = self.progress.header(state)
        for result in found:
            logger.info("%s %s is %.6g (of %d)", header, result.method, result.result, result.total_num)
            self.progress.record.add(f"val_{result.method.lower()}", result.result)
            if self.summary is not None:
                self.summary.writer.scalar(result.method, result.result, state.iteration)


class CheckpointHook(Hook):
    """Writes a checkpoint when a trigger holds, and when Ctrl-C ends training.

    Args:
        checkpoints: Where.
        trigger: When.
        model: The model.
        optimizer: The optimizer.
        progress: Gives what to keep of the progress.
    """

    def __init__(
        self,
        checkpoints: Checkpoints,
        trigger: Trigger,
        model: Container,
        optimizer: Stateful,
        progress: Callable[[], dict[str, object]],
    ) -> None:
        self.checkpoints = checkpoints
        self.trigger = trigger
        self.newest: str | None = None
        self._model = model
        self._optimizer = optimizer
        self._progress = progress

    def on_batch_end(self, state: TrainingState, rows: int, results: list[float]) -> None:
        """Writes a checkpoint if it is time to."""
        if self.trigger(state):
            self._save(state)

    def on_interrupt(self, state: TrainingState) -> None:
        """Writes a checkpoint."""
        self._save(state)
        logger.warning("Interrupted after iteration %d; training can go on from %s", state.iteration, self.newest)

    def _save(self, state: TrainingState) -> None:
        self.newest = self.checkpoints.save(self._model, self._optimizer, state.iteration + 1, self._progress())
        logger.info("Checkpoint written: %s", self.newest)
