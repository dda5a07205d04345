"""Weights and inputs that NumPy 1 and 2 draw alike: here and under the real Keras (Python 3.6)."""

import zlib
from typing import Any, Dict, Iterable, Iterator, List, Sequence  # noqa: UP035 - Python 3.6

import numpy as np

PIECE = 2**20  # how many numbers are drawn at once


def generator(name: str) -> np.random.RandomState:
    """A generator of random numbers that depends on a name only; NumPy promises never to change its numbers."""
    return np.random.RandomState(zlib.crc32(name.encode()) % 2**32)


def uniform(rng: np.random.RandomState, shape: Sequence[int], low: float, high: float) -> Any:
    """float32 numbers from low to high, drawn piece by piece, as drawing needs twice the room of the result."""
    flat = np.empty(int(np.prod(shape)), "float32")
    for start in range(0, flat.size, PIECE):
        piece = flat[start : start + PIECE]
        piece[:] = low + (high - low) * rng.random_sample(piece.size)
    return flat.reshape(shape)


def weights(name: str, shapes: Iterable[Sequence[int]], ranges: Any) -> Iterator[Any]:
    """The arrays of a model, one after the other.

    Args:
        name: The case.
        shapes: Their shapes, in the order of ``get_weights``.
        ranges: The lowest and the highest value of each.
    """
    rng = generator(name + " weights")
    for shape, (low, high) in zip(shapes, ranges.astype("float64")):  # noqa: B905 - Python 3.6
        yield uniform(rng, shape, low, high)


def inputs(name: str, descriptions: Iterable[Dict[str, Any]]) -> List[Any]:  # noqa: UP006
    """The inputs of a case: numbers from -1 to 1, or whole ones where the description says ``from`` and ``below``."""
    rng = generator(name + " inputs")
    arrays = []
    for description in descriptions:
        low, high = description.get("from", -1), description.get("below", 1)
        array = uniform(rng, description["shape"], low, high)
        arrays.append(array.astype("int32") if "below" in description else array)
    return arrays


def sample(array: Any, most: int = 400) -> Any:
    """At most so many values from all over an array; the odd distance meets every channel."""
    flat = array.reshape(-1)
    return flat[:: -(-flat.size // most) | 1]
