"""A job of workers that train together: sent off, watched, and sent off again when a worker is lost."""

from __future__ import annotations

import contextlib
import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from torch import Tensor

from bigdl import files
from bigdl.errors import DataError
from bigdl.spark.attended import AttendedJob, listening
from bigdl.spark.channel import Channel, Line
from bigdl.spark.cluster import Cluster
from bigdl.spark.failures import Attempts, LostWorkerError, explained, mistake, nothing_kept
from bigdl.spark.options import Options
from bigdl.spark.placement import DataSet, placed
from bigdl.spark.results import SCHEMA, messages
from bigdl.spark.task import Terms, run
from bigdl.spark.watch import Watch
from bigdl.spark.work import Work
from bigdl.training.diagnosis import NonFiniteElsewhereError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

logger = logging.getLogger("bigdl")


def submit(
    sets: Sequence[DataSet],
    work: Callable[[], Work],
    cluster: Cluster,
    workers: int,
    options: Options,
    follow: Callable[[dict[str, Any], bytes, Line], None],
    resume: Callable[[], bool] | None,
    folder: str | None = None,
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Trains, and goes on from the last checkpoint where a worker is lost.

    Args:
        sets: The data to train on, and to validate on.
        work: Makes what the workers do, from where training has come to.
        cluster: The session.
        workers: How many workers.
        options: How the job runs.
        follow: See ``Watch``.
        resume: Puts the training back to the last checkpoint, and tells whether there was one; None where no
            checkpoints are written.
        folder: Where checkpoints are written, which driver and workers must share; None for nowhere.

    Returns:
        The outcome that ``Work.outcome`` gave, and the state of model and optimizer.

    Raises:
        BigDLError: What went wrong on a worker; data and training raise what they raise on one machine.
        DistributedError: Another mistake on a worker, or too many workers were lost.
    """
    attempts = Attempts(cluster, options)
    watch = Watch(follow)
    frame = placed(sets, workers)
    with listening(cluster) as channel, _marked(folder) as mark:
        while True:
            terms = Terms(
                channel.address if channel else None,
                options,
                logger.getEffectiveLevel(),
                resume is not None,
                watch.checksums,
                mark,
            )
            try:
                return _outcome(_attempt(cluster, frame, work(), terms, channel, watch))
            except LostWorkerError as error:
                if resume is None:
                    raise nothing_kept(error, watch) from error
                attempts.count(error, watch.iteration)
                found = resume()
                logger.warning(
                    "%s Training goes on from %s (loss %d of %d).",
                    error,
                    "the last checkpoint" if found else "the start, as there is no checkpoint yet",
                    attempts.lost,
                    attempts.most,
                )


def _attempt(
    cluster: Cluster, frame: DataFrame, work: Work, terms: Terms, channel: Channel | None, watch: Watch
) -> list[Any]:
    """Returns the rows that the workers give in one attempt.

    Raises:
        LostWorkerError: The job failed, but by no mistake in the program.
        DistributedError: It failed otherwise.
        KeyboardInterrupt: Ctrl-C was pressed twice, or before training had begun.
    """

    def train_together(batches: Any) -> Any:
        yield from run(batches, work, terms)

    def collect() -> list[Any]:
        return frame.mapInArrow(train_together, SCHEMA, barrier=True).collect()

    job = AttendedJob(cluster.session, f"bigdl: training {work.model.name}", collect)
    try:
        return job.result(channel, watch.take, watch.stop)
    except (PySparkException, Py4JError) as error:
        raise explained(error) from None


@contextlib.contextmanager
def _marked(folder: str | None) -> Iterator[str | None]:
    """Gives the path of a file in a folder, which is there for the time of the ``with`` block."""
    if folder is None:
        yield None
        return
    mark = f"{folder}/job-{uuid.uuid4().hex}"
    files.make_folder(folder)
    files.write_bytes(mark, b"")
    try:
        yield mark
    finally:
        files.remove(mark)


def _outcome(rows: list[Any]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Returns what the first worker gave, or raises what went wrong on the first that failed by itself."""
    contents, tensors = messages(rows)
    failures = [content for content in contents if "failed" in content]
    if not failures:
        if not contents:  # Spark has not even begun
            raise DataError("The data has no rows.")
        return contents[0], tensors
    own = [failure for failure in failures if not failure["peer"]]
    if not own:
        raise LostWorkerError(f"A worker was lost: {failures[0]['message']}")
    raise mistake(
        min(own, key=lambda failure: (failure["failed"] == NonFiniteElsewhereError.__name__, failure["time"]))
    )
