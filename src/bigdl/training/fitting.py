"""Keras 1.2.2's verbs of training on the one loop."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

from bigdl.errors import DataError
from bigdl.graph import Container
from bigdl.training.batches import ArraySource, Samples, keras_order
from bigdl.training.callbacks import BaseLogger, Callback, CallbackList, History, ProgbarLogger
from bigdl.training.compile import Compiled
from bigdl.training.data import Data, check_same_rows, input_columns
from bigdl.training.inference import check_divisible, checked_batch_size, in_mode
from bigdl.training.loop import Hook, train
from bigdl.training.progress import progress_bar
from bigdl.training.state import TrainingState
from bigdl.training.targets import target_columns, weight_columns


def fit(
    model: Container,
    compiled: Compiled,
    x: Data,
    y: Data,
    batch_size: int = 32,
    nb_epoch: int = 10,
    verbose: int = 1,
    callbacks: Iterable[Callback] | None = None,
    validation_split: float = 0.0,
    validation_data: Any = None,
    shuffle: bool | str = True,
    class_weight: Any = None,
    sample_weight: Any = None,
    initial_epoch: int = 0,
) -> History:
    """Trains a model for a number of epochs.

    Args:
        model: The model.
        compiled: What it is trained by.
        x: The inputs: an array, a list of arrays in the order of the inputs, or arrays by the inputs' names.
        y: The targets, likewise.
        batch_size: Rows for each step.
        nb_epoch: The number of the last epoch, counted from 1.
        verbose: 0 shows nothing, 1 a progress bar on a terminal and a line for each epoch, 2 the lines only.
        callbacks: What else is told.
        validation_split: The share of the rows, taken from the end, that is kept out and evaluated after each epoch.
        validation_data: ``(x, y)`` or ``(x, y, sample_weight)`` to evaluate after each epoch; goes before the split.
        shuffle: Whether each epoch has an order of its own; ``"batch"`` keeps neighbouring rows together.
        class_weight: A weight for each class number.
        sample_weight: A weight for each sample, or for each sample and step.
        initial_epoch: How many epochs are done already.

    Returns:
        What each epoch reported.

    Raises:
        DataError: The data does not fit the model.
        TrainingError: The loss is not finite.
    """
    batch_size = checked_batch_size(batch_size)
    samples = _samples(model, compiled, x, y, sample_weight, class_weight)
    held_out = None
    if validation_data is not None:
        held_out = _samples(model, compiled, *_checked_validation(validation_data))
    elif validation_split:
        samples, held_out = _split(samples, validation_split)
    _check_rows(model, samples, batch_size)
    if held_out is not None:
        _check_rows(model, held_out, batch_size)
        if verbose:
            print(f"Train on {len(samples)} samples, validate on {len(held_out)} samples")
    hook = _CallbackHook(
        model,
        compiled,
        callbacks or (),
        {"batch_size": batch_size, "nb_epoch": nb_epoch, "nb_sample": len(samples), "verbose": verbose},
        None if held_out is None else lambda: _evaluate(model, compiled, held_out, batch_size),
    )
    source = ArraySource(samples, batch_size, keras_order(shuffle))
    state = TrainingState(epoch=initial_epoch + 1)
    owner: Any = model
    owner.stop_training = False

    def is_done(state: TrainingState) -> bool:
        complete = state.epoch if state.epoch_finished else state.epoch - 1
        return complete >= nb_epoch or (state.epoch_finished and bool(owner.stop_training))

    with contextlib.closing(hook):
        train(compiled.step, source, is_done, [hook], state)
    return hook.history


def evaluate(
    model: Container,
    compiled: Compiled,
    x: Data,
    y: Data,
    batch_size: int = 32,
    verbose: int = 1,
    sample_weight: Any = None,
) -> Any:
    """Computes the loss and the metrics in evaluation mode, as means over batches weighted by their size.

    Args:
        model: The model.
        compiled: What it was compiled with.
        x: The inputs; see ``fit``.
        y: The targets.
        batch_size: Rows at a time.
        verbose: 1 shows a progress bar on a terminal.
        sample_weight: A weight for each sample, or for each sample and step.

    Returns:
        The loss; a list in the order of ``metrics_names`` where there are several values.

    Raises:
        DataError: The data does not fit the model.
    """
    batch_size = checked_batch_size(batch_size)
    samples = _samples(model, compiled, x, y, sample_weight)
    _check_rows(model, samples, batch_size)
    return _single(_evaluate(model, compiled, samples, batch_size, verbose))


def train_on_batch(
    model: Container, compiled: Compiled, x: Data, y: Data, sample_weight: Any = None, class_weight: Any = None
) -> Any:
    """Moves the weights once; returns the loss and metrics from before, as ``evaluate`` does. See ``fit``."""
    samples = _samples(model, compiled, x, y, sample_weight, class_weight)
    _check_rows(model, samples)
    with in_mode(model, training=True):
        results = compiled.step.train(samples.batch(), f"iteration {compiled.optimizer.iterations + 1}")
    return _single(compiled.reported(results))


def test_on_batch(model: Container, compiled: Compiled, x: Data, y: Data, sample_weight: Any = None) -> Any:  # noqa: PT028
    """Computes the loss and metrics of one batch in evaluation mode; see ``evaluate``."""
    samples = _samples(model, compiled, x, y, sample_weight)
    _check_rows(model, samples)
    with in_mode(model, training=False):
        return _single(compiled.reported(compiled.step.test(samples.batch())))


class _CallbackHook(Hook):
    """Tells Keras's callbacks what the loop does."""

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
        self._callbacks = CallbackList([BaseLogger(), *callbacks, self.history, *self._shown])
        self._callbacks.set_model(model)
        self._callbacks.set_params({**params, "do_validation": validate is not None, "metrics": names})

    def on_train_begin(self, state: TrainingState) -> None:
        self._callbacks.on_train_begin()

    def on_epoch_begin(self, state: TrainingState) -> None:
        self._callbacks.on_epoch_begin(state.epoch - 1)

    def on_batch_begin(self, state: TrainingState, rows: int) -> None:
        self._logs: dict[str, Any] = {"batch": state.batch, "size": rows}
        self._callbacks.on_batch_begin(state.batch, self._logs)

    def on_batch_end(self, state: TrainingState, rows: int, results: list[float]) -> None:
        self._logs.update(zip(self._labels, self._compiled.reported(results), strict=True))
        self._callbacks.on_batch_end(state.batch - 1, self._logs)

    def on_epoch_end(self, state: TrainingState) -> None:
        logs: dict[str, Any] = {}
        if self._validate is not None:
            logs.update(zip((f"val_{label}" for label in self._labels), self._validate(), strict=True))
        self._callbacks.on_epoch_end(state.epoch - 1, logs)

    def on_train_end(self, state: TrainingState) -> None:
        self._callbacks.on_train_end()

    def close(self) -> None:
        """Takes the bar away, also when training failed."""
        for logger in self._shown:
            logger.close()


def _samples(
    model: Container, compiled: Compiled, x: Data, y: Data, sample_weight: Any = None, class_weight: Any = None
) -> Samples:
    """Returns data that fits the model and what it was compiled with."""
    inputs = input_columns(model, x)
    targets = target_columns(model, y, compiled.functions)
    named = {f"input {name}": column for name, column in zip(model.input_names, inputs, strict=True)}
    named |= {f"targets of {name}": column for name, column in zip(model.output_names, targets, strict=True)}
    check_same_rows(named, f"Model {model.name!r}")
    return Samples(inputs, targets, weight_columns(model, targets, compiled.modes, sample_weight, class_weight))


def _check_rows(model: Container, samples: Samples, batch_size: int | None = None) -> None:
    """Checks that there are rows, and for a stateful model that they fill all batches."""
    if len(samples) == 0:
        raise DataError(f"Model {model.name!r}: the data has no rows.")
    if batch_size is not None:
        check_divisible(model, len(samples), batch_size)


def _checked_validation(data: Any) -> Any:
    if not isinstance(data, list | tuple) or len(data) not in (2, 3):
        size = f" of {len(data)}" if hasattr(data, "__len__") else ""
        raise DataError(
            f"validation_data must be (x, y) or (x, y, sample_weight). Received: {type(data).__name__}{size}."
        )
    return data


def _split(samples: Samples, share: float) -> tuple[Samples, Samples]:
    """Returns the rows to train on and, from the end, the share to validate on."""
    if not 0.0 < share < 1.0:
        raise DataError(f"validation_split must be from 0 to below 1. Received: {share}.")
    at = int(len(samples) * (1.0 - share))
    return samples.part(0, at), samples.part(at, len(samples))


def _evaluate(model: Container, compiled: Compiled, samples: Samples, batch_size: int, verbose: int = 0) -> list[float]:
    totals = [0.0] * len(compiled.metrics_names)
    with in_mode(model, training=False), progress_bar(len(samples), "evaluate", verbose) as bar:
        for batch in ArraySource(samples, batch_size).batches():
            values = compiled.reported(compiled.step.test(batch))
            totals = [total + value * batch.rows for total, value in zip(totals, values, strict=True)]
            bar.update(batch.rows)
    return [total / len(samples) for total in totals]


def _single(values: list[float]) -> Any:
    return values[0] if len(values) == 1 else values
