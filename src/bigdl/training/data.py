"""What users pass as data, checked against the model and read by rows as tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bigdl.errors import DataError
from bigdl.graph import Container, Shape

Index = slice | NDArray[np.int64]
Data = Any
"""An array, a list of arrays, or arrays by name; NumPy's, torch's, or read by rows from a file (h5py)."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a model computes, and in which floating-point type.

    Attributes:
        dtype: The dtype of floating-point data.
        device: The device of its weights.
    """

    dtype: torch.dtype
    device: torch.device

    @classmethod
    def of(cls, model: torch.nn.Module) -> Placement:
        """Returns the placement of a model's weights; the CPU and float32 for a model without any."""
        parameter = next((p for p in model.parameters() if p.is_floating_point()), None)
        if parameter is None:
            return cls(torch.float32, torch.device("cpu"))
        return cls(parameter.dtype, parameter.device)

    def cast(self, dtype: str) -> torch.dtype:
        """Returns the torch dtype of a tensor whose dtype Keras calls so."""
        return self.dtype if dtype.startswith("float") else getattr(torch, dtype)


class Column:
    """One array of a data set, read by rows.

    Nothing is copied before rows are asked for, so arrays mapped from a file may be larger than the memory.

    Args:
        rows: An array (NumPy, torch) or an array-like that is read by rows (h5py), rows first.
        dtype: What tensors of its rows are cast to; None leaves them as they are.
        device: Where they go.
    """

    def __init__(self, rows: Any, dtype: torch.dtype | None, device: torch.device) -> None:
        self.shape: tuple[int, ...] = tuple(rows.shape)
        self.dtype = dtype
        self.device = device
        self._rows = rows
        self._tensor = _shared(rows)
        known = self._tensor
        self._is_as_wanted = known is not None and known.device == device and dtype in (None, known.dtype)

    def __len__(self) -> int:
        return self.shape[0]

    def take(self, index: Index) -> Tensor:
        """Returns rows as a tensor; a slice shares memory with the array where nothing has to be cast.

        Args:
            index: A slice, or the positions of the rows in the order that is wanted.
        """
        if self._tensor is None:
            rows = torch.from_numpy(_copied(self._rows, index))
        elif isinstance(index, slice):
            rows = self._tensor[index]
        else:
            positions = torch.from_numpy(index)
            rows = self._tensor.index_select(0, positions if self._tensor.is_cpu else positions.to(self._tensor.device))
        return rows if self._is_as_wanted else rows.to(self.device, self.dtype or rows.dtype)

    def numpy(self) -> NDArray[Any]:
        """Returns the whole array."""
        return _copied(self._rows, slice(None)) if self._tensor is None else self._tensor.cpu().numpy()

    def part(self, start: int, stop: int) -> Column:
        """Returns a column of some of the rows, without copying or reading any."""
        rows = self._rows
        chosen = rows[start:stop] if isinstance(rows, np.ndarray | Tensor) else _Part(rows, start, stop)
        return Column(chosen, self.dtype, self.device)


class _Part:
    """Some of the rows of an array that is read by rows."""

    def __init__(self, rows: Any, start: int, stop: int) -> None:
        self.shape = (stop - start, *rows.shape[1:])
        self.dtype = rows.dtype
        self._rows = rows
        self._start = start

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            first, last, _ = index.indices(self.shape[0])
            return self._rows[self._start + first : self._start + last]
        return self._rows[index + self._start]


def _shared(rows: Any) -> Tensor | None:
    """Returns a tensor in the same memory, or None where torch cannot have one."""
    if isinstance(rows, Tensor):
        return rows.detach()
    if not isinstance(rows, np.ndarray) or not rows.flags.writeable or not rows.dtype.isnative:
        return None
    if any(stride < 0 or stride % rows.itemsize for stride in rows.strides):
        return None
    return torch.from_numpy(rows)


def _copied(rows: Any, index: Index) -> NDArray[Any]:
    if isinstance(rows, np.ndarray) or isinstance(index, slice):
        chosen = np.asarray(rows[index])
    else:  # h5py wants increasing positions
        order = np.argsort(index)
        chosen = np.empty((len(index), *rows.shape[1:]), rows.dtype)
        chosen[order] = rows[index[order]]
    return np.array(chosen, dtype=chosen.dtype.newbyteorder("="), order="C")


def inputs_for(model: Container, x: Data) -> list[Tensor]:
    """Returns a tensor for each input of a model.

    Args:
        model: The model.
        x: The data; see ``input_columns``.

    Raises:
        DataError: It does not fit the model.
    """
    return [column.take(slice(None)) for column in input_columns(model, x)]


def input_columns(model: Container, x: Data) -> list[Column]:
    """Checks the data against the inputs of a model.

    Args:
        model: The model.
        x: An array, a list of arrays in the order of the inputs, or arrays by the inputs' names.

    Returns:
        A column for each input, of the input's dtype, on the model's device. An array of rank 1 becomes a column of
        shape ``(rows, 1)``, as in Keras.

    Raises:
        DataError: The number of arrays or of rows, a rank, a shape or a dtype does not fit.
    """
    place = Placement.of(model)
    arrays = arrays_by_name(x, model.input_names, f"Model {model.name!r}", "input")
    columns = []
    for tensor, array in zip(model.inputs, arrays, strict=True):
        where = f"Model {model.name!r}, input {tensor.layer.name!r}"
        columns.append(checked_column(array, tensor.shape, place.cast(tensor.dtype), place.device, where))
    check_same_rows(dict(zip(model.input_names, columns, strict=True)), f"Model {model.name!r}")
    return columns


def arrays_by_name(data: Data, names: Sequence[str], owner: str, kind: str) -> list[Any]:
    """Puts arrays into the order of names.

    Args:
        data: An array, a list of arrays, or arrays by name.
        names: The names, in order.
        owner: Whose they are, for messages.
        kind: ``"input"`` or ``"output"``, for messages.

    Raises:
        DataError: There are too few or too many arrays, or one is missing.
    """
    if data is None:
        raise DataError(f"{owner}: no data was given for {kind} {names[0]!r}. Received: None.")
    if isinstance(data, Mapping):
        missing = [name for name in names if name not in data]
        if missing:
            raise DataError(
                f"{owner}: no data was given for {kind} {missing[0]!r}. Expected: {', '.join(names)}. "
                f"Received: {', '.join(map(str, data)) or 'none'}."
            )
        return [as_array(data[name], f"{owner}, {kind} {name!r}") for name in names]
    if not isinstance(data, list | tuple) or (len(names) == 1 and not _holds_arrays(data)):
        data = [data]
    if len(data) != len(names):
        raise DataError(
            f"{owner} has {len(names)} {kind}s ({', '.join(names)}); a list needs an array for each. "
            f"Received: {len(data)} ({', '.join(_described(item) for item in data[:4])})."
        )
    return [as_array(item, f"{owner}, {kind} {name!r}") for name, item in zip(names, data, strict=True)]


def _holds_arrays(data: Sequence[Any]) -> bool:
    return len(data) > 0 and hasattr(data[0], "shape") and len(data[0].shape) > 0


def _described(item: Any) -> str:
    return f"shape {tuple(item.shape)}" if hasattr(item, "shape") else type(item).__name__


def as_array(data: Any, where: str) -> Any:
    """Returns data as an array of numbers: as it is where it is one, also when it is read by rows.

    Args:
        data: An array, a nested list, a table of pandas.
        where: Which data it is, for messages.

    Raises:
        DataError: It holds no numbers, or rows of different lengths.
    """
    if isinstance(data, Tensor):
        return data
    array = data.to_numpy() if hasattr(data, "to_numpy") else data
    if not hasattr(array, "shape") or not hasattr(array, "dtype"):
        try:
            array = np.asarray(array)
        except ValueError as error:
            raise DataError(
                f"{where}: the rows have different lengths. Pad them to one length (pad_sequences)."
            ) from error
    if array.dtype.kind == "O" and isinstance(array, np.ndarray):
        array = _numbers(array)
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"{where}: expected numbers. Received: an array of dtype {array.dtype} and shape {tuple(array.shape)}. "
            "(Sequences of different lengths must be padded to one length first.)"
        )
    return array


def _numbers(array: NDArray[Any]) -> NDArray[Any]:
    """Returns an array of Python's objects as numbers if that is what they all are, as in a table of mixed columns."""
    try:
        numbers = np.array(array.tolist())
    except ValueError:  # lists of different lengths
        return array
    return numbers if numbers.shape == array.shape and numbers.dtype.kind in "biuf" else array


def checked_column(
    array: Any, expected: Shape | None, dtype: torch.dtype | None, device: torch.device, where: str
) -> Column:
    """Returns a column of an array after checking its shape.

    Args:
        array: The array.
        expected: The shape it must have, batch axis first; None where anything goes.
        dtype: What its rows are cast to; None leaves them as they are.
        device: Where they go.
        where: Which data it is, for messages.

    Raises:
        DataError: Its shape differs.
    """
    if len(array.shape) == 0:
        raise DataError(f"{where}: expected an array with the rows first. Received: a single number.")
    if len(array.shape) == 1:
        array = array[:, None] if isinstance(array, np.ndarray | Tensor) else np.asarray(array)[:, None]
    shape = tuple(array.shape)
    if expected is not None and not _fits(shape, expected):
        single = len(shape) == len(expected) - 1 and _fits((1, *shape), expected)
        remedy = " A single sample needs a batch axis: x[None]." if single else ""
        raise DataError(f"{where}: expected shape {expected}. Received: {shape}.{remedy}")
    return Column(array, dtype, device)


def _fits(shape: tuple[int, ...], expected: Shape) -> bool:
    """Tells whether all axes but the batch's agree."""
    return len(shape) == len(expected) and all(
        wanted is None or n == wanted for n, wanted in zip(shape[1:], expected[1:], strict=True)
    )


def check_same_rows(columns: Mapping[str, Column], owner: str) -> None:
    """Checks that all arrays have the same number of rows.

    Args:
        columns: The arrays by name.
        owner: Whose they are, for the message.

    Raises:
        DataError: They have not.
    """
    if len({len(column) for column in columns.values()}) > 1:
        counts = ", ".join(f"{name!r} {len(column)}" for name, column in columns.items())
        raise DataError(f"{owner}: all arrays must have the same number of rows. Received: {counts}.")
