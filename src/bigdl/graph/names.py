"""Automatic names, as Keras gives them: ``dense_1``, ``dense_2``, ... by class, counted in this process."""

from collections import Counter

_counts: Counter[str] = Counter()


def unique_name(prefix: str) -> str:
    """Returns ``prefix_N`` with the next N of that prefix."""
    _counts[prefix] += 1
    return f"{prefix}_{_counts[prefix]}"


def reset_names() -> None:
    """Starts all counts again (Keras's ``clear_session``)."""
    _counts.clear()
