"""Criterions that end a worker, once, in the middle of training; they run on the workers."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.spark.models import nll

SECONDS = 100


class Fault:
    """A criterion that does something at a step, on the worker that comes first, unless it was done before.

    Args:
        marker: A file that says that it was done.
        step: At which call.
        action: What is done.
    """

    def __init__(self, marker: Path, step: int, action: Callable[[], None]) -> None:
        self.marker = str(marker)
        self.step = step
        self.action = action
        self.calls = 0
        self.criterion = nll()

    def __call__(self, output: Any, target: Any) -> Any:
        self.calls += 1
        if self.calls >= self.step and self._is_first():
            self.action()
        return self.criterion(output, target)

    def _is_first(self) -> bool:
        try:
            os.close(os.open(self.marker, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True


def kill_executor() -> None:
    """Kills the JVM that this Python worker belongs to, through the daemon between them."""
    os.kill(_parent(os.getppid()), signal.SIGKILL)
    time.sleep(SECONDS)  # until it takes this process with it


def kill_worker() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def leave() -> None:
    os._exit(1)


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
