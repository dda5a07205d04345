"""Whether a session of Spark can run a job of workers that need each other; asked before the job, with the remedy."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bigdl.errors import DistributedError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_ENCRYPTION = ("spark.network.crypto.enabled", "spark.ssl.enabled", "spark.ssl.rpc.enabled")
_IGNORE_ENCRYPTION = "spark.bigdl.ignoreEncryption"
_DESCRIPTION = "spark.job.description"
_ROWS_OF_A_WORKER = 8
_SECONDS_FOR_EXECUTORS = 30.0


@dataclass(frozen=True)
class Cluster:
    """A session, as far as jobs of workers are concerned.

    Args:
        session: The session, classic or Connect.
    """

    session: SparkSession

    @property
    def is_connect(self) -> bool:
        """Whether it is a session of Spark Connect, which has no SparkContext."""
        return ".connect." in type(self.session).__module__

    @contextlib.contextmanager
    def described(self, text: str) -> Iterator[None]:
        """Says on Spark's own pages what the jobs of this thread do, for the time of the ``with`` block.

        Spark Connect has no such descriptions.
        """
        if self.is_connect:
            yield
            return
        context: Any = self.session.sparkContext
        before = context.getLocalProperty(_DESCRIPTION)
        context.setLocalProperty(_DESCRIPTION, text)
        try:
            yield
        finally:
            context.setLocalProperty(_DESCRIPTION, before)

    def conf(self, name: str, default: str = "") -> str:
        """Returns a setting of the session."""
        if not self.is_connect:
            value = self.session.sparkContext.getConf().get(name)
            if value is not None:
                return value
        return str(self.session.conf.get(name, default))

    def setting(self, name: str, default: float) -> float:
        """Returns a number of BigDL's settings: ``spark.NAME`` of the session, or ``NAME`` as BigDL knew it.

        Raises:
            DistributedError: It is no number.
        """
        value = self.conf(f"spark.{name}") or ("" if self.is_connect else self._classic_setting(name))
        try:
            return float(value) if value else default
        except ValueError:
            raise DistributedError(f"spark.{name} must be a number. Received: {value!r}.") from None

    def _classic_setting(self, name: str) -> str:
        context: Any = self.session.sparkContext
        return str(context.getConf().get(name) or context._jvm.java.lang.System.getProperty(name) or "")

    @property
    def is_local(self) -> bool:
        """Whether the tasks run in the driver's JVM."""
        return re.fullmatch(r"local(\[.*\])?", self.conf("spark.master")) is not None

    def workers(self, wanted: int | None, batch_size: int) -> int:
        """Returns how many workers a job is to have, once it is sure that they can run.

        Args:
            wanted: As many as that; None for all task slots, but no more than leave each worker 8 rows of a batch.
            batch_size: Rows of a batch.

        Raises:
            DistributedError: They cannot run at the same time, or may not talk to each other.
        """
        if wanted is not None and (isinstance(wanted, bool) or int(wanted) != wanted or wanted < 1):
            raise DistributedError(f"workers must be a positive whole number. Received: {wanted!r}.")
        self._check_allocation()
        self._check_encryption()
        slots = self.slots(wanted or 1)
        if wanted is None:
            return max(1, min(slots or 1, batch_size // _ROWS_OF_A_WORKER))
        if slots is not None and slots < wanted:
            raise DistributedError(
                f"{wanted} workers need {wanted} task slots at the same time, but the session has {slots} (executors "
                f"times spark.executor.cores / spark.task.cpus). Give workers={slots} or less, or start the session "
                f"with more executors or cores; on one machine with master('local[{wanted}]')."
            )
        return int(wanted)

    def _check_allocation(self) -> None:
        if self.conf("spark.dynamicAllocation.enabled").lower() == "true" and not self.is_local:
            raise DistributedError(
                "Workers that train together need all their executors at the same time, so Spark refuses such jobs "
                "under dynamic allocation (SPARK-24942). Start the session with spark.dynamicAllocation.enabled=false "
                "and a fixed spark.executor.instances. Prediction and evaluation work with it."
            )

    def _check_encryption(self) -> None:
        demanded = [name for name in _ENCRYPTION if self.conf(name).lower() == "true"]
        if demanded and self.conf(_IGNORE_ENCRYPTION).lower() != "true":
            raise DistributedError(
                f"The cluster demands encryption ({demanded[0]}=true), and workers exchange gradients over plain "
                f"connections (torch.distributed's gloo). If the network between the executors is trusted, say so with "
                f"{_IGNORE_ENCRYPTION}=true; else train on one machine."
            )

    def slots(self, wanted: int = 1) -> int | None:
        """Returns how many tasks can run at the same time, None where nobody can tell.

        Args:
            wanted: How many there should be: executors that have just been asked for may still be starting, so that too
                few are given some time.
        """
        if self.is_connect:
            return self._slots_by_conf()
        context: Any = self.session.sparkContext
        scala = context._jsc.sc()
        profile = scala.resourceProfileManager().defaultResourceProfile()
        deadline = time.monotonic() + _SECONDS_FOR_EXECUTORS
        expected = max(wanted, self._slots_by_conf() or 0)
        slots = int(scala.maxNumConcurrentTasks(profile))
        while slots < expected and not self.is_local and time.monotonic() < deadline:
            time.sleep(0.2)
            slots = int(scala.maxNumConcurrentTasks(profile))
        return slots

    def _slots_by_conf(self) -> int | None:
        """Returns the task slots that the session was started with, as far as its settings tell."""
        master = self.conf("spark.master")
        per_task = int(self.conf("spark.task.cpus", "1") or 1)
        if (local := re.fullmatch(r"local\[(\d+)(?:,.*)?\]", master)) is not None:
            return int(local.group(1)) // per_task
        if (several := re.fullmatch(r"local-cluster\[\s*(\d+)\s*,\s*(\d+)\s*,.*\]", master)) is not None:
            return int(several.group(1)) * (int(several.group(2)) // per_task)
        executors, cores = self.conf("spark.executor.instances"), self.conf("spark.executor.cores")
        return int(executors) * (int(cores or 1) // per_task) if executors else None
