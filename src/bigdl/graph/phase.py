"""Whether the layer that runs is in training, for functions that it calls (Keras's learning phase)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar

_training: ContextVar[bool | None] = ContextVar("learning_phase", default=None)


@contextlib.contextmanager
def learning_phase(training: bool) -> Iterator[None]:
    """Makes it known inside the block whether the layer that runs is in training."""
    token = _training.set(training)
    try:
        yield
    finally:
        _training.reset(token)


def is_training() -> bool | None:
    """Returns whether the layer that runs is in training; None outside of layers, unless it was set."""
    return _training.get()


def set_training(value: bool) -> None:
    """Sets what ``is_training`` returns outside of layers."""
    _training.set(value)
