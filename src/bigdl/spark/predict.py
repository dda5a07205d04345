"""Prediction for the rows of a DataFrame or an RDD: lazy, row by row in their order, with the other columns."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from bigdl.errors import DataError
from bigdl.graph import Container
from bigdl.spark.datasets import features
from bigdl.spark.decode import Field
from bigdl.spark.fields import Arrays, Fields, Names, fields_of
from bigdl.spark.preprocessing import Functions, functions_for, preprocessed
from bigdl.spark.scores import Score
from bigdl.spark.session import active_session
from bigdl.spark.shipping import ShippedModel, shipped
from bigdl.training.inference import checked_batch_size

if TYPE_CHECKING:
    from pyspark import RDD
    from pyspark.sql import DataFrame


def predict_frame(
    model: Container,
    frame: DataFrame,
    features_col: Names,
    output_col: str,
    batch_size: int | None,
    bad_rows: str,
    score: Score,
    preprocess: Functions = None,
) -> DataFrame:
    """Adds a column of predictions to a DataFrame.

    Args:
        model: The model.
        frame: The DataFrame.
        features_col: The column of each input.
        output_col: The column that is added; for several outputs a struct of them by their names.
        batch_size: Rows at a time.
        bad_rows: ``"raise"`` for an error at the first rows that are null, ragged or of a wrong width; ``"keep"`` for
            null in their place, and what is wrong with them in a further column, ``output_col`` with ``_error`` behind.
        score: What is computed.
        preprocess: What the inputs pass through.

    Raises:
        DataError: There is no such column, or it holds something else.
    """
    from pyspark.sql.pandas import functions

    if output_col in frame.columns:
        raise DataError(f"The DataFrame has a column {output_col!r} already. Give another name for the predictions.")
    columns, fields = fields_of(model, frame, features_col)
    fields = replace(fields, functions=functions_for(preprocess, len(model.inputs)))
    job = _Scoring(shipped(model, frame.sparkSession), fields, score, checked_batch_size(batch_size), _keeps(bad_rows))
    kind = score.column_type(model)

    def scored(batches: Iterator[tuple[pa.Array, ...]]) -> Iterator[pa.Array]:
        yield from job.of_columns(batches)

    arrow_udf: Any = functions.arrow_udf  # its stubs do not know of type hints
    found = arrow_udf(scored, f"struct<prediction: {kind}, error: string>")(*columns)
    with_both = frame.withColumn(output_col, found)
    both = with_both[f"`{output_col}`"]
    if bad_rows == "keep":
        with_both = with_both.withColumn(f"{output_col}_error", both["error"])
    return with_both.withColumn(output_col, both["prediction"])


def predict_rdd(
    model: Container,
    rdd: RDD[Any],
    batch_size: int | None,
    bad_rows: str,
    score: Score,
    preprocess: Functions = None,
) -> RDD[Any]:
    """Returns an RDD of what a model computes for the rows of another, in their order.

    Args:
        model: The model.
        rdd: An RDD of ``Sample``, of arrays, or of lists of them for a model of several inputs.
        batch_size: Rows at a time.
        bad_rows: ``"raise"`` for an error at the first rows of a wrong shape, ``"keep"`` for None in their place.
        score: What is computed.
        preprocess: What the inputs pass through.
    """
    shapes = [tensor.shape[1:] for tensor in model.inputs]
    names = [f"input {name}" for name in model.input_names]
    fields = Fields([Field(name, "bytes", shape, "<f4") for name, shape in zip(names, shapes, strict=True)])
    fields = replace(fields, functions=functions_for(preprocess, len(model.inputs)))
    job = _Scoring(shipped(model, active_session()), fields, score, checked_batch_size(batch_size), _keeps(bad_rows))

    def scored(items: Iterable[Any]) -> Iterator[Any]:
        yield from job.of_items(items)

    return rdd.mapPartitions(scored)


def _keeps(bad_rows: str) -> bool:
    if bad_rows not in ("raise", "keep"):
        raise DataError(f"bad_rows must be 'raise' or 'keep'. Received: {bad_rows!r}.")
    return bad_rows == "keep"


class _Scoring:
    """What a task computes.

    Args:
        source: The model.
        fields: What the rows hold.
        score: What is computed.
        batch_size: Rows at a time.
        keep: Whether bad rows are no error.
    """

    def __init__(self, source: ShippedModel, fields: Fields, score: Score, batch_size: int, keep: bool) -> None:
        self._source = source
        self._fields = fields
        self._score = score
        self._batch_size = batch_size
        self._keep = keep

    def of_columns(self, batches: Iterator[Any]) -> Iterator[pa.Array]:
        """Gives structs of prediction and error for batches of columns."""
        model = self._source.model()
        seen = 0
        for batch in batches:
            columns = batch if isinstance(batch, tuple) else (batch,)
            decoded = [field.decode(column) for field, column in zip(self._fields.inputs, columns, strict=True)]
            bad: dict[int, str] = {}
            for field, (_, wrong) in zip(self._fields.inputs, decoded, strict=True):
                bad.update({at: f"{field.name}: {reason}" for at, reason in wrong.items() if at not in bad})
            self._check(bad, seen)
            rows = len(columns[0])
            good = np.setdiff1d(np.arange(rows), list(bad))
            arrays, _, _ = self._fields.divided([array[good] for array, _ in decoded], len(model.inputs))
            found = self._scores(model, arrays) if len(good) else None
            yield pa.StructArray.from_arrays(
                [
                    self._score.column(model, found, good, rows),
                    pa.array([bad.get(i) for i in range(rows)], pa.string()),
                ],
                ["prediction", "error"],
            )
            seen += rows

    def of_items(self, items: Iterable[Any]) -> Iterator[Any]:
        """Gives what belongs to rows of an RDD."""
        model = self._source.model()
        names = [field.name for field in self._fields.inputs]
        shapes = [field.shape or () for field in self._fields.inputs]
        seen = 0
        for part in _parts(items, self._batch_size):
            found = [features(item, names, shapes) for item in part]
            bad = {at: reason for at, (_, reason) in enumerate(found) if reason is not None}
            self._check(bad, seen)
            good = [tensors for tensors, reason in found if reason is None]
            results: Iterator[Any] = iter(())
            if good:
                x = [np.stack(arrays) for arrays in zip(*good, strict=True)]
                results = self._score.items(self._scores(model, x))
            for at in range(len(part)):
                yield None if at in bad else next(results)
            seen += len(part)

    def _scores(self, model: Container, x: Arrays) -> Arrays:
        x = [preprocessed(array, function) for array, function in zip(x, self._fields.functions, strict=True)]
        return self._score(model, x, self._batch_size)

    def _check(self, bad: dict[int, str], seen: int) -> None:
        if bad and not self._keep:
            from pyspark import TaskContext

            context = TaskContext.get()
            partition = context.partitionId() if context is not None else 0
            first = [f"row {seen + at} of partition {partition}, {reason}" for at, reason in sorted(bad.items())[:5]]
            raise DataError(
                f"{len(bad)} rows cannot be used: {'; '.join(first)}. Rows and partitions count from 0. With "
                "bad_rows='keep' such rows are kept, without a prediction."
            )


def _parts(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(items)
    while part := list(itertools.islice(iterator, size)):
        yield part
