"""What one worker does, inside one task of Spark's barrier stage."""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from numpy.typing import NDArray

from bigdl import files
from bigdl.errors import DataError, DistributedError
from bigdl.spark.channel import Address, connect
from bigdl.spark.devices import device_of
from bigdl.spark.failures import failure_of
from bigdl.spark.group import PeerLostError, joined, open_store, reach_store
from bigdl.spark.options import Options
from bigdl.spark.placement import ID, PART, REASON, column_names, offsets
from bigdl.spark.relay import LagHook, Relay, RelayLogs
from bigdl.spark.results import result_batches, state_of
from bigdl.spark.shard import BadRowsError, Shard, ShardSource, partition_of, row_of
from bigdl.spark.work import Post, SeedHook, Work
from bigdl.training.batches import InOrder, Samples
from bigdl.training.loop import train

if TYPE_CHECKING:
    from pyspark import BarrierTaskContext

logger = logging.getLogger("bigdl")

_SECONDS_TO_REACH_DRIVER = 10.0


@dataclass(frozen=True)
class Terms:
    """Under which terms the workers of a job work together.

    Attributes:
        channel: Where the driver listens; None for nowhere.
        options: How the job runs.
        log_level: Which log lines the driver wants.
        resumable: Whether an attempt may follow that goes on from a checkpoint.
        checksums: Those of each worker's rows, as an earlier attempt had them; None for the first.
        mark: A file beside the checkpoints that all workers must see; None where there are none.
    """

    channel: Address | None
    options: Options
    log_level: int
    resumable: bool = False
    checksums: list[int] | None = None
    mark: str | None = None


def run(batches: Iterator[pa.RecordBatch], work: Work, terms: Terms) -> Iterator[pa.RecordBatch]:
    """Trains on the rows of one partition, together with the tasks of all others.

    What goes wrong is returned, not raised: the driver shall know a mistake, which would happen again, from the loss of
    a worker, after which it starts anew.

    Args:
        batches: The rows, as ``placed`` has them.
        work: What to do.
        terms: How.

    Returns:
        See ``results``.
    """
    from pyspark import BarrierTaskContext

    context = BarrierTaskContext.get()
    with _own_settings(context.cpus()), _relayed(terms, context.partitionId()) as relay:
        yield from _Worker(context, work, terms, relay).run(batches)


@contextlib.contextmanager
def _own_settings(threads: int) -> Iterator[None]:
    """Computes with as many threads as the task has cores; Python workers are used again, so all is put back."""
    before = torch.get_num_threads()
    random = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002 - Keras's generator
    torch.set_num_threads(max(1, threads))
    try:
        yield
    finally:
        torch.set_num_threads(before)
        torch.set_rng_state(random[0])
        np.random.set_state(random[1])  # noqa: NPY002


@contextlib.contextmanager
def _relayed(terms: Terms, rank: int) -> Iterator[Relay]:
    line = (
        None if terms.channel is None else connect(terms.channel, min(terms.options.timeout, _SECONDS_TO_REACH_DRIVER))
    )
    relay = Relay(line, rank, terms.options.timeout)
    handler, level = RelayLogs(relay), logger.level
    if rank == 0:
        logger.addHandler(handler)
        logger.setLevel(terms.log_level)
    try:
        yield relay
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        relay.close()


class _Worker:
    """A worker on its way through a job."""

    def __init__(self, context: BarrierTaskContext, work: Work, terms: Terms, relay: Relay) -> None:
        self._context = context
        self._work = work
        self._terms = terms
        self._relay = relay
        self._rank = context.partitionId()
        infos = context.getTaskInfos()
        self._size = len(infos)
        self._device = device_of(context.resources())
        work.model.to(self._device)
        self._host = infos[self._rank].address.rpartition(":")[0]

    def run(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Does the work, and gives what the driver gets."""
        shards, samples, failure = self._read(batches)
        store = open_store(self._host) if self._rank == 0 else None
        reports = self._agree(shards, failure, store)
        counts = _summed(reports, len(shards))
        starts = [offsets(count) for count in counts]
        if failure is not None:
            yield from self._failed(failure, starts)
            return
        if any(report["failed"] for report in reports):
            return
        try:
            sources = self._sources(shards, samples, [sum(count.values()) for count in counts], starts)
            self._check([source.rows for source in sources], reports)
            store = store or reach_store(reports[0]["host"], reports[0]["port"], self._terms.options.timeout)
            interrupted = self._train(sources, store)
        except Exception as error:
            yield from self._failed(error, starts)
            return
        if self._rank == 0:
            outcome = {"interrupted": interrupted, "rows": [source.rows for source in sources]}
            yield from result_batches(0, self._work.outcome() | outcome, state_of(self._work))

    # Before training.

    def _read(self, batches: Iterator[pa.RecordBatch]) -> tuple[list[Shard], list[Samples], Exception | None]:
        """Reads this worker's rows and checks them; an error is kept until the others can be told."""
        work = self._work
        shards = [Shard(fields.all(), self._terms.options.memory_limit, i) for i, fields in enumerate(work.fields)]
        names = [column_names(fields, number) for number, fields in enumerate(work.fields)]
        try:
            for batch in batches:
                for number, shard in enumerate(shards):
                    part = _rows_of(batch, number, len(shards))
                    shard.add(part.column(ID), part.column(REASON), [part.column(name) for name in names[number]])
            for shard in shards:
                shard.finish()
            inputs = len(work.model.inputs)
            samples = [
                fields.preprocessed(work.samples(i, *fields.divided(shard.columns, inputs)))
                for i, (fields, shard) in enumerate(zip(work.fields, shards, strict=True))
            ]
        except Exception as error:
            return shards, [], error
        return shards, samples, None

    def _agree(self, shards: list[Shard], failure: Exception | None, store: Any) -> list[dict[str, Any]]:
        """Exchanges one message with the other workers; the only one that goes through Spark, as it takes a second."""
        report = {
            "failed": failure is not None,
            "host": self._host,
            "port": store.port if store is not None else 0,
            "counts": [_rows_by_partition(shard.ids) for shard in shards],
            "sees_mark": self._terms.mark is None or files.exists(self._terms.mark),
            "checksum": shards[0].checksum() if failure is None and self._terms.resumable else 0,
        }
        return [json.loads(text) for text in self._context.allGather(json.dumps(report))]

    def _check(self, rows: list[int], reports: list[dict[str, Any]]) -> None:
        if 0 in rows:
            what = "to validate on" if rows[0] else "to train on"
            raise DataError(f"Model {self._work.model.name!r}: the data {what} has no rows.")
        blind = [report["host"] for report in reports if not report["sees_mark"]]
        if blind and self._terms.mark is not None:
            folder = files.display(self._terms.mark.rpartition("/")[0])
            raise DistributedError(
                f"The folder of the checkpoints, {folder}, is not the same on all machines: {blind[0]} does not see "
                "what the driver has written there. Give set_checkpoint a folder that all share, on hdfs://, s3:// or "
                "a network file system."
            )
        checksums = [report["checksum"] for report in reports]
        if self._terms.checksums not in (None, checksums):
            raise DistributedError(
                "The data is not what it was before a worker was lost, so that training cannot go on as if nothing had "
                "happened: Spark computed its rows anew, and they came in another order or with other values. Sort "
                "them by a column that identifies them, or persist or save the DataFrame, before training."
            )
        if self._rank == 0:
            hosts = [report["host"] for report in reports]
            self._relay.tell("begin", rows=rows, hosts=hosts, checksums=checksums)

    def _sources(
        self, shards: list[Shard], samples: list[Samples], rows: list[int], starts: list[list[int]]
    ) -> list[ShardSource]:
        """Returns the batches to train on and, where there are any, those to validate on."""
        work = self._work
        indices = [
            np.asarray(start, np.int64)[partition_of(shard.ids)] + row_of(shard.ids)
            for shard, start in zip(shards, starts, strict=True)
        ]
        trained = int(rows[0] * (1.0 - work.split))
        sources = [ShardSource(samples[0], indices[0], trained, work.batch_size, work.order)]
        if work.split:
            held_out = rows[0] - trained
            sources.append(
                ShardSource(samples[0], indices[0], held_out, work.validation_batch_size, InOrder(), first=trained)
            )
        elif len(shards) > 1:
            sources.append(ShardSource(samples[1], indices[1], rows[1], work.validation_batch_size, InOrder()))
        return sources

    # Training.

    def _train(self, sources: list[ShardSource], store: Any) -> bool:
        """Trains; returns whether the driver ended it before its time."""
        work = self._work
        with joined(self._rank, self._size, self._host, store, self._terms.options, self._device) as group:
            work.step.group = group
            work.step.shares_statistics = self._terms.options.sync_batch_norm
            if work.needs_driver and self._rank == 0 and not self._relay.connected:
                raise DistributedError(
                    "Callbacks run on the driver, which the workers cannot reach. On classic Spark set "
                    "spark.driver.host to an address that the executors reach, and spark.bigdl.driver.port to a port "
                    "that is open to them; on Spark Connect run the client where they can reach it, or give no "
                    "callbacks."
                )
            if self._rank == 0:
                work.step.wants_to_stop = lambda: self._relay.stop_wanted
            post = Post(group, sources[0], sources[1] if len(sources) > 1 else None, self._relay)
            hooks = [SeedHook(work.seed, self._rank), LagHook(self._relay, group), *work.hooks(post)]
            interrupted = False
            try:
                train(work.step, sources[0], work.is_done, hooks, work.state)
            except KeyboardInterrupt:  # the driver's
                interrupted = True
            group.part(store)
        return interrupted

    # What the driver gets.

    def _failed(self, error: Exception, starts: list[list[int]]) -> Iterator[pa.RecordBatch]:
        content = failure_of(
            error, peer=isinstance(error, PeerLostError), host=self._host, rank=self._rank, time=time.time()
        )
        if isinstance(error, BadRowsError):
            content["message"] = error.described(starts)
        yield from result_batches(self._rank, content)


def _rows_of(batch: pa.RecordBatch, number: int, sets: int) -> pa.RecordBatch:
    return batch if sets == 1 else batch.filter(pc.equal(batch.column(PART), number))


def _summed(reports: list[dict[str, Any]], sets: int) -> list[dict[int, int]]:
    """Returns, for each data set, how many rows each partition of the data that Spark was given has."""
    summed: list[dict[int, int]] = [{} for _ in range(sets)]
    for report in reports:
        for total, counts in zip(summed, report["counts"], strict=True):
            for partition, count in counts:
                total[partition] = total.get(partition, 0) + count
    return summed


def _rows_by_partition(ids: NDArray[np.int64]) -> list[list[int]]:
    partitions, counts = np.unique(partition_of(ids), return_counts=True)
    return [[int(partition), int(count)] for partition, count in zip(partitions, counts, strict=True)]
