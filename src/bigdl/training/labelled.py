"""Data with targets as BigDL's optimizers and evaluation take it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from bigdl.errors import DataError
from bigdl.graph import Container
from bigdl.training.batches import Samples
from bigdl.training.criterions import ClassNLLCriterion
from bigdl.training.data import Column, Placement, as_array, check_same_rows, input_columns
from bigdl.training.inference import checked_batch_size, in_mode, run_on
from bigdl.training.labels import class_indices
from bigdl.training.progress import progress_bar
from bigdl.training.sample import Sample
from bigdl.training.validation import EvaluatedResult, ValidationMethod


def labelled_samples(model: Container, data: Any, may_be_empty: bool = False) -> Samples:
    """Checks data with targets against the inputs of a model.

    Args:
        model: The model.
        data: ``(X, Y)``, each an array or a list of arrays, or a list of ``Sample``.
        may_be_empty: Whether there may be no rows, as on one of several workers.

    Returns:
        The rows; whole numbers among the targets stay whole numbers.

    Raises:
        DataError: It is something else, has no rows, or does not fit the inputs.
    """
    x, y = arrays_of(data)
    where = f"Model {model.name!r}"
    place = Placement.of(model)
    inputs = input_columns(model, x)
    arrays = list(y) if isinstance(y, list | tuple) and any(hasattr(item, "shape") for item in y) else [y]
    targets = [_target_column(array, place, f"{where}, targets") for array in arrays]
    named = {f"input {name}": column for name, column in zip(model.input_names, inputs, strict=True)}
    named |= {f"targets {i}": column for i, column in enumerate(targets, 1)}
    check_same_rows(named, where)
    if len(inputs[0]) == 0 and not may_be_empty:
        raise DataError(f"{where}: the data has no rows.")
    return Samples(inputs, targets, [None] * len(targets))


def arrays_of(data: Any) -> tuple[Any, Any]:
    """Returns inputs and targets of ``(X, Y)``, or of a list of ``Sample``.

    Raises:
        DataError: It is something else.
    """
    if hasattr(data, "mapPartitions") or hasattr(data, "mapInArrow"):
        raise DataError(
            "An RDD or DataFrame was given. Training on Spark needs the extra 'bigdl-torch[spark]'; on one machine "
            "give arrays, (X, Y)."
        )
    if isinstance(data, list | tuple) and data and all(isinstance(item, Sample) for item in data):
        return _stacked([item.features for item in data]), _stacked([item.labels for item in data])
    if not isinstance(data, list | tuple) or len(data) != 2:
        size = f" of {len(data)} items" if isinstance(data, list | tuple) else ""
        raise DataError(f"Expected (X, Y) or a list of Sample. Received: {type(data).__name__}{size}.")
    return data[0], data[1]


def _stacked(rows: list[Any]) -> list[Tensor]:
    """Joins the tensors of all samples, place by place."""
    shapes = [tensor.shape for tensor in rows[0]]
    for i, row in enumerate(rows):
        if [tensor.shape for tensor in row] != shapes:
            raise DataError(
                f"All samples must have the same shapes. Sample 0 has {shapes}, sample {i} has "
                f"{[tensor.shape for tensor in row]}."
            )
    return [torch.stack([torch.from_numpy(row[k].to_ndarray()) for row in rows]) for k in range(len(shapes))]


def _target_column(data: Any, place: Placement, where: str) -> Column:
    array = as_array(data, where)
    if len(array.shape) == 0:
        raise DataError(f"{where}: expected an array with the rows first. Received: a single number.")
    whole = not array.is_floating_point() if isinstance(array, Tensor) else array.dtype.kind in "biu"
    return Column(array, torch.int64 if whole else place.dtype, place.device)


def check_labels(criterion: Any, model: Container, samples: Samples) -> None:
    """Checks all class labels against the classes that a model tells apart, before any of them is used.

    Args:
        criterion: What they are for; only criterions of class labels have something to check.
        model: The model.
        samples: The rows.

    Raises:
        DataError: A label is no whole number, or out of range.
    """
    classes = model.outputs[0].shape[-1]
    if isinstance(criterion, ClassNLLCriterion) and len(samples.targets) == 1 and classes is not None:
        labels = torch.from_numpy(samples.targets[0].numpy())
        class_indices(labels, classes, criterion.zero_based_label, type(criterion).__name__)


def table(tensors: list[Tensor]) -> Any:
    """Returns a single tensor itself; several as the list that they are."""
    return tensors[0] if len(tensors) == 1 else tensors


def score(
    model: Container,
    samples: Samples,
    batch_size: int,
    methods: list[ValidationMethod],
    verbose: int = 0,
    rows: int | None = None,
) -> list[EvaluatedResult]:
    """Validates a model in evaluation mode; it is left in the mode that it was in.

    Args:
        model: The model.
        samples: The rows.
        batch_size: Rows at a time.
        methods: What is computed of outputs and targets.
        verbose: 1 shows a progress bar on a terminal.
        rows: How many of the rows, all by default.

    Returns:
        The result of each method.
    """
    count = len(samples) if rows is None else min(rows, len(samples))
    with progress_bar(count, "validate", verbose) as bar:
        tallies = tallied(methods, outputs_and_targets(model, samples.part(0, count), batch_size, bar.update))
    return [method.evaluated(tally) for method, tally in zip(methods, tallies, strict=True)]


def outputs_and_targets(
    model: Container, samples: Samples, batch_size: int, seen: Callable[[int], Any] | None = None
) -> Iterator[tuple[list[Tensor], list[Tensor]]]:
    """Gives a model's outputs in evaluation mode, and the targets, batch by batch.

    Args:
        model: The model.
        samples: The rows.
        batch_size: Rows at a time.
        seen: Told the rows of each batch that is done; None for nobody.
    """
    with in_mode(model, training=False), torch.no_grad():
        for first in range(0, len(samples), batch_size):
            batch = samples.batch(slice(first, min(first + batch_size, len(samples))))
            yield run_on(model, batch)[0], batch.targets
            if seen is not None:
                seen(batch.rows)


def tallied(methods: Sequence[ValidationMethod], batches: Iterable[tuple[list[Tensor], list[Tensor]]]) -> list[Any]:
    """Returns what each method counts on outputs and targets; nothing at all where there are no batches."""
    tallies: list[Any] = []
    for outputs, targets in batches:
        found = [method(table(outputs), table(targets)) for method in methods]
        tallies = [tally + new for tally, new in zip(tallies, found, strict=True)] if tallies else found
    return tallies


def evaluate_methods(
    model: Container, data: Any, batch_size: int, methods: Sequence[ValidationMethod]
) -> list[EvaluatedResult]:
    """Validates a model as BigDL's ``model.evaluate(data, batch_size, methods)``.

    Args:
        model: The model; it is left in the mode that it was in.
        data: ``(X, Y)`` or a list of ``Sample``.
        batch_size: Rows at a time.
        methods: What is computed of outputs and targets.

    Raises:
        DataError: The data does not fit the model.
    """
    return score(model, labelled_samples(model, data), checked_batch_size(batch_size), list(methods))
