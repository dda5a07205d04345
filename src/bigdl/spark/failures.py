"""How jobs of workers fail: by mistakes, which are told at once, and by losses of workers, which are made good."""

from __future__ import annotations

import re
import socket
import time
import traceback
from typing import Any

from bigdl import errors
from bigdl.errors import BigDLError, DistributedError
from bigdl.spark.cluster import Cluster
from bigdl.spark.options import Options
from bigdl.spark.watch import Watch

# What Spark says when a worker, or its executor, has ended; the most telling first.
_LOSSES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"ExecutorLostFailure.*",
        r"[^\n:]*worker exited unexpectedly.*",
        r"[^\n:]*(?:executor|host|worker) [^\n]*(?:lost|disconnected|decommissioned).*",
        r"FetchFailed.*",
        r"[^\n:]*heartbeat.*",
        r"Stage failed because barrier task.*",
    )
]
# What Python says when it raised before our code ran.
_TRACEBACK = re.compile(r"Traceback \(most recent call last\):\n(?: .*\n)+\S.*")


class LostWorkerError(DistributedError):
    """A worker was lost: not by a mistake in the program, so that the job can be tried again."""


def explained(error: Exception) -> DistributedError:
    """Tells the loss of a worker from what would happen again.

    A mistake on a worker comes back as a row; what fails the job itself is a worker's end, or something before our code
    ran, of which Python's traceback tells.
    """
    text = str(error)
    if (mistake := _TRACEBACK.search(text)) is not None:
        hint = ""
        if "ModuleNotFoundError" in mistake.group() or "AttributeError" in mistake.group():
            hint = (
                " The executors need the packages and modules of the driver, in the same versions: install them there, "
                "or send them along (--archives, --py-files)."
            )
        return DistributedError(f"{mistake.group().rstrip()}\n(a worker could not begin.{hint})")
    lost = next((found.group() for pattern in _LOSSES if (found := pattern.search(text)) is not None), None)
    if lost is not None:
        return LostWorkerError(f"A worker was lost: {lost.strip().rstrip('.')[:300]}.")
    if "cancel" in text.lower():
        return DistributedError(f"The job was cancelled: {_first_line(text)}")
    return DistributedError(f"Spark could not run the job: {text}")


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:300]


def failure_of(error: Exception, **more: Any) -> dict[str, Any]:
    """Returns what a worker reports of an error.

    Args:
        error: The error.
        more: What else is reported.
    """
    return {
        "failed": type(error).__name__,
        "module": type(error).__module__,
        "message": str(error),
        "traceback": "".join(traceback.format_exception(error)),
        "host": socket.gethostname(),
        "rank": 0,
        **more,
    }


def mistake(failure: dict[str, Any]) -> BigDLError:
    """Returns the error for what went wrong on a worker: of this library's kinds as they are, another by its traceback.

    Args:
        failure: What the worker has reported.
    """
    where = f"worker {failure['rank']} on {failure['host']}"
    kind = getattr(errors, failure["failed"], None) if failure["module"] == errors.__name__ else None
    if kind is None and failure["failed"] == "BadRowsError":
        kind = errors.DataError
    if isinstance(kind, type) and issubclass(kind, BigDLError):
        error = kind(failure["message"])
        error.add_note(f"On {where}.")
        return error
    return DistributedError(f"{failure['traceback'].rstrip()}\n(on {where})")


def nothing_kept(error: LostWorkerError, watch: Watch) -> DistributedError:
    """Returns the error for the loss of a worker in a training that keeps no checkpoints."""
    done = f"all {watch.iteration} iterations since the start are lost" if watch.iteration else "nothing was done yet"
    return DistributedError(
        f"{error} No checkpoints are written, so {done}; the model is as it was. With set_checkpoint(trigger, path) "
        "training goes on from the last one."
    )


class Attempts:
    """Counts the losses of workers, as BigDL does: many, far apart, are made good; many in a row are not."""

    def __init__(self, cluster: Cluster, options: Options) -> None:
        retries = options.retries
        self.most = int(cluster.setting("bigdl.failure.retryTimes", 5)) if retries is None else retries
        interval = cluster.setting("bigdl.failure.retryTimeInterval", 120)
        seconds = options.retry_seconds
        self._seconds = interval * self.most if seconds is None else seconds
        self.lost = 0
        self._last: tuple[float, int] | None = None

    def count(self, error: LostWorkerError, iteration: int) -> None:
        """Counts one.

        Raises:
            DistributedError: It was one too many.
        """
        now = time.monotonic()
        if self._last is not None and now - self._last[0] > self._seconds and iteration > self._last[1]:
            self.lost = 0
        self._last = (now, iteration)
        self.lost += 1
        if self.lost > self.most:
            raise DistributedError(
                f"Training was given up after {self.lost} losses of workers (retries={self.most}). The last: {error} "
                "It can go on from the last checkpoint: resume(path)."
            ) from error
