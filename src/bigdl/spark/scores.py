"""What a model computes for rows, and how it looks in a column or an RDD."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from bigdl.graph import Container
from bigdl.training.data import Placement
from bigdl.training.inference import predict, predict_class

Arrays = list[NDArray[Any]]


class Score(ABC):
    """What is computed of a model's inputs."""

    @abstractmethod
    def __call__(self, model: Container, x: Arrays, batch_size: int) -> Arrays:
        """Returns arrays with a row for each row of the inputs."""

    @abstractmethod
    def column_type(self, model: Container) -> str:
        """Returns Spark's type of a column of it."""

    @abstractmethod
    def column(self, model: Container, found: Arrays | None, good: NDArray[np.int64], rows: int) -> pa.Array:
        """Returns the column.

        Args:
            model: The model.
            found: What was computed, None for no rows.
            good: Which rows that was computed for; the others are null.
            rows: The number of all rows.
        """

    @abstractmethod
    def items(self, found: Arrays) -> Iterator[Any]:
        """Gives what was computed row by row."""


class Outputs(Score):
    """A model's outputs: arrays, for several outputs a struct of them, or a list."""

    def __call__(self, model: Container, x: Arrays, batch_size: int) -> Arrays:
        """Returns the outputs."""
        found = predict(model, x, batch_size)
        return found if isinstance(found, list) else [found]

    def column_type(self, model: Container) -> str:
        """Returns the type of nested arrays of numbers."""
        number = "double" if Placement.of(model).dtype == torch.float64 else "float"
        types = []
        for tensor in model.outputs:
            depth = len(tensor.shape) - 1
            types.append("array<" * depth + number + ">" * depth)
        if len(types) == 1:
            return types[0]
        return (
            "struct<"
            + ", ".join(f"`{name}`: {kind}" for name, kind in zip(model.output_names, types, strict=True))
            + ">"
        )

    def column(self, model: Container, found: Arrays | None, good: NDArray[np.int64], rows: int) -> pa.Array:
        """Returns nested arrays."""
        dtype = np.float64 if Placement.of(model).dtype == torch.float64 else np.float32
        if found is None:
            found = [np.zeros((0, *[0] * (len(tensor.shape) - 1)), dtype) for tensor in model.outputs]
        columns = [_nested(array.astype(dtype, copy=False), good, rows) for array in found]
        return columns[0] if len(columns) == 1 else pa.StructArray.from_arrays(columns, model.output_names)

    def items(self, found: Arrays) -> Iterator[Any]:
        """Gives an array for each row; a list of them for several outputs."""
        if len(found) == 1:
            yield from found[0]
        else:
            yield from map(list, zip(*found, strict=True))


class Classes(Score):
    """The most probable class.

    Args:
        first: The number of the first class: 1 in BigDL, 0 in Keras.
    """

    def __init__(self, first: int = 1) -> None:
        self._first = first

    def __call__(self, model: Container, x: Arrays, batch_size: int) -> Arrays:
        """Returns the classes."""
        return [predict_class(model, x, batch_size) - 1 + self._first]

    def column_type(self, model: Container) -> str:
        """Returns the type of whole numbers, in arrays where there is a class for each step."""
        depth = len(model.outputs[0].shape) - 2
        return "array<" * depth + "bigint" + ">" * depth

    def column(self, model: Container, found: Arrays | None, good: NDArray[np.int64], rows: int) -> pa.Array:
        """Returns the classes."""
        array = np.zeros((0, *[0] * (len(model.outputs[0].shape) - 2)), np.int64) if found is None else found[0]
        return _nested(array, good, rows)

    def items(self, found: Arrays) -> Iterator[Any]:
        """Gives a number for each row; an array where there is a class for each step."""
        yield from (row if row.ndim else int(row) for row in found[0])


def _nested(array: NDArray[Any], good: NDArray[np.int64], rows: int) -> pa.Array:
    """Returns an array as a column of lists of lists, null in rows that it has nothing for."""
    values = pa.array(np.ascontiguousarray(array).reshape(-1))
    for size in array.shape[:0:-1]:
        count = len(values) // size if size else int(np.prod(array.shape[:1]))
        values = pa.ListArray.from_arrays(np.arange(count + 1, dtype=np.int32) * size, values)
    if len(good) == rows:
        return values
    where = np.full(rows, -1, np.int64)
    where[good] = np.arange(len(good))
    return values.take(pa.array(where, mask=where < 0))
