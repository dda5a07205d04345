"""A job of Spark in a thread of its own, while the driver hears what its workers tell."""

from __future__ import annotations

import contextlib
import logging
import math
import queue
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from bigdl.spark.channel import Channel, Message
from bigdl.spark.cluster import Cluster
from bigdl.training.interrupt import deferred_interrupt

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

logger = logging.getLogger("bigdl")

_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_TO_BEGIN = 2.0
_SECONDS_TO_END = 30.0


class AttendedJob:
    """A job that is attended to from this thread, so that callbacks run here and Ctrl-C is heard.

    Args:
        session: The session.
        description: What Spark's own pages call the job.
        action: Runs the job, and returns its rows.
    """

    def __init__(self, session: SparkSession, description: str, action: Callable[[], list[Any]]) -> None:
        self._session = session
        self._description = description
        self._action = action
        self._tag = f"bigdl-{uuid.uuid4().hex}"
        self._rows: list[Any] = []
        self._error: BaseException | None = None

    def result(self, channel: Channel | None, take: Callable[[Message], None], stop: Callable[[], bool]) -> list[Any]:
        """Returns the rows of the job.

        Args:
            channel: Where its workers report; None for nowhere.
            take: Takes a message.
            stop: Asks the workers to come to an end, after Ctrl-C; tells whether they could be asked.

        Raises:
            Exception: What the job failed by, or what ``take`` raised; the job is cancelled then.
            KeyboardInterrupt: Ctrl-C was pressed twice, or the workers could not be asked.
        """
        thread = _thread(self._session, self._run)
        thread.start()
        try:
            with deferred_interrupt() as interrupted:
                self._attend(thread, channel, take, stop, interrupted)
        except BaseException:
            self._session.interruptTag(self._tag)
            thread.join(_SECONDS_TO_END)
            raise
        if self._error is not None:
            raise self._error
        return self._rows

    def _attend(
        self,
        thread: threading.Thread,
        channel: Channel | None,
        take: Callable[[Message], None],
        stop: Callable[[], bool],
        interrupted: Callable[[], bool],
    ) -> None:
        asked, deadline = False, math.inf
        while thread.is_alive() or (channel is not None and not channel.messages.empty()):
            if channel is None:
                time.sleep(_SECONDS_BETWEEN_LOOKS)
            else:
                with contextlib.suppress(queue.Empty):
                    take(channel.messages.get(timeout=_SECONDS_BETWEEN_LOOKS))
            if interrupted() and not asked:
                asked = stop()
                deadline = min(deadline, time.monotonic() + _SECONDS_TO_BEGIN)
                if not asked and time.monotonic() > deadline:  # the workers have not begun
                    raise KeyboardInterrupt
        thread.join()

    def _run(self) -> None:
        try:
            self._session.addTag(self._tag)
            with Cluster(self._session).described(self._description):
                self._rows = self._action()
        except BaseException as error:
            self._error = error
        finally:
            with contextlib.suppress(Exception):  # the session may be gone
                self._session.removeTag(self._tag)


def _thread(session: SparkSession, target: Callable[[], None]) -> threading.Thread:
    """Returns a thread that has what Spark keeps for each thread, such as the pool of the fair scheduler."""
    from pyspark import InheritableThread

    return InheritableThread(target=target, session=session, name="bigdl-job", daemon=True)


@contextlib.contextmanager
def listening(cluster: Cluster) -> Iterator[Channel | None]:
    """Gives a channel on which workers report; None where this machine has no address that they could reach."""
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
