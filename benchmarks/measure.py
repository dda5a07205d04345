"""Measures workloads: all peers on the same work at the same time, asked in turn, many short rounds."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from benchmarks.peers import PEERS, ROOT, SGEMM, python_of
from benchmarks.workloads import Workload

ROUND_SECONDS = 0.4
"""How long each peer predicts in a round, at least one batch."""

EPOCH_SECONDS = 1.5
"""How long each peer trains in a round: what an epoch costs beside its steps is to be small, as it is in real ones."""


class Worker:
    """The process of a peer, on some of the cores; a context manager.

    Args:
        peer: The peer's name.
        workload: What it runs.
        cores: The cores that it may use.

    Attributes:
        loaded: What the worker said of the network and of its start.
        calls: The batches of a round.
    """

    def __init__(self, peer: str, workload: Workload, cores: set[int]) -> None:
        self.peer = peer
        self.workload = workload
        python = python_of(PEERS[peer])
        assert python is not None
        command = [str(python), "-W", "ignore", "-m", "benchmarks.worker", PEERS[peer].runner, str(time.time())]
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cores)  # inherited, so that thread pools are made for these cores
        try:
            self._process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
        finally:
            os.sched_setaffinity(0, before)
        self.loaded = self._ask({"do": "load", "workload": workload.name})
        self.calls = self._fitting_calls()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def _ask(self, command: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.peer} could not run {self.workload.name}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _fitting_calls(self) -> int:
        """Returns how many batches make a round; they warm up the process too."""
        wanted = EPOCH_SECONDS if self.workload.training else ROUND_SECONDS
        calls = 1
        while self.run(calls)["cpu"] < wanted:
            calls *= 2
        return calls

    def run(self, calls: int | None = None) -> dict[str, float]:
        """Runs batches, those of a round by default; returns what they cost."""
        return self._ask({"do": "run", "calls": calls or self.calls})


@contextlib.contextmanager
def busy(cores: set[int]) -> Iterator[None]:
    """Keeps each of these cores busy with a process that computes all the time."""
    command = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(["taskset", "-c", str(core), *command]) for core in cores]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


@dataclass(frozen=True, slots=True)
class Condition:
    """Where a workload is measured.

    Attributes:
        name: ``"one core"``, ...
        title: What is measured, for a table.
        cores: How many cores there are.
        busy: Whether others compete for them.
        clock: The time that counts: ``"cpu"`` or ``"wall"``.
    """

    name: str
    title: str
    cores: int
    busy: bool
    clock: str


CONDITIONS = [
    Condition("one core", "Milliseconds of processor time for a batch, on one core", 1, False, "cpu"),
    Condition("two cores", "Milliseconds for a batch, on two cores", 2, False, "wall"),
    Condition("busy", "Milliseconds for a batch, on two cores with a busy process on each", 2, True, "wall"),
]


def measure(workload: Workload, condition: Condition, peers: Sequence[str], rounds: int) -> dict[str, Any]:
    """Returns what each peer needs for a workload.

    Args:
        workload: The workload.
        condition: Where.
        peers: The peers' names.
        rounds: How often each is asked.

    Returns:
        For each peer that could run it: milliseconds of a batch, processor's and clock's, one for each round; seconds
        to the first result, peak memory in MB, versions.
    """
    cores = set(sorted(os.sched_getaffinity(0))[-condition.cores :])
    results: dict[str, Any] = {}
    with contextlib.ExitStack() as stack:
        workers = []
        for peer in peers:
            if workload.training and not PEERS[peer].trains:
                continue
            try:
                workers.append(stack.enter_context(Worker(peer, workload, cores)))
            except RuntimeError as error:
                print(f"    {error}", flush=True)
        sizes = {worker.peer: worker.loaded["parameters"] for worker in workers if worker.peer != SGEMM}
        if len(set(sizes.values())) > 1:
            raise RuntimeError(f"{workload.name}: the networks differ in size: {sizes}")
        for worker in workers:
            results[worker.peer] = {**worker.loaded, "cpu": [], "wall": []}
        with busy(cores) if condition.busy else contextlib.nullcontext():
            for _ in range(rounds):
                for worker in workers:
                    cost = worker.run()
                    for clock in ("cpu", "wall"):
                        results[worker.peer][clock].append(1e3 * cost[clock] / worker.calls)
                    results[worker.peer]["memory"] = cost["memory"]
    return results
