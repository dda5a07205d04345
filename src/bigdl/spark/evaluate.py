"""Evaluation on the rows of a DataFrame or an RDD: the numbers of one machine, from ordinary tasks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch import Tensor

from bigdl.errors import DataError, DistributedError
from bigdl.graph import Container
from bigdl.spark.cluster import Cluster
from bigdl.spark.failures import failure_of, mistake
from bigdl.spark.fields import Fields
from bigdl.spark.options import Options
from bigdl.spark.placement import ID, REASON, DataSet, row_index, row_offsets
from bigdl.spark.results import SCHEMA, messages, result_batches
from bigdl.spark.shard import BadRowsError, Shard, partition_of, row_of
from bigdl.spark.shipping import shipped
from bigdl.training import Compiled
from bigdl.training.batches import Batch, Samples
from bigdl.training.inference import checked_batch_size
from bigdl.training.labelled import labelled_samples, outputs_and_targets, tallied
from bigdl.training.samples import for_outputs, samples_for
from bigdl.training.validation import EvaluatedResult, Tally, ValidationMethod

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def evaluate_methods(
    model: Container, data: DataSet, batch_size: int, methods: Sequence[ValidationMethod]
) -> list[EvaluatedResult]:
    """Validates a model as BigDL's ``model.evaluate(rdd, batch_size, methods)``.

    Args:
        model: The model.
        data: The rows.
        batch_size: Rows at a time.
        methods: What is computed of outputs and targets.

    Returns:
        The result of each method, over all rows.

    Raises:
        DataError: The data has no rows, or does not fit the model.
    """
    size = checked_batch_size(batch_size)
    source = shipped(model, data.frame.sparkSession)
    by_row = [method for method in methods if method.by_row]
    together = [method for method in methods if not method.by_row]

    def work(shards: Iterator[Shard], fields: Fields) -> Found:
        model = source.model()
        found = Found()
        sums = [Tally(0.0, 0.0) for _ in by_row]
        for shard in shards:
            inputs, targets, _ = fields.divided(shard.columns, len(model.inputs))
            samples = fields.preprocessed(labelled_samples(model, (inputs, targets), may_be_empty=True))
            for pair in outputs_and_targets(model, samples, size):
                sums = [total + new for total, new in zip(sums, tallied(by_row, [pair]), strict=True)]
                found.keep(pair if together else ())
            found.ids.append(shard.ids)
            found.rows += len(samples)
        found.sums = [number for tally in sums for number in astuple(tally)]
        return found

    found = _found(model, data, data.frame.select(*_identified(data)), work, whole=False)
    if not found.rows:
        raise DataError(f"Model {model.name!r}: the data has no rows.")
    pairs = zip(found.sums[::2], found.sums[1::2], strict=True)
    tallies: dict[ValidationMethod, Any] = dict(zip(by_row, (Tally(*pair) for pair in pairs), strict=True))
    if together:
        tallies |= dict(zip(together, tallied(together, found.batches(size, len(model.outputs))), strict=True))
    return [method.evaluated(tallies[method]) for method in methods]


def evaluate_compiled(model: Container, compiled: Compiled, data: DataSet, batch_size: int) -> list[float]:
    """Computes loss and metrics as Keras's ``evaluate`` does: means over batches, of the rows in their order.

    Args:
        model: The model.
        compiled: What it was compiled with.
        data: The rows.
        batch_size: Rows of a batch.

    Returns:
        The values, in the order of ``metrics_names``.

    Raises:
        DataError: The data has no rows, or does not fit the model.
        DistributedError: Spark does not give the rows in the same order twice.
    """
    from pyspark.sql import functions as F

    size = checked_batch_size(batch_size)
    session = data.frame.sparkSession
    starts, total = row_offsets(data.frame)
    if not total:
        raise DataError(f"Model {model.name!r}: the data has no rows.")
    source = shipped(model, session)
    settings = (compiled.loss, compiled.metrics, compiled.loss_weights, compiled.sample_weight_mode)

    def work(shards: Iterator[Shard], fields: Fields) -> Found:
        model = source.model()
        found = Found(sums=[0.0] * count)
        again = Compiled(model, "sgd", *settings)
        for shard in shards:
            inputs, targets, weights = fields.divided(shard.columns, len(model.inputs))
            sample_weight = for_outputs(weights, len(model.outputs))
            samples = fields.preprocessed(samples_for(model, again, inputs, targets, sample_weight))
            for batch in _batches(samples, shard, starts, total, size):
                values = again.reported(again.step.test(batch))
                found.rows += batch.rows
                found.sums = [total + value * batch.rows for total, value in zip(found.sums, values, strict=True)]
        return found

    count = len(compiled.metrics_names)
    parts = min(-(-total // size), int(session.conf.get("spark.sql.shuffle.partitions") or 200))
    part = (F.floor(row_index(starts) / size) % parts).cast("int").alias("_part")
    frame = data.frame.select(*_identified(data), part).repartitionById(parts, F.col("_part")).drop("_part")
    found = _found(model, data, frame, work, whole=True)
    if found.rows != total:
        raise _split_differently()
    return [value / total for value in found.sums]


def _batches(samples: Samples, shard: Shard, starts: Sequence[int], total: int, size: int) -> Iterator[Batch]:
    """Gives the batches of which the rows are here, which must be all of their rows."""
    indices = np.asarray(starts, np.int64)[partition_of(shard.ids)] + row_of(shard.ids)
    order = np.argsort(indices)
    numbers, first = np.unique(indices[order] // size, return_index=True)
    for number, positions in zip(numbers.tolist(), np.split(order, first[1:]), strict=True):
        if len(positions) != min(size, total - number * size):
            raise _split_differently()
        yield samples.batch(positions)


def _split_differently() -> DistributedError:
    return DistributedError(
        "Spark split the data differently the second time it computed it, so that its rows have no fixed order. "
        "Persist or save the DataFrame before evaluating it."
    )


# How tasks tell what they have found.

Work = Callable[[Iterator[Shard], Fields], "Found"]


@dataclass
class Found:
    """What is found on some rows.

    Attributes:
        rows: How many they are.
        sums: Sums over them.
        ids: Their ids, part by part.
        kept: Outputs and targets, part by part, for what does not go row by row.
    """

    rows: int = 0
    sums: list[float] = field(default_factory=list)
    ids: list[NDArray[np.int64]] = field(default_factory=list)
    kept: list[list[Tensor]] = field(default_factory=list)

    def keep(self, parts: Iterable[Sequence[Tensor]]) -> None:
        """Keeps outputs and targets of a batch."""
        tensors = [tensor.cpu() for part in parts for tensor in part]
        self.kept += [tensors] if tensors else []

    def tensors(self) -> dict[str, Tensor]:
        """Returns what is kept, with the ids, as tensors by name."""
        if not self.kept:
            return {}
        joined = {str(i): torch.cat(parts).contiguous() for i, parts in enumerate(zip(*self.kept, strict=True))}
        return {**joined, "ids": torch.from_numpy(np.concatenate(self.ids))}

    def batches(self, size: int, outputs: int) -> Iterator[tuple[list[Tensor], list[Tensor]]]:
        """Gives outputs and targets in batches, in the order of the rows."""
        order = torch.from_numpy(np.argsort(np.concatenate(self.ids), kind="stable"))
        joined = [torch.cat(parts)[order] for parts in zip(*self.kept, strict=True)]
        for start in range(0, len(order), size):
            batch = [tensor[start : start + size] for tensor in joined]
            yield batch[:outputs], batch[outputs:]


def _identified(data: DataSet) -> list[Any]:
    from pyspark.sql import functions as F

    reason = F.lit(None).cast("string") if data.reason is None else data.reason
    columns = [column.alias(f"c{i}") for i, column in enumerate(data.columns)]
    return [F.monotonically_increasing_id().alias(ID), reason.alias(REASON), *columns]


def _found(model: Container, data: DataSet, frame: DataFrame, work: Work, whole: bool) -> Found:
    """Runs a work on all partitions of a frame, and joins what it finds.

    Args:
        model: What is evaluated.
        data: The data set.
        frame: Its rows, as ``_identified`` selects them.
        work: The work.
        whole: Whether a partition is one shard, rather than each of the batches in which it arrives.
    """
    fields = data.fields

    def task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        tensors: dict[str, Tensor] = {}
        try:
            found = work(_shards(batches, fields, whole), fields)
            report: dict[str, Any] = {"rows": found.rows, "sums": found.sums}
            tensors = found.tensors()
        except BadRowsError as error:
            report = {"wrong": list(error.wrong.items())}
        except Exception as error:
            report = failure_of(error)
        yield from result_batches(_partition(), report, tensors)

    of_partition: dict[int, list[Any]] = {}
    with Cluster(frame.sparkSession).described(f"bigdl: evaluating {model.name}"):
        rows = frame.mapInArrow(task, SCHEMA).collect()
    for row in rows:
        of_partition.setdefault(row["rank"], []).append(row)
    results = [messages(of_partition[partition]) for partition in sorted(of_partition)]
    reports = [report for (report,), _ in results]
    wrong = {int(id): reason for report in reports for id, reason in report.get("wrong", [])}
    if wrong:
        starts, _ = row_offsets(data.frame)
        raise DataError(BadRowsError(0, wrong).described([starts]))
    failed = next((report for report in reports if "failed" in report), None)
    if failed is not None:
        raise mistake(failed)
    found = Found(sum(report["rows"] for report in reports))
    found.sums = [math.fsum(values) for values in zip(*(report["sums"] for report in reports), strict=True)]
    for _, tensors in results:
        if tensors:
            found.ids.append(tensors.pop("ids").numpy())
            found.kept.append([tensors[str(i)] for i in range(len(tensors))])
    return found


def _shards(batches: Iterator[pa.RecordBatch], fields: Fields, whole: bool) -> Iterator[Shard]:
    shard = Shard(fields.all(), Options().memory_limit)
    for batch in batches:
        shard.add(batch.column(ID), batch.column(REASON), batch.columns[2:])
        if not whole:
            shard.finish()
            yield shard
            shard = Shard(fields.all(), Options().memory_limit)
    if whole:
        shard.finish()
        yield shard


def _partition() -> int:
    from pyspark import TaskContext

    context = TaskContext.get()
    return context.partitionId() if context is not None else 0
