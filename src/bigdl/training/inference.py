"""Prediction in batches."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bigdl.errors import DataError
from bigdl.graph import Container
from bigdl.graph.tensor import as_list
from bigdl.programs import is_low, program_for
from bigdl.training.batches import Batch
from bigdl.training.data import Column, Data, input_columns
from bigdl.training.diagnosis import check_sizes
from bigdl.training.progress import progress_bar
from bigdl.training.quick import QuickPrediction
from bigdl.training.regularization import forget_activity, penalised_layers

DEFAULT_BATCH_SIZE = 32


@contextlib.contextmanager
def in_mode(model: torch.nn.Module, training: bool) -> Iterator[None]:
    """Puts a model into training or evaluation mode for the time of the ``with`` block.

    Each module gets back the mode that it had, also one that differs from its model's.

    Args:
        model: The model.
        training: Whether it shall be training mode.
    """
    changed = [module for module in model.modules() if bool(module.training) != training]
    for module in changed:
        module.training = training
    try:
        yield
    finally:
        for module in changed:
            module.training = not training


def predict(
    model: Container,
    x: Data,
    batch_size: int | None = DEFAULT_BATCH_SIZE,
    verbose: int = 0,
    precision: str | None = None,
) -> Any:
    """Computes the outputs of a model in evaluation mode, batch by batch.

    Args:
        model: The model; it is left in the mode that it was in.
        x: The data: an array, a list of arrays in the order of the inputs, or arrays by the inputs' names.
        batch_size: Rows at a time; None and -1 stand for 32.
        verbose: 1 shows a progress bar on a terminal.
        precision: ``"bf16"`` for products of bfloat16; see ``bigdl.programs.precision``.

    Returns:
        An array with a row for each row of ``x``; a list where the model has several outputs.

    Raises:
        DataError: The data does not fit the model, or there is no such precision.
    """
    if precision is None and (found := QuickPrediction.of(model)) is not None:
        if type(x) is np.ndarray:
            if found.takes(x, batch_size):
                return found(x)
        elif type(x) is list and found.takes_all(x, batch_size):
            return found(*x)
    columns = input_columns(model, x)
    batch_size = checked_batch_size(batch_size)
    check_divisible(model, len(columns[0]), batch_size)
    return _predict(model, columns, batch_size, verbose, is_low(precision))


def _predict(model: Container, columns: list[Column], batch_size: int, verbose: int = 0, in_bf16: bool = False) -> Any:
    with _prediction(model, in_bf16) as run, torch.inference_mode():
        try:
            return in_batches(model, columns, batch_size, verbose, lambda x: [y.cpu().numpy() for y in run(x)])
        except (RuntimeError, IndexError):
            check_sizes(model, columns)
            raise


def in_batches(
    model: Container,
    columns: list[Column],
    batch_size: int,
    verbose: int,
    run: Callable[[list[Tensor]], list[NDArray[Any]]],
) -> Any:
    """Computes outputs batch by batch.

    Args:
        model: The model.
        columns: Its inputs.
        batch_size: Rows at a time.
        verbose: 1 shows a progress bar on a terminal.
        run: Returns the outputs for the inputs of one batch.

    Returns:
        An array with a row for each row of the columns; a list where the model has several outputs.
    """
    rows = len(columns[0])
    results: list[NDArray[Any]] = _empty(model, columns) if rows == 0 else []
    with progress_bar(rows, "predict", verbose) as bar:
        for start in range(0, rows, batch_size):
            batch = slice(start, min(start + batch_size, rows))
            arrays = run([column.take(batch) for column in columns])
            results = results or [np.empty((rows, *array.shape[1:]), array.dtype) for array in arrays]
            for result, array in zip(results, arrays, strict=True):
                result[batch] = array
            bar.update(batch.stop - start)
    return results[0] if len(results) == 1 else results


@contextlib.contextmanager
def _prediction(model: Container, in_bf16: bool) -> Iterator[Callable[[Sequence[Tensor]], list[Tensor]]]:
    """Gives a function that computes a model's outputs in evaluation mode for as long as the ``with`` block lasts."""
    program = program_for(model, training=False, in_bf16=in_bf16)
    if program is not None and not program.called:
        yield program.run
        return
    with in_mode(model, training=False):
        yield (lambda inputs: as_list(model.run(inputs)[0])) if program is None else program.run
    forget_activity(penalised_layers(model))


def predict_on_batch(model: Container, x: Data, precision: str | None = None) -> Any:
    """Computes the outputs of a model in evaluation mode for one batch; see ``predict``."""
    if type(x) is np.ndarray and x.ndim and len(x):
        return predict(model, x, len(x), precision=precision)
    columns = input_columns(model, x)
    return _predict(model, columns, max(1, len(columns[0])), in_bf16=is_low(precision))


def predict_class(model: Container, x: Data, batch_size: int | None = DEFAULT_BATCH_SIZE) -> NDArray[np.int64]:
    """Returns the most probable class of each row, counted from 1 as in BigDL.

    A model whose output has one column gives 1 for every row, as in BigDL.

    Args:
        model: The model.
        x: The data; see ``predict``.
        batch_size: Rows at a time.

    Raises:
        DataError: The data does not fit the model, or the model has several outputs.
    """
    if len(model.outputs) != 1:
        raise DataError(
            f"Model {model.name!r} has {len(model.outputs)} outputs ({', '.join(model.output_names)}); "
            "predict_class needs a single one. Use predict and take the classes of the output you mean."
        )
    scores = predict(model, x, batch_size)
    if scores.shape[0] == 0:
        return np.empty(scores.shape[:-1], np.int64)
    return np.asarray(scores.argmax(axis=-1) + 1, np.int64)


def checked_batch_size(batch_size: int | None) -> int:
    """Returns the batch size, 32 for None and -1.

    Raises:
        DataError: It is not a positive number.
    """
    if batch_size is None or batch_size == -1:
        return DEFAULT_BATCH_SIZE
    if isinstance(batch_size, bool) or int(batch_size) != batch_size or batch_size < 1:
        raise DataError(f"batch_size must be a positive whole number. Received: {batch_size!r}.")
    return int(batch_size)


def check_divisible(model: Container, rows: int, batch_size: int) -> None:
    """Checks that batches of a stateful model are all of one size, as its layers keep a state for each row.

    Raises:
        DataError: The last batch would be smaller.
    """
    if model.stateful and rows > batch_size and rows % batch_size:
        raise DataError(
            f"Model {model.name!r} is stateful: the number of rows must be a multiple of the batch size. "
            f"Received: {rows} rows, batch_size={batch_size}."
        )


def _empty(model: Container, columns: list[Column]) -> list[NDArray[Any]]:
    """Returns outputs for no rows; an axis whose length follows from the data only gets 0."""
    shapes = model.get_output_shape_for([column.shape for column in columns])
    dtypes = [np.dtype(tensor.dtype) for tensor in model.outputs]
    listed = shapes if isinstance(shapes, list) else [shapes]
    return [np.empty((0, *(n or 0 for n in shape[1:])), dtype) for shape, dtype in zip(listed, dtypes, strict=True)]


def run_on(model: Container, batch: Batch) -> tuple[list[Tensor], list[Tensor | None]]:
    """Returns a model's outputs for a batch, and their masks, as lists."""
    outputs, masks = model.run(batch.inputs)
    return (outputs, masks) if len(model.outputs) > 1 else ([outputs], [masks])
