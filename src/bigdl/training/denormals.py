"""Numbers next to zero, with which processors are slow."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def flushed_denormals() -> Iterator[None]:
    """Treats numbers below the normal range (1e-38 in float32) as 0 for the time of the ``with`` block.

    Where a network is nearly sure of itself its gradients, and what optimizers keep of them, fade into these numbers.
    Processors may take a hundred times as long for them, and training twice as long. Keras's backends do the same.
    """
    before = _are_flushed()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def _are_flushed() -> bool:
    return torch.tensor(1e-40).mul(1.0).item() == 0.0
