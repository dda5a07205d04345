"""From the loop to Keras's callbacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bigdl.graph import Container
from bigdl.training.callbacks import BaseLogger, Callback, CallbackList, History, ProgbarLogger
from bigdl.training.callbacks.base import checked_callbacks
from bigdl.training.compile import Compiled
from bigdl.training.loop import Hook
from bigdl.training.state import TrainingState


class CallbackHook(Hook):
    """Tells Keras's callbacks what the loop does.

    Args:
        model: The model; the callbacks get its ``callback_model`` instead, if it has one.
        compiled: What it was compiled with.
        callbacks: The callbacks.
        params: What they are told of the training; see ``Callback``.
        validate: Gives the results of validation, after each epoch; None for no validation.

    Attributes:
        history: What each epoch reported.
        callbacks: All that are told, those that ``fit`` adds among them.
    """

    def __init__(
        self,
        model: Container,
        compiled: Compiled,
        callbacks: Iterable[Callback],
        params: dict[str, Any],
        validate: Callable[[], list[float]] | None,
    ) -> None:
        self.history = History()
        self._compiled = compiled
        self._labels = compiled.labels
        self._validate = validate
        names = self._labels + [f"val_{label}" for label in self._labels] if validate else self._labels
        self._shown = [ProgbarLogger()] if params["verbose"] else []
        self.callbacks = CallbackList([BaseLogger(), *checked_callbacks(callbacks), self.history, *self._shown])
        self.callbacks.set_model(getattr(model, "callback_model", None) or model)
        self._params = {**params, "do_validation": validate is not None, "metrics": names}
        self.callbacks.set_params(self._params)

    def goes_on(self, state: TrainingState) -> None:
        """Lets the callbacks know that a stopped training goes on, before it begins."""
        self._params["resumed_epoch"] = state.epoch if state.epoch_finished else state.epoch - 1

    def on_train_begin(self, state: TrainingState) -> None:
        """Tells the callbacks."""
        self.callbacks.on_train_begin()

    def on_epoch_begin(self, state: TrainingState) -> None:
        """Tells the callbacks, who count epochs from 0."""
        self.callbacks.on_epoch_begin(state.epoch - 1)

    def on_batch_begin(self, state: TrainingState, rows: int) -> None:
        """Tells the callbacks, who count batches from 0."""
        self._logs: dict[str, Any] = {"batch": state.batch, "size": rows}
        self.callbacks.on_batch_begin(state.batch, self._logs)

    def on_batch_end(self, state: TrainingState, rows: int, results: list[float]) -> None:
        """Tells the callbacks the loss and the metrics."""
        self._logs.update(zip(self._labels, self._compiled.reported(results), strict=True))
        self.callbacks.on_batch_end(state.batch - 1, self._logs)

    def on_epoch_end(self, state: TrainingState) -> None:
        """Validates, and tells the callbacks."""
        logs: dict[str, Any] = {}
        if self._validate is not None:
            logs.update(zip((f"val_{label}" for label in self._labels), self._validate(), strict=True))
        self.callbacks.on_epoch_end(state.epoch - 1, logs)

    def on_train_end(self, state: TrainingState) -> None:
        """Tells the callbacks."""
        self.callbacks.on_train_end()

    def note(self, text: str | None) -> None:
        """Shows something behind the values of the bar; None for nothing."""
        for logger in self._shown:
            logger.note(text)

    def close(self) -> None:
        """Takes the bar away, also when training failed."""
        for logger in self._shown:
            logger.close()
