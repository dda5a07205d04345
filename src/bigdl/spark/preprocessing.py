"""Functions that a model's inputs pass through on the workers, whenever rows are used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bigdl.errors import DataError
from bigdl.training.batches import Samples
from bigdl.training.data import Column, Index

Function = Callable[[NDArray[Any]], NDArray[Any]]
Functions = Function | Sequence[Function | None] | None
"""One for a model of one input, or one for each input; None for none."""


def functions_for(functions: Functions, inputs: int) -> list[Function | None]:
    """Returns a function, or None, for each input.

    Raises:
        DataError: There are more or fewer of them.
    """
    listed = list(functions) if isinstance(functions, Sequence) else [functions]
    if functions is not None and len(listed) != inputs:
        raise DataError(
            f"preprocess needs a function for each of the model's {inputs} inputs. Received: {len(listed)}."
        )
    return listed if functions is not None else [None] * inputs


def preprocessed(array: NDArray[Any], function: Function | None) -> NDArray[Any]:
    """Returns what a function makes of rows.

    Raises:
        DataError: It makes another number of rows, or no array.
    """
    if function is None:
        return array
    made = function(array)
    if not isinstance(made, np.ndarray) or len(made) != len(array):
        shape = f"shape {made.shape}" if isinstance(made, np.ndarray) else type(made).__name__
        raise DataError(f"preprocess must return as many rows as it is given, {len(array)}. Received: {shape}.")
    return made


class PreprocessedColumn(Column):
    """A column whose rows pass through a function when they are taken, so that they are kept as they came.

    Args:
        column: The column.
        function: The function.
    """

    def __init__(self, column: Column, function: Function) -> None:
        self._raw = Column(column.numpy(), None, torch.device("cpu"))
        self._function = function
        super().__init__(column.numpy(), column.dtype, column.device)

    def take(self, index: Index) -> Tensor:
        """Returns rows as a tensor."""
        rows = torch.from_numpy(np.ascontiguousarray(preprocessed(self._raw.take(index).numpy(), self._function)))
        return rows.to(self.device, self.dtype or rows.dtype)

    def part(self, start: int, stop: int) -> Column:
        """Returns a column of some of the rows."""
        return PreprocessedColumn(super().part(start, stop), self._function)


def preprocess_samples(samples: Samples, functions: Sequence[Function | None]) -> Samples:
    """Returns samples whose inputs pass through functions."""
    inputs = [
        column if function is None else PreprocessedColumn(column, function)
        for column, function in zip(samples.inputs, functions, strict=True)
    ]
    return replace(samples, inputs=inputs)
