"""Where values lie whose times do not overlap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

_ALIGNED = 16
"""Places are multiples of so many values: a line of the cache."""


class Life(NamedTuple):
    """When a value is there, and how large it is.

    Attributes:
        first: The step that makes it.
        last: The last step that takes it.
        size: Its size.
    """

    first: int
    last: int
    size: int


def places(lives: Mapping[int, Life]) -> tuple[dict[int, int], int]:
    """Returns a place for each value, such that no two lie over each other at one time, and the size of all places.

    The largest are placed first, each as far to the front as there is room.

    Args:
        lives: The values, by number.
    """
    placed: dict[int, tuple[int, Life]] = {}
    for number, life in sorted(lives.items(), key=lambda item: -item[1].size):
        place = 0
        for start, other in sorted(placed.values()):
            apart = other.last < life.first or life.last < other.first
            if not apart and start < place + life.size:
                place = max(place, _aligned(start + other.size))
        placed[number] = (place, life)
    total = max((place + _aligned(life.size) for place, life in placed.values()), default=0)
    return {number: place for number, (place, _) in placed.items()}, total


def _aligned(size: int) -> int:
    return -(-size // _ALIGNED) * _ALIGNED
