"""A job of workers that train together: sent off, watched, and sent off again when a worker is lost."""

from __future__ import annotations

import contextlib
import logging
import math
import queue
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from bigdl import files
from bigdl.errors import DataError
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
from bigdl.training.interrupt import deferred_interrupt

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

logger = logging.getLogger("bigdl")

_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_TO_END = 30.0
_SECONDS_TO_BEGIN = 2.0


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
    with _listening(cluster) as channel, _marked(folder) as mark:
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
                rows = _Run(cluster.session, frame, work(), terms, channel, watch).result()
                return _outcome(rows)
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


class _Run:
    """One attempt: the job in a thread, while this one hears what the workers tell."""

    def __init__(
        self, session: SparkSession, frame: DataFrame, work: Work, terms: Terms, channel: Channel | None, watch: Watch
    ) -> None:
        self._session = session
        self._frame = frame
        self._work = work
        self._terms = terms
        self._channel = channel
        self._watch = watch
        self._tag = f"bigdl-{uuid.uuid4().hex}"
        self._rows: list[Any] = []
        self._error: BaseException | None = None

    def result(self) -> list[Any]:
        """Returns the rows that the workers give.

        Raises:
            LostWorkerError: The job failed, but by no mistake in the program.
            DistributedError: It failed otherwise.
            KeyboardInterrupt: Ctrl-C was pressed twice, or before training had begun.
        """
        thread = _thread(self._session, self._collect)
        thread.start()
        try:
            with deferred_interrupt(_is_sparks) as interrupted:
                self._attend(thread, interrupted)
        except BaseException:
            self._session.interruptTag(self._tag)
            thread.join(_SECONDS_TO_END)
            raise
        if self._error is not None:
            raise explained(self._error) from None
        return self._rows

    def _attend(self, thread: threading.Thread, interrupted: Callable[[], bool]) -> None:
        asked, deadline = False, math.inf
        while thread.is_alive() or not self._quiet():
            self._hear()
            if interrupted() and not asked:
                asked = self._watch.stop()
                deadline = min(deadline, time.monotonic() + _SECONDS_TO_BEGIN)
                if not asked and time.monotonic() > deadline:  # training has not begun
                    raise KeyboardInterrupt
        thread.join()

    def _quiet(self) -> bool:
        return self._channel is None or self._channel.messages.empty()

    def _hear(self) -> None:
        if self._channel is None:
            time.sleep(_SECONDS_BETWEEN_LOOKS)
            return
        with contextlib.suppress(queue.Empty):
            self._watch.take(self._channel.messages.get(timeout=_SECONDS_BETWEEN_LOOKS))

    def _collect(self) -> None:
        work, terms = self._work, self._terms

        def train_together(batches: Any) -> Any:
            yield from run(batches, work, terms)

        try:
            self._session.addTag(self._tag)
            _describe(self._session, f"bigdl: training {work.model.name}")
            self._rows = self._frame.mapInArrow(train_together, SCHEMA, barrier=True).collect()
        except BaseException as error:
            self._error = error
        finally:
            with contextlib.suppress(Exception):  # the session may be gone
                self._session.removeTag(self._tag)


def _thread(session: SparkSession, target: Callable[[], None]) -> threading.Thread:
    """Returns a thread that has what Spark keeps for each thread, such as the pool of the fair scheduler."""
    from pyspark import InheritableThread

    return InheritableThread(target=target, session=session, name="bigdl-job", daemon=True)


def _is_sparks(handler: Any) -> bool:
    """Tells whether it is Spark's way to take Ctrl-C: it cancels all jobs of the session."""
    return str(getattr(handler, "__module__", "")).startswith("pyspark")


def _describe(session: SparkSession, text: str) -> None:
    if not Cluster(session).is_connect:
        session.sparkContext.setJobDescription(text)


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


@contextlib.contextmanager
def _listening(cluster: Cluster) -> Iterator[Channel | None]:
    """Gives the channel on which workers report; None where this machine has no address that they could reach."""
    driver = cluster.conf("spark.driver.host")
    port = int(cluster.setting("bigdl.driver.port", 0))
    if not cluster.is_connect:
        with Channel(driver, cluster.conf("spark.driver.bindAddress") or None, port) as channel:
            yield channel
        return
    own = _address_towards(driver)  # Spark's driver is the server of Connect, which may be another machine
    if own is None:
        logger.info("The cluster does not reach this machine, so that there is no progress to show.")
        yield None
        return
    with Channel(own, None, port) as channel:
        yield channel


def _address_towards(host: str) -> str | None:
    """Returns this machine's address on the way to another; None where there is no way."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((host, 9))  # sends nothing
        except OSError:
            return None
        return str(probe.getsockname()[0])


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
