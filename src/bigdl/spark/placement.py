"""Data sets as DataFrames whose rows lie with the workers that train on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from bigdl.spark.cluster import Cluster
from bigdl.spark.fields import Fields
from bigdl.spark.shard import ROW_BITS
from bigdl.training.batches import STRATA

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

PART, ID, REASON = "_part", "_id", "_reason"
"""Columns of a placed DataFrame: the number of the data set, where a row was in it, and why it cannot be used."""


@dataclass(frozen=True)
class DataSet:
    """Rows of a DataFrame, and what of them is used.

    Attributes:
        frame: The DataFrame.
        columns: Expressions that give inputs, targets and weights.
        fields: What these hold.
        reason: An expression that says why a row cannot be used, null in good rows; None where nothing is known yet.
    """

    frame: DataFrame
    columns: list[Column]
    fields: Fields
    reason: Column | None = None


def placed(sets: Sequence[DataSet], workers: int) -> DataFrame:
    """Returns the rows of data sets, a partition for each worker.

    A row's index is its place in its data set: partition after partition, row after row. Whoever holds a row, the
    batches are the same; that a worker holds the rows ``i`` with ``i % STRATA % workers`` equal to its number makes
    its part of every batch equal to that of others. Behind ``PART``, ``ID`` and ``REASON`` come the columns of each
    data set, null in rows of another.

    Args:
        sets: The data sets.
        workers: How many workers there are.
    """
    from pyspark.sql import functions as F

    frames = []
    for number, data in enumerate(sets):
        target = _owner(data.frame, workers).alias("_owner")
        names = column_names(data.fields, number)
        named = [column.alias(name) for column, name in zip(data.columns, names, strict=True)]
        reason = F.lit(None).cast("string") if data.reason is None else data.reason
        own = [F.lit(number).alias(PART), F.monotonically_increasing_id().alias(ID), reason.alias(REASON), target]
        frames.append(data.frame.select(*own, *named))
    union = reduce(lambda a, b: a.unionByName(b, allowMissingColumns=True), frames)
    return union.repartitionById(workers, F.col("_owner")).drop("_owner")


def column_names(fields: Fields, number: int) -> list[str]:
    """Returns the names of a data set's columns in a placed DataFrame."""
    return [f"_{number}_{i}" for i in range(len(fields.all()))]


def _owner(frame: DataFrame, workers: int) -> Column:
    """Returns an expression that gives the number of the worker which a row goes to."""
    from pyspark.sql import functions as F

    if workers == 1:
        return F.lit(0)
    # Counted in a job of its own. Should Spark split the data another way the next time, rows are less well spread,
    # and results still the same: the workers work the indices out by themselves.
    starts, _ = row_offsets(frame)
    return (row_index(starts) % STRATA % workers).cast("int")


def row_offsets(frame: DataFrame) -> tuple[list[int], int]:
    """Counts the rows of a DataFrame, in a job.

    Returns:
        How many lie before each partition, and how many there are.
    """
    from pyspark.sql import functions as F

    with Cluster(frame.sparkSession).described("bigdl: counting rows"):
        found = frame.groupBy(F.spark_partition_id().alias("partition")).count().collect()
    counts = {int(row[0]): int(row[1]) for row in found}
    return offsets(counts), sum(counts.values())


def row_index(starts: Sequence[int]) -> Column:
    """Returns an expression that gives the index of a row.

    Args:
        starts: How many rows lie before each partition.
    """
    from pyspark.sql import functions as F

    id = F.monotonically_increasing_id()
    partition = F.shiftright(id, ROW_BITS).cast("int") + 1
    row = id.bitwiseAND(F.lit((1 << ROW_BITS) - 1))
    return F.coalesce(F.try_element_at(F.lit(list(starts)), partition), F.lit(0)) + row


def offsets(counts: dict[int, int]) -> list[int]:
    """Returns how many rows lie before each partition, given how many each has; those without rows may be missing."""
    sizes = np.zeros(max(counts, default=-1) + 1, np.int64)
    for partition, count in counts.items():
        sizes[partition] = count
    return [0, *np.cumsum(sizes)[:-1].tolist()] if len(sizes) else [0]
