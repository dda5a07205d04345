"""Keras 1.2.2's verbs on data that a generator gives batch by batch."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from typing import Any, cast

import numpy as np

from bigdl.errors import DataError
from bigdl.graph import Container
from bigdl.training.batches import Batch, InOrder, Order
from bigdl.training.callback_hook import CallbackHook
from bigdl.training.callbacks import Callback, History
from bigdl.training.compile import Compiled
from bigdl.training.fitting import evaluate_samples, single, train_epochs
from bigdl.training.inference import in_mode, predict_on_batch
from bigdl.training.prefetch import Prefetcher
from bigdl.training.samples import check_rows, checked_validation, samples_for
from bigdl.training.torch_data import endless, is_loader


def fit_generator(
    model: Container,
    compiled: Compiled,
    generator: Iterable[Any],
    samples_per_epoch: int,
    nb_epoch: int,
    verbose: int = 1,
    callbacks: Iterable[Callback] | None = None,
    validation_data: Any = None,
    nb_val_samples: int | None = None,
    class_weight: Any = None,
    max_q_size: int = 10,
    initial_epoch: int = 0,
) -> History:
    """Trains on the batches of a generator.

    Args:
        model: The model.
        compiled: What it is trained by.
        generator: Gives ``(x, y)`` or ``(x, y, sample_weight)``, without end; or a ``DataLoader``, round after round.
        samples_per_epoch: Rows of an epoch, which ends with the batch that reaches them.
        nb_epoch: The number of the last epoch, counted from 1.
        verbose: See ``fit``.
        callbacks: See ``fit``.
        validation_data: ``(x, y)``, ``(x, y, sample_weight)`` or another generator.
        nb_val_samples: Rows to take of that generator after each epoch.
        class_weight: See ``fit``.
        max_q_size: How many batches may be made ahead.
        initial_epoch: How many epochs are done already.

    Returns:
        What each epoch reported.

    Raises:
        DataError: A batch does not fit the model, the generator ends too early, or ``nb_val_samples`` is missing.
        TrainingError: The loss is not finite.
    """
    demand = _Demand(samples_per_epoch, nb_epoch - initial_epoch)
    validates_batches = hasattr(validation_data, "__next__") or is_loader(validation_data)
    if validates_batches and not nb_val_samples:
        raise DataError("fit_generator: a generator as validation_data needs nb_val_samples.")
    held_out = None
    if validation_data is not None and not validates_batches:
        held_out = samples_for(model, compiled, *checked_validation(validation_data))
        check_rows(model, held_out)
    owner: Any = model
    owner.held_out = held_out

    with Prefetcher(_iterator(generator), demand.is_met_by, max_q_size) as batches:
        source = _GeneratorSource(model, compiled, batches, samples_per_epoch, class_weight)

        def validate() -> list[float]:
            if held_out is not None:
                return evaluate_samples(model, compiled, held_out, source.last_rows)
            assert nb_val_samples is not None
            return _evaluate(model, compiled, validation_data, nb_val_samples, max_q_size)

        hook = CallbackHook(
            model,
            compiled,
            callbacks or (),
            {"nb_epoch": nb_epoch, "nb_sample": samples_per_epoch, "verbose": verbose},
            None if validation_data is None else validate,
        )
        train_epochs(model, compiled, source, hook, nb_epoch, initial_epoch)
    return hook.history


def evaluate_generator(
    model: Container, compiled: Compiled, generator: Iterable[Any], val_samples: int, max_q_size: int = 10
) -> Any:
    """Computes the loss and the metrics of the batches of a generator, as means weighted by their size.

    Args:
        model: The model.
        compiled: What it was compiled with.
        generator: Gives ``(x, y)`` or ``(x, y, sample_weight)``.
        val_samples: Rows to take; the last batch may go beyond them.
        max_q_size: How many batches may be made ahead.

    Returns:
        The loss; a list in the order of ``metrics_names`` where there are several values.

    Raises:
        DataError: A batch does not fit the model, or the generator ends too early.
    """
    return single(_evaluate(model, compiled, generator, val_samples, max_q_size))


def predict_generator(
    model: Container,
    generator: Iterable[Any],
    val_samples: int,
    max_q_size: int = 10,
    precision: str | None = None,
) -> Any:
    """Computes the outputs for the batches of a generator.

    Args:
        model: The model.
        generator: Gives inputs, or tuples whose first item they are.
        val_samples: Rows to predict; what the last batch has beyond them is dropped.
        max_q_size: How many batches may be made ahead.
        precision: See ``predict``.

    Returns:
        An array with ``val_samples`` rows; a list where the model has several outputs.

    Raises:
        DataError: A batch does not fit the model, or the generator ends too early.
    """
    demand = _Demand(val_samples, 1)
    parts: list[list[Any]] = []
    rows = 0
    with Prefetcher(_iterator(generator), demand.is_met_by, max_q_size) as batches:
        while rows < val_samples:
            outputs = predict_on_batch(model, _inputs_of(_next(batches, rows, val_samples)), precision)
            parts.append(outputs if isinstance(outputs, list) else [outputs])
            rows += len(parts[-1][0])
    joined = [np.concatenate(arrays)[:val_samples] for arrays in zip(*parts, strict=True)]
    return joined[0] if len(joined) == 1 else joined


def _iterator(generator: Any) -> Iterator[Any]:
    if is_loader(generator):
        return endless(generator)
    if not hasattr(generator, "__next__"):
        raise DataError(
            f"A generator must give a batch with each next(), as a function with `yield` does, or be a DataLoader of "
            f"torch. Received: {type(generator).__name__}. (fit, evaluate and predict take arrays and data sets.)"
        )
    return cast(Iterator[Any], generator)


class _Demand:
    """How many batches are wanted: as many as fill all epochs, each of which begins with a new batch."""

    def __init__(self, rows_per_epoch: int, epochs: int) -> None:
        if rows_per_epoch < 1:
            raise DataError(
                f"The number of samples to take from a generator must be positive. Received: {rows_per_epoch}."
            )
        self._rows_per_epoch = rows_per_epoch
        self._rows = 0
        self._epochs = epochs

    def is_met_by(self, item: Any) -> bool:
        self._rows += _rows_of(item)
        if self._rows >= self._rows_per_epoch:
            self._rows = 0
            self._epochs -= 1
        return self._epochs <= 0


class _GeneratorSource:
    """The batches of a generator, epoch after epoch."""

    def __init__(self, model: Container, compiled: Compiled, batches: Prefetcher, rows: int, class_weight: Any) -> None:
        self.rows = rows
        self.order: Order = InOrder()
        self.last_rows = 1
        self._model = model
        self._compiled = compiled
        self._batches = batches
        self._class_weight = class_weight

    def batches(self, epoch: int, start: int = 0) -> Iterator[Batch]:
        """Gives the batches of an epoch; see ``Source``."""
        rows = start
        while rows < self.rows:
            item = _next(self._batches, rows, self.rows)
            batch = _batch_of(self._model, self._compiled, item, self._class_weight)
            self.last_rows = batch.rows
            rows += batch.rows
            if rows > self.rows:
                warnings.warn(
                    f"fit_generator: the epoch comprised {rows} samples, more than samples_per_epoch={self.rows}. "
                    "Set it to a multiple of the batches' size.",
                    UserWarning,
                    stacklevel=2,
                )
            yield batch


def _evaluate(
    model: Container, compiled: Compiled, generator: Iterable[Any], val_samples: int, max_q_size: int
) -> list[float]:
    demand = _Demand(val_samples, 1)
    totals = [0.0] * len(compiled.metrics_names)
    rows = 0
    with in_mode(model, training=False), Prefetcher(_iterator(generator), demand.is_met_by, max_q_size) as batches:
        while rows < val_samples:
            batch = _batch_of(model, compiled, _next(batches, rows, val_samples))
            values = compiled.reported(compiled.step.test(batch))
            totals = [total + value * batch.rows for total, value in zip(totals, values, strict=True)]
            rows += batch.rows
    return [total / rows for total in totals]


def _next(batches: Prefetcher, rows: int, wanted: int) -> Any:
    try:
        return batches.get()
    except StopIteration:
        raise DataError(
            f"The generator ended after {rows} of {wanted} samples. Keras's generators go on without end: "
            "put the loop over the data into a `while True:`."
        ) from None


def _batch_of(model: Container, compiled: Compiled, item: Any, class_weight: Any = None) -> Batch:
    if not isinstance(item, tuple | list) or len(item) not in (2, 3):
        raise DataError(
            "A generator for training and evaluation must give (x, y) or (x, y, sample_weight). "
            f"Received: {type(item).__name__}{f' of {len(item)}' if hasattr(item, '__len__') else ''}."
        )
    sample_weight = item[2] if len(item) == 3 else None
    samples = samples_for(model, compiled, item[0], item[1], sample_weight, class_weight)
    check_rows(model, samples)
    return samples.batch()


def _inputs_of(item: Any) -> Any:
    return item[0] if isinstance(item, tuple) else item


def _rows_of(item: Any) -> int:
    """Returns the number of rows of what a generator gave, 0 of something without any."""
    x: Any = item[0] if isinstance(item, tuple | list) and item else item
    if isinstance(x, dict):
        x = next(iter(x.values()), ())
    elif isinstance(x, list | tuple) and x and hasattr(x[0], "__len__"):
        x = x[0]
    return len(x) if hasattr(x, "__len__") else 0
