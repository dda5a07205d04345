"""The training loop, the one of both faces and of every worker."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable

from bigdl.errors import DataError
from bigdl.training.batches import Source
from bigdl.training.denormals import flushed_denormals
from bigdl.training.inference import in_mode
from bigdl.training.interrupt import deferred_interrupt
from bigdl.training.state import TrainingState
from bigdl.training.step import Step
from bigdl.training.threads import on_few_threads


class Hook:
    """What happens beside training; each method does nothing until it is overridden."""

    def on_train_begin(self, state: TrainingState) -> None:
        """Called before the first batch."""

    def on_epoch_begin(self, state: TrainingState) -> None:
        """Called before the first batch of an epoch, or the first one of a resumed epoch."""

    def on_batch_begin(self, state: TrainingState, rows: int) -> None:
        """Called before each batch.

        Args:
            state: How far training has come.
            rows: The rows of the batch.
        """

    def on_batch_end(self, state: TrainingState, rows: int, results: list[float]) -> None:
        """Called after each batch.

        Args:
            state: How far training has come, this batch included.
            rows: The rows of the batch.
            results: The loss, its terms and the measures; see ``Step.train``.
        """

    def on_epoch_end(self, state: TrainingState) -> None:
        """Called after the last batch of an epoch."""

    def on_interrupt(self, state: TrainingState) -> None:
        """Called when Ctrl-C ends training, between two batches."""

    def on_train_end(self, state: TrainingState) -> None:
        """Called at the end, unless training failed or was interrupted."""


def train(
    step: Step,
    source: Source,
    is_done: Callable[[TrainingState], bool],
    hooks: Iterable[Hook] = (),
    state: TrainingState | None = None,
) -> TrainingState:
    """Trains until it is done; the model is left in the mode that it was in.

    Args:
        step: Trains on one batch.
        source: Where the batches come from.
        is_done: Looked at before the first batch, after each batch and after each epoch.
        hooks: What happens beside, in this order.
        state: How far an earlier run has come; a new one by default.

    Returns:
        How far training has come.

    Raises:
        DataError: An epoch cannot go on, as the data has not the rows that it began with.
        TrainingError: The loss is not finite.
        KeyboardInterrupt: Ctrl-C was pressed, or a worker's ``wants_to_stop`` said so; the step that was under way is
            complete.
    """
    hooks = list(hooks)
    state = state or TrainingState()
    _check_rows(source, state)
    with in_mode(step.model, training=True), flushed_denormals(), deferred_interrupt() as interrupted:
        for hook in hooks:
            hook.on_train_begin(state)
        while not is_done(state):
            if state.epoch_finished:
                state.start_next_epoch()
            _train_epoch(step, source, is_done, hooks, state, interrupted)
            if state.epoch_finished:
                for hook in hooks:
                    hook.on_epoch_end(state)
        for hook in hooks:
            hook.on_train_end(state)
    return state


def _check_rows(source: Source, state: TrainingState) -> None:
    if not state.epoch_finished and state.rows not in (0, source.rows):
        raise DataError(
            f"Epoch {state.epoch} was stopped after {state.records} of {state.rows} rows and cannot go on with other "
            f"data. Received: {source.rows} rows. Give the data that it began with, or start a new training from the "
            "saved model."
        )


def _train_epoch(
    step: Step,
    source: Source,
    is_done: Callable[[TrainingState], bool],
    hooks: list[Hook],
    state: TrainingState,
    interrupted: Callable[[], bool],
) -> None:
    for hook in hooks:
        hook.on_epoch_begin(state)
    given = source.batches(state.epoch, state.records)
    with contextlib.closing(on_few_threads(step.model, given, step.in_bf16)) as batches:
        for batch in batches:
            for hook in hooks:
                hook.on_batch_begin(state, batch.rows)
            where = f"epoch {state.epoch}, iteration {state.iteration + 1} (batch {state.batch + 1} of the epoch)"
            results = step.train(batch, where)
            state.finish_batch(batch.rows, results[0], source.rows)
            for hook in hooks:
                hook.on_batch_end(state, batch.rows, results)
            if interrupted() or step.stopped:
                for hook in hooks:
                    hook.on_interrupt(state)
                raise KeyboardInterrupt
            if state.epoch_finished or is_done(state):
                return
