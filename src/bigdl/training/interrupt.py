"""Ctrl-C between two batches instead of in the middle of one."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def deferred_interrupt(replaceable: Callable[[Any], bool] | None = None) -> Iterator[Callable[[], bool]]:
    """Holds a Ctrl-C back for the time of the ``with`` block; a second one breaks in at once.

    Weights and the optimizer's state are changed one after the other, so a step that is broken off leaves neither the
    old nor the new ones. Outside the main thread, where no signal arrives, nothing is changed.

    Args:
        replaceable: Tells of a handler that is not Python's own whether it may be replaced for that time; by default
            none may.

    Yields:
        A function that tells whether there was a Ctrl-C.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    previous = signal.getsignal(signal.SIGINT)
    own_way = previous is not signal.default_int_handler
    if own_way and (replaceable is None or not replaceable(previous)):
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
