"""The search for hyperparameters with Optuna, its trials run by the tasks of a Spark job."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from bigdl.errors import DistributedError
from bigdl.spark.attended import AttendedJob, listening
from bigdl.spark.channel import CLOSED, Address, Line, Message, connect
from bigdl.spark.cluster import Cluster
from bigdl.spark.failures import explained, failure_of, mistake
from bigdl.spark.session import active_session

if TYPE_CHECKING:
    import optuna

_SECONDS_TO_REACH_DRIVER = 30.0


class RemoteTrial:
    """A trial of Optuna as an objective on a worker has it: what it asks is answered by the study, on the driver.

    It has the methods of ``optuna.trial.Trial`` that objectives use.

    Args:
        line: The line to the driver.
        number: The number of the trial.
    """

    def __init__(self, line: Line, number: int) -> None:
        self.number = number
        self.params: dict[str, Any] = {}
        self._line = line

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Returns a number between two."""
        return float(self._suggest("suggest_float", name, low, high, step=step, log=log))

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1, log: bool = False) -> int:
        """Returns a whole number between two."""
        return int(self._suggest("suggest_int", name, low, high, step=step, log=log))

    def suggest_categorical(self, name: str, choices: Sequence[Any]) -> Any:
        """Returns one of some choices, which are numbers, strings, truth values or None."""
        return self._suggest("suggest_categorical", name, list(choices))

    def report(self, value: float, step: int) -> None:
        """Reports an intermediate value."""
        self._ask("report", float(value), int(step))

    def should_prune(self) -> bool:
        """Tells whether the trial is not worth going on with."""
        return bool(self._ask("should_prune"))

    def set_user_attr(self, key: str, value: Any) -> None:
        """Keeps something of what JSON can hold with the trial."""
        self._ask("set_user_attr", key, value)

    def _suggest(self, method: str, name: str, *arguments: Any, **settings: Any) -> Any:
        self.params[name] = self._ask(method, name, *arguments, **settings)
        return self.params[name]

    def _ask(self, method: str, *arguments: Any, **settings: Any) -> Any:
        answer = _asked(self._line, {"kind": "call", "method": method, "arguments": arguments, "settings": settings})
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["value"]


def optimize_study(
    study: optuna.Study,
    objective: Callable[[Any], float],
    n_trials: int,
    n_jobs: int | None = None,
    catch: tuple[type[Exception], ...] = (),
) -> None:
    """Runs trials in the tasks of the active session, as ``study.optimize(objective, n_trials)`` does in this process.

    Each task runs one trial after the other. The study stays on the driver, so that it may be in memory, and knows of
    each intermediate value at once.

    Args:
        study: The study.
        objective: Trains and returns what is to be made small (or large); it gets a trial, and runs on a worker.
        n_trials: How many trials.
        n_jobs: How many at a time; as many as the session has task slots by default.
        catch: Exceptions of the objective that only fail their trial.

    Raises:
        DistributedError: The objective raised another exception, or the workers cannot reach the driver.
        KeyboardInterrupt: Ctrl-C was pressed; the trials that were under way are complete.
    """
    session = active_session()
    cluster = Cluster(session)
    jobs = min(n_trials, n_jobs or cluster.slots() or 1)
    caught = [kind.__name__ for kind in catch]
    with listening(cluster) as channel:
        if channel is None:
            raise DistributedError("The study is on the driver, which the workers of this session cannot reach.")
        address = channel.address

        def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for _ in batches:
                _run_trials(address, objective)
            yield from ()

        frame = session.range(0, jobs, 1, jobs)
        desk = _Desk(study, n_trials, caught)
        job = AttendedJob(session, f"bigdl: {n_trials} trials", lambda: frame.mapInArrow(run, "n int").collect())
        try:
            job.result(channel, desk.take, desk.stop)
        except (PySparkException, Py4JError) as error:
            raise explained(error) from None
        finally:
            desk.close()
        if desk.mistake is not None:
            raise mistake(desk.mistake)
        if desk.stopped:
            raise KeyboardInterrupt


class _Desk:
    """Where the driver answers trials."""

    def __init__(self, study: optuna.Study, n_trials: int, caught: list[str]) -> None:
        self.mistake: dict[str, Any] | None = None
        self.stopped = False
        self._study = study
        self._left = n_trials
        self._caught = caught
        self._trials: dict[Line, optuna.Trial] = {}

    def take(self, message: Message) -> None:
        """Takes a message of a worker."""
        content, line = message.content, message.line
        if content["kind"] == "next":
            self._next(line)
        elif content["kind"] == "call":
            self._call(line, content)
        elif content["kind"] == "done":
            self._tell(line, content.get("value"), content.get("state"))
        elif content["kind"] == "failed":
            self._tell(line, None, "FAIL")
            if content["failed"] not in self._caught:
                self.mistake = self.mistake or content
                self._left = 0
        elif content["kind"] == CLOSED:
            self._tell(line, None, "FAIL")

    def stop(self) -> bool:
        """Begins no more trials."""
        self._left, self.stopped = 0, True
        return True

    def close(self) -> None:
        """Fails the trials whose workers are gone."""
        for line in list(self._trials):
            self._tell(line, None, "FAIL")

    def _next(self, line: Line) -> None:
        if self._left > 0:
            self._left -= 1
            self._trials[line] = self._study.ask()
            _send(line, {"number": self._trials[line].number})
        else:
            _send(line, {"number": None})

    def _call(self, line: Line, content: dict[str, Any]) -> None:
        settings = {key: value for key, value in content["settings"].items() if value is not None}
        try:
            value = getattr(self._trials[line], content["method"])(*content["arguments"], **settings)
        except Exception as error:  # of wrong arguments; it is raised where they were given
            _send(line, {"error": str(error)})
        else:
            _send(line, {"value": value.item() if isinstance(value, np.generic) else value})  # as pruners' answers are

    def _tell(self, line: Line, value: float | None, state: str | None) -> None:
        from optuna.trial import TrialState

        trial = self._trials.pop(line, None)
        if trial is not None:
            self._study.tell(trial, value, None if state is None else TrialState[state])


def _run_trials(address: Address, objective: Callable[[Any], float]) -> None:
    """Runs trials in a task, until the driver has no more."""
    from optuna.exceptions import TrialPruned

    line = connect(address, _SECONDS_TO_REACH_DRIVER)
    if line is None:
        raise DistributedError(f"A worker does not reach the driver at {address.host}:{address.port}.")
    line.set_timeout(None)
    try:
        while (number := _asked(line, {"kind": "next"})["number"]) is not None:
            try:
                report: dict[str, Any] = {"kind": "done", "value": float(objective(RemoteTrial(line, number)))}
            except TrialPruned:
                report = {"kind": "done", "state": "PRUNED"}
            except Exception as error:
                report = {"kind": "failed", **failure_of(error)}
            line.send(report)
    finally:
        line.close()


def _asked(line: Line, message: dict[str, Any]) -> dict[str, Any]:
    """Sends a message and returns the answer."""
    line.send(message)
    answer = line.receive()
    if answer is None:
        raise DistributedError("The driver does not answer any more.")
    return answer[0]


def _send(line: Line, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # the worker is gone, of which the end of its line tells
        line.send(message)
