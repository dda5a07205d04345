"""Keras 1.2.2's verbs of training on the one loop."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

from bigdl.graph import Container
from bigdl.training.backup_hook import BackupHook
from bigdl.training.batches import ArraySource, Samples, Source, keras_order
from bigdl.training.callback_hook import CallbackHook
from bigdl.training.callbacks import Callback, History
from bigdl.training.checkpoint import naming_last_good
from bigdl.training.compile import Compiled
from bigdl.training.data import Data
from bigdl.training.denormals import flushed_denormals
from bigdl.training.inference import checked_batch_size, in_mode
from bigdl.training.loop import Hook, train
from bigdl.training.progress import progress_bar
from bigdl.training.samples import check_rows, checked_validation, samples_for, split
from bigdl.training.state import TrainingState
from bigdl.training.threads import on_few_threads


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
    samples = samples_for(model, compiled, x, y, sample_weight, class_weight)
    held_out = None
    if validation_data is not None:
        held_out = samples_for(model, compiled, *checked_validation(validation_data))
    elif validation_split:
        samples, held_out = split(samples, validation_split)
    check_rows(model, samples, batch_size)
    owner: Any = model
    owner.held_out = held_out
    if held_out is not None:
        check_rows(model, held_out, batch_size)
        if verbose:
            print(f"Train on {len(samples)} samples, validate on {len(held_out)} samples")
    hook = CallbackHook(
        model,
        compiled,
        callbacks or (),
        {"batch_size": batch_size, "nb_epoch": nb_epoch, "nb_sample": len(samples), "verbose": verbose},
        None if held_out is None else lambda: evaluate_samples(model, compiled, held_out, batch_size),
    )
    train_epochs(model, compiled, ArraySource(samples, batch_size, keras_order(shuffle)), hook, nb_epoch, initial_epoch)
    return hook.history


def train_epochs(
    model: Container, compiled: Compiled, source: Source, hook: CallbackHook, nb_epoch: int, initial_epoch: int
) -> None:
    """Trains until the last epoch, or until a callback sets the model's ``stop_training``.

    Args:
        model: The model.
        compiled: What it is trained by.
        source: Where the batches come from.
        hook: Tells the callbacks.
        nb_epoch: The number of the last epoch, counted from 1.
        initial_epoch: How many epochs are done already.
    """
    state = TrainingState(epoch=initial_epoch + 1)
    owner: Any = model
    owner.stop_training = False
    hooks: list[Hook] = [hook]
    backup = BackupHook.among(model, compiled, source, hook)
    if backup is not None:
        hooks.append(backup)
        state = backup.restore() or state

    def is_done(state: TrainingState) -> bool:
        complete = state.epoch if state.epoch_finished else state.epoch - 1
        return complete >= nb_epoch or (state.epoch_finished and bool(owner.stop_training))

    with contextlib.closing(hook), naming_last_good(None if backup is None else backup.checkpoints):
        train(compiled.step, source, is_done, hooks, state)


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
    samples = samples_for(model, compiled, x, y, sample_weight)
    check_rows(model, samples, batch_size)
    return single(evaluate_samples(model, compiled, samples, batch_size, verbose))


def train_on_batch(
    model: Container, compiled: Compiled, x: Data, y: Data, sample_weight: Any = None, class_weight: Any = None
) -> Any:
    """Moves the weights once; returns the loss and metrics from before, as ``evaluate`` does. See ``fit``."""
    samples = samples_for(model, compiled, x, y, sample_weight, class_weight)
    check_rows(model, samples)
    with in_mode(model, training=True), flushed_denormals():
        results = compiled.step.train(samples.batch(), f"iteration {compiled.optimizer.iterations + 1}")
    return single(compiled.reported(results))


def test_on_batch(model: Container, compiled: Compiled, x: Data, y: Data, sample_weight: Any = None) -> Any:  # noqa: PT028
    """Computes the loss and metrics of one batch in evaluation mode; see ``evaluate``."""
    samples = samples_for(model, compiled, x, y, sample_weight)
    check_rows(model, samples)
    with in_mode(model, training=False):
        return single(compiled.reported(compiled.step.test(samples.batch())))


def evaluate_samples(
    model: Container, compiled: Compiled, samples: Samples, batch_size: int, verbose: int = 0
) -> list[float]:
    """Returns the loss and the metrics of samples; see ``evaluate``."""
    return evaluate_source(model, compiled, ArraySource(samples, batch_size), verbose)


def evaluate_source(model: Container, compiled: Compiled, source: Source, verbose: int = 0) -> list[float]:
    """Returns the loss and the metrics of the batches of an epoch; see ``evaluate``."""
    totals = [0.0] * len(compiled.metrics_names)
    batches = contextlib.closing(on_few_threads(model, source.batches(1)))
    with in_mode(model, training=False), progress_bar(source.rows, "evaluate", verbose) as bar, batches as given:
        for batch in given:
            values = compiled.reported(compiled.step.test(batch))
            totals = [total + value * batch.rows for total, value in zip(totals, values, strict=True)]
            bar.update(batch.rows)
    return [total / source.rows for total in totals]


def single(values: list[float]) -> Any:
    """Returns the only value, or all of them."""
    return values[0] if len(values) == 1 else values
