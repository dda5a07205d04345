"""Automatic names, as Keras gives them: ``dense_1``, ``dense_2``, ... by class, counted in this process."""

from collections import Counter

_counts: Counter[str] = Counter()


def next_number(prefix: str = "") -> int:
    """Returns the next number of a prefix, from 1."""
    _counts[prefix] += 1
    return _counts[prefix]


def unique_name(prefix: str) -> str:
    """Returns ``prefix_N`` with the next N of that prefix."""
    return f"{prefix}_{next_number(prefix)}"


def reset_names() -> None:
    """Starts all counts again (Keras's ``clear_session``)."""
    _counts.clear()
