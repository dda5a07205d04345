"""Jobs of BigDL's optimizers: what the driver shows of them, and how they go back to a checkpoint."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bigdl.spark.channel import Line
from bigdl.spark.cluster import Cluster
from bigdl.spark.job import submit
from bigdl.spark.optimizer_work import OptimizerWork
from bigdl.spark.options import Options
from bigdl.spark.placement import DataSet
from bigdl.spark.results import restore
from bigdl.training.events import Distribution
from bigdl.training.progress import EpochDisplay
from bigdl.training.summaries import Summary


def optimize(
    sets: Sequence[DataSet],
    work: Callable[[], OptimizerWork],
    options: Options,
    resume: Callable[[], bool] | None,
    summaries: Sequence[Summary],
    verbose: int,
    epochs: int | None,
) -> dict[str, Any]:
    """Trains the model of a work on a cluster, in place.

    Args:
        sets: The data to train on, and to validate on.
        work: Makes the work anew for each attempt, from where training has come to.
        options: How the job runs.
        resume: See ``submit``.
        summaries: The summaries, open for writing.
        verbose: 0 shows nothing, 1 a progress bar on a terminal and a line for each epoch, 2 the lines only.
        epochs: How many epochs there will be, None where nobody knows.

    Returns:
        What ``OptimizerWork.outcome`` gave.

    Raises:
        BigDLError: See ``submit``.
    """
    cluster = Cluster(sets[0].frame.sparkSession)
    first = work()
    workers = cluster.workers(options.workers, first.batch_size)
    with contextlib.closing(_Display(summaries, verbose, epochs)) as display:
        folder = None if first.checkpoint is None else first.checkpoint[0].folder
        outcome, state = submit(sets, work, cluster, workers, options, display.follow, resume, folder)
    restore(first, state)
    return outcome


class _Display:
    """Shows what the workers tell."""

    def __init__(self, summaries: Sequence[Summary], verbose: int, epochs: int | None) -> None:
        self._summaries = {summary.kind: summary for summary in summaries}
        self._verbose = verbose
        self._epochs = epochs
        self._shown: EpochDisplay | None = None

    def follow(self, content: dict[str, Any], data: bytes, line: Line) -> None:
        """Takes a message; see ``Watch``."""
        kind = content["kind"]
        if "summary" in content:
            self._report(self._summaries[content["summary"]], content)
        elif kind == "begin":
            self._shown = EpochDisplay(content["rows"][0], self._verbose, self._epochs)
        elif self._shown is None:
            return
        elif kind == "on_epoch_begin":
            self._shown.begin(content["state"]["epoch"], content["state"]["records"])
        elif kind == "on_batch_end":
            self._shown.note = content["lag"]
            self._shown.advance(content["rows"], {"loss": content["results"][0]})
        elif kind == "on_epoch_end":
            self._shown.end(content["newest"])

    def _report(self, summary: Summary, content: dict[str, Any]) -> None:
        if content["kind"] == "scalar":
            summary.writer.scalar(content["tag"], content["value"], content["step"])
        elif content["kind"] == "histogram":
            found = content["distribution"]
            distribution = Distribution(**{**found, "counts": np.array(found["counts"], np.int64)})
            summary.writer.histogram(content["tag"], distribution, content["step"])
        else:
            summary.flush()

    def close(self) -> None:
        """Takes the bar away."""
        if self._shown is not None:
            self._shown.close()
