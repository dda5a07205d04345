"""Batches made ahead, in a thread of their own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

# How often a thread that waits looks whether it shall end; nothing else depends on it.
_SECONDS = 0.1


class Prefetcher:
    """Takes items from an iterator in a thread, a few ahead of who needs them; a context manager.

    No more items are taken than are wanted, so that the iterator can be used again afterwards. What it raises is raised
    where the item was needed.

    Args:
        items: The iterator.
        is_last: Tells of each item, in order, whether no more are wanted after it.
        ahead: How many items may wait.
    """

    def __init__(self, items: Iterator[Any], is_last: Callable[[Any], bool], ahead: int = 10) -> None:
        self._items = items
        self._is_last = is_last
        self._queue: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(max(1, ahead))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._fill, name="bigdl-prefetch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        if error is None:  # else an iterator that waits for ever would keep the error from its reader
            self._thread.join()

    def _fill(self) -> None:
        last = False
        try:
            while not last and not self._stop.is_set():
                item = next(self._items)
                last = self._is_last(item)
                self._put(item, None)
        except BaseException as error:
            self._put(None, error)
        else:
            self._put(None, StopIteration())

    def _put(self, item: Any, error: BaseException | None) -> None:
        while not self._stop.is_set():
            try:
                self._queue.put((item, error), timeout=_SECONDS)
            except queue.Full:
                continue
            return

    def get(self) -> Any:
        """Returns the next item, waiting for it.

        Raises:
            StopIteration: The iterator has come to its end, or no more items were wanted.
            Exception: What the iterator raised.
        """
        item, error = self._queue.get()
        if error is not None:
            raise error
        return item
