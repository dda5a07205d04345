"""What the readers of binary formats share: damage becomes a ``FormatError``, names in messages stay short."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, count

from bigdl.errors import FormatError


@contextmanager
def guarded(source: str, what: str) -> Iterator[None]:
    """Turns whatever a library makes of a damaged file into a ``FormatError``."""
    try:
        yield
    except FormatError:
        raise
    except Exception as error:  # h5py raises nearly every built-in kind
        raise FormatError(
            f"{source}: {what} cannot be read: {type(error).__name__}: {error}. The file is damaged or truncated; "
            "fetch or save it again."
        ) from error


def shown(name: str) -> str:
    """Returns a name from a file as messages show it."""
    return repr(name if len(name) <= 100 else name[:100] + "...")


def distinct(names: Sequence[str]) -> list[str]:
    """Numbers the names that occur again."""
    found: dict[str, None] = {}
    for name in names:
        candidates = chain([name], (f"{name}_{number}" for number in count(1)))
        found[next(candidate for candidate in candidates if candidate not in found)] = None
    return list(found)
