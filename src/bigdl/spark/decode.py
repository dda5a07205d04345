"""Columns of Arrow to arrays of NumPy: numbers, arrays of them, bytes and images."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bigdl.graph import Shape

Kind = Literal["number", "array", "bytes", "image"]

_BYTES: dict[int, np.dtype[Any]] = {1: np.dtype("uint8"), 4: np.dtype("<f4"), 8: np.dtype("<f8")}


@dataclass(frozen=True, slots=True)
class Field:
    """What a column holds.

    Attributes:
        name: The column's name for the user.
        kind: How its values are stored.
        shape: The shape of one value; None where it follows from the data, also for single axes.
        dtype: The dtype of bytes; None to tell it from their number.
        double: Whether 64-bit floats stay what they are instead of becoming 32-bit ones.
    """

    name: str
    kind: Kind
    shape: Shape | None = None
    dtype: str | None = None
    double: bool = False

    def decode(self, values: pa.Array) -> tuple[NDArray[Any], dict[int, str]]:
        """Returns the values as one array, rows first, and what is wrong with bad rows, by position.

        Bad rows are null, hold a null, or have another shape than is expected, or than the first row; in the array
        they are 0.
        """
        bad = dict.fromkeys(np.flatnonzero(_nulls(values)).tolist(), "it is null")
        decoder = {"number": _numbers, "array": _arrays, "bytes": _bytes, "image": _images}[self.kind]
        array = decoder(self, values, bad)
        return (array if self.double or array.dtype != np.float64 else array.astype(np.float32)), bad

    @property
    def size(self) -> int | None:
        """The number of values of one row, None where it follows from the data."""
        if self.shape is None or None in self.shape:
            return None
        return math.prod(n for n in self.shape if n is not None)


def _numbers(field: Field, values: pa.Array, bad: dict[int, str]) -> NDArray[Any]:
    filled = values.fill_null(False if pa.types.is_boolean(values.type) else 0) if bad else values
    return np.array(filled.to_numpy(zero_copy_only=False))


def _arrays(field: Field, values: pa.Array, bad: dict[int, str]) -> NDArray[Any]:
    """Decodes arrays of numbers, and arrays of arrays; a flat one takes the shape that is expected."""
    shape = _shape_of_arrays(field, values, bad)
    for position, reason in _ragged(values, shape):
        bad.setdefault(position, reason)
    good_rows = _without(values, bad)
    numbers = good_rows
    for _ in shape:
        numbers = numbers.flatten()
    flat = np.array(numbers.to_numpy(zero_copy_only=False))
    return _spread(flat.reshape(len(good_rows), *_final_shape(field, shape)), len(values), bad)


def _shape_of_arrays(field: Field, values: pa.Array, bad: dict[int, str]) -> tuple[int, ...]:
    """Returns the lengths of the axes: what is expected, else those of the first row that is not null."""
    depth = _depth(values.type)
    if depth == 1 and field.size is not None:
        return (field.size,)
    if field.shape is not None and len(field.shape) == depth and None not in field.shape:
        return tuple(n or 0 for n in field.shape)
    lengths: list[int] = []
    first = _without(values, bad)[:1]
    while len(lengths) < depth:
        lengths.append(len(first[0].values) if len(first) and first[0].is_valid else 0)
        first = first.flatten()[:1] if len(first) else first
    return tuple(lengths)


def _ragged(values: pa.Array, shape: tuple[int, ...]) -> Iterator[tuple[int, str]]:
    """Gives the rows whose arrays have other lengths, or hold nulls."""
    level, rows = values, np.arange(len(values))
    for axis, length in enumerate(shape):
        lengths = pc.fill_null(pc.list_value_length(level), -1).to_numpy(zero_copy_only=False)
        where = f" along axis {axis}" if len(shape) > 1 else ""
        for position in np.flatnonzero((lengths != length) & (lengths >= 0)):
            yield int(rows[position]), f"expected {length} values{where}, received {lengths[position]}"
        for position in np.flatnonzero(lengths < 0):
            yield int(rows[position]), "it holds a null" if axis else "it is null"
        rows = np.repeat(rows, np.maximum(lengths, 0))
        level = level.flatten()
    for position in np.flatnonzero(_nulls(level)):
        yield int(rows[position]), "it holds a null"


def _final_shape(field: Field, shape: tuple[int, ...]) -> tuple[int, ...]:
    expected = field.shape
    if expected is not None and len(shape) == 1 and field.size == shape[0]:
        return tuple(n or 0 for n in expected)
    return shape


def _bytes(field: Field, values: pa.Array, bad: dict[int, str]) -> NDArray[Any]:
    """Decodes bytes: of the dtype that is given, else of one, four or eight bytes a value (uint8, float32, float64)."""
    lengths = pc.fill_null(pc.binary_length(values), 0).to_numpy(zero_copy_only=False)
    good = np.setdiff1d(np.arange(len(values)), list(bad))
    if field.dtype is not None:
        dtype = np.dtype(field.dtype)
        size = field.size if field.size is not None else int(lengths[good[0]]) // dtype.itemsize if len(good) else 0
    else:
        size = field.size if field.size is not None else 0
        found = next((n for n in _BYTES if len(good) and int(lengths[good[0]]) == n * size), 1)
        dtype = _BYTES[found]
    wanted = size * dtype.itemsize
    for position in np.flatnonzero(lengths != wanted).tolist():
        bad.setdefault(
            position, f"expected {size} values of {dtype} ({wanted} bytes), received {lengths[position]} bytes"
        )
    flat = np.frombuffer(b"".join(_without(values, bad).to_pylist()) if bad else _joined(values), dtype)
    shape = (size,) if field.size is None else tuple(n or 0 for n in field.shape or ())
    return _spread(flat.reshape(len(values) - len(bad), *shape), len(values), bad)


def _joined(values: pa.Array) -> memoryview:
    """Returns the bytes of all values, one after the other, without copying them."""
    wide = pa.types.is_large_binary(values.type)
    _, offsets, data = values.buffers()
    bounds = np.frombuffer(offsets, np.int64 if wide else np.int32)[values.offset : values.offset + len(values) + 1]
    return memoryview(data)[int(bounds[0]) : int(bounds[-1])] if len(bounds) and data is not None else memoryview(b"")


def _images(field: Field, values: pa.Array, bad: dict[int, str]) -> NDArray[np.uint8]:
    """Decodes Spark's images (``pyspark.ml.image``): bytes in the order blue, green, red become red, green, blue.

    Where the input has its channels first (``dim_ordering="th"``), so has the array.
    """
    expected = tuple(n or 0 for n in field.shape or ())
    first = (*expected[1:], expected[0])  # what an image is whose channels are to come first
    arrays = []
    for position, image in enumerate(values.to_pylist()):
        if position in bad:
            continue
        size = (image["height"], image["width"], image["nChannels"])
        if size not in (expected, first):
            bad[position] = f"expected an image of {_by(expected)}, received one of {_by(size)}"
        elif image["data"] is None or len(image["data"]) != math.prod(size):
            bad[position] = f"expected {math.prod(size)} bytes of image data"
        else:
            pixels = np.frombuffer(image["data"], np.uint8).reshape(size)
            if size[2] >= 3:
                pixels = pixels[..., [2, 1, 0, *range(3, size[2])]]
            arrays.append(pixels if size == expected else pixels.transpose(2, 0, 1))
    return _spread(np.array(arrays, np.uint8).reshape(len(arrays), *expected), len(values), bad)


def _by(size: tuple[int, ...]) -> str:
    return " x ".join(map(str, size))


def _depth(kind: pa.DataType) -> int:
    return 1 + _depth(kind.value_type) if pa.types.is_list(kind) or pa.types.is_large_list(kind) else 0


def _nulls(values: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(pc.is_null(values).to_numpy(zero_copy_only=False), bool)


def _without(values: pa.Array, bad: dict[int, str]) -> pa.Array:
    if not bad:
        return values
    kept = np.ones(len(values), bool)
    kept[list(bad)] = False
    return values.filter(pa.array(kept))


def _spread(array: NDArray[Any], rows: int, bad: dict[int, str]) -> NDArray[Any]:
    """Puts rows of 0 in the places of bad rows."""
    if not bad:
        return array
    whole = np.zeros((rows, *array.shape[1:]), array.dtype)
    whole[np.setdiff1d(np.arange(rows), list(bad))] = array
    return whole
