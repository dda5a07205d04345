"""Arguments that BigDL and Keras call by different names."""

from __future__ import annotations

from bigdl.errors import DataError
from bigdl.files import Uri


def one_of(name: str, value: Uri | None, other: str, alias: Uri | None) -> Uri | None:
    """Returns an argument that has two names, None where neither is given.

    Raises:
        DataError: Both are given.
    """
    if value is not None and alias is not None:
        raise DataError(f"{name} and {other} are two names of one argument. Received both: {value!r}, {alias!r}.")
    return alias if value is None else value


def required(name: str, value: Uri | None, other: str, alias: Uri | None) -> Uri:
    """Returns an argument that has two names.

    Raises:
        DataError: Both are given, or neither.
    """
    given = one_of(name, value, other, alias)
    if given is None:
        raise DataError(f"{name} (or {other}, its other name) must be given.")
    return given
