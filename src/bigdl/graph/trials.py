"""How functions are tried, to learn the shapes of what they return."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

LENGTHS = ((2, 24), (3, 36))
"""Lengths that stand for open ones, the batch first; what differs between the results is open."""

FEW_VALUES = 1 << 22


def devices_for(sizes: Iterable[Sequence[int]]) -> tuple[str, ...]:
    """Returns the devices to try a function on, one after the other until it succeeds.

    Tensors without values (``meta``) cost nothing to compute with, but the first of them makes torch import its
    compiler, a second or three. Few values are therefore computed.

    Args:
        sizes: The sizes of the tensors that the function is given.
    """
    return ("cpu", "meta") if sum(map(math.prod, sizes)) <= FEW_VALUES else ("meta", "cpu")
