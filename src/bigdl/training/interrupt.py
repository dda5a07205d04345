"""Ctrl-C between two batches instead of in the middle of one."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

_SPARKS = "pyspark"
"""Where the handler is from that a SparkContext leaves in the process: it cancels all jobs of the context at once."""


@contextlib.contextmanager
def deferred_interrupt() -> Iterator[Callable[[], bool]]:
    """Holds a Ctrl-C back for the time of the ``with`` block; a second one breaks in at once.

    Weights and the optimizer's state are changed one after the other, so a step that is broken off leaves neither the
    old nor the new ones. Outside the main thread, where no signal arrives, and where the program has its own way to
    take a Ctrl-C, nothing is changed.

    Yields:
        A function that tells whether there was a Ctrl-C.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    previous = signal.getsignal(signal.SIGINT)
    origin = str(getattr(previous, "__module__", "")).partition(".")[0]
    if previous is not signal.default_int_handler and origin != _SPARKS:
        yield lambda: False
        return
    caught: list[int] = []

    def catch(number: int, frame: Any) -> None:
        caught.append(number)
        signal.signal(signal.SIGINT, previous)

    signal.signal(signal.SIGINT, catch)
    try:
        yield lambda: bool(caught)
    finally:
        signal.signal(signal.SIGINT, previous)
