"""Which columns of a DataFrame are a model's inputs, targets and weights, and how they are stored."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from bigdl.errors import DataError
from bigdl.graph import Container, Shape
from bigdl.spark.decode import Field, Kind
from bigdl.spark.preprocessing import Function, preprocess_samples
from bigdl.training.batches import Samples
from bigdl.training.data import Placement

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

Names = str | Sequence[str]
Arrays = list[NDArray[Any]]


@dataclass(frozen=True)
class Fields:
    """The columns of inputs, targets and weights, in order.

    Attributes:
        inputs: One for each input of the model; several numbers for a single one.
        targets: One for each target.
        weights: One for each target, or none.
        functions: What each input of the model passes through, None for nothing.
    """

    inputs: list[Field]
    targets: list[Field] = dataclasses.field(default_factory=list)
    weights: list[Field] = dataclasses.field(default_factory=list)
    functions: list[Function | None] = dataclasses.field(default_factory=list)

    def all(self) -> list[Field]:
        """Returns all columns."""
        return [*self.inputs, *self.targets, *self.weights]

    def divided(self, columns: Arrays, model_inputs: int) -> tuple[Arrays, Arrays, Arrays]:
        """Returns inputs, targets and weights; several columns of numbers become those of a single input.

        Args:
            columns: The arrays of all columns.
            model_inputs: How many inputs the model has.
        """
        first_target = len(self.inputs)
        first_weight = first_target + len(self.targets)
        inputs = columns[:first_target]
        if len(inputs) > model_inputs:
            inputs = [np.stack(inputs, axis=1)]
        return inputs, columns[first_target:first_weight], columns[first_weight:]

    def preprocessed(self, samples: Samples) -> Samples:
        """Returns samples whose inputs pass through the functions when they are used."""
        return preprocess_samples(samples, self.functions) if any(self.functions) else samples


def fields_of(
    model: Container,
    frame: DataFrame,
    features_col: Names,
    label_col: Names | None = None,
    sample_weight_col: Names | None = None,
) -> tuple[list[Column], Fields]:
    """Finds the columns of a DataFrame.

    Args:
        model: The model.
        frame: The DataFrame.
        features_col: The column of each input. For a model of one input it may be several columns of numbers.
        label_col: The columns of the targets; None where there are none.
        sample_weight_col: A column of weights for each target, or one.

    Returns:
        Expressions that give the columns, and what they hold.

    Raises:
        DataError: There is no column of a name, or it holds something else.
    """
    double = Placement.of(model).dtype == torch.float64
    shapes = _input_shapes(model, _listed(features_col))
    reader = _Reader(frame, double)
    found = Fields(
        [reader.field(name, shape) for name, shape in zip(_listed(features_col), shapes, strict=True)],
        [reader.field(name, None) for name in _listed(label_col)],
        [reader.field(name, None) for name in _listed(sample_weight_col)],
    )
    return reader.columns, found


def _listed(names: Names | None) -> list[str]:
    return [names] if isinstance(names, str) else list(names or ())


def _input_shapes(model: Container, names: list[str]) -> list[Shape]:
    inputs = [tensor.shape[1:] for tensor in model.inputs]
    if len(inputs) == 1 and len(names) > 1:
        return [()] * len(names)
    if len(inputs) != len(names):
        raise DataError(
            f"Model {model.name!r} has {len(inputs)} inputs ({', '.join(model.input_names)}); features_col must name a "
            f"column for each. Received: {names}."
        )
    return inputs


class _Reader:
    """Looks columns up in a DataFrame."""

    def __init__(self, frame: DataFrame, double: bool) -> None:
        self.columns: list[Column] = []
        self._frame = frame
        self._double = double

    def field(self, name: str, shape: Shape | None) -> Field:
        """Returns what a column holds, and adds its expression to ``columns``."""
        if name not in self._frame.columns:
            raise DataError(f"The DataFrame has no column {name!r}. Its columns: {', '.join(self._frame.columns)}.")
        expression, kind = _expression(self._frame, name)
        if kind == "image" and (shape is None or len(shape) != 3 or None in shape):
            raise DataError(
                f"Column {name!r} holds images; they need an input of known height, width and channels. "
                f"Received: an input of shape {shape}."
            )
        self.columns.append(expression)
        return Field(name, kind, shape, double=self._double)


def _expression(frame: DataFrame, name: str) -> tuple[Column, Kind]:
    from pyspark.ml.functions import vector_to_array
    from pyspark.sql import types as t

    column = frame[f"`{name}`"]
    kind: Any = frame.schema[name].dataType
    if isinstance(kind, t.DecimalType):
        return column.cast("double"), "number"
    if isinstance(kind, t.NumericType | t.BooleanType):
        return column, "number"
    if isinstance(kind, t.BinaryType):
        return column, "bytes"
    if type(kind).__name__ == "VectorUDT":
        return vector_to_array(column), "array"
    if isinstance(kind, t.ArrayType) and _holds_numbers(kind):
        return column, "array"
    if isinstance(kind, t.StructType) and {"height", "width", "nChannels", "data"} <= set(kind.names):
        return column, "image"
    raise DataError(
        f"Column {name!r} is of type {kind.simpleString()}. Numbers, arrays of numbers, vectors, binary columns and "
        "images can be read; make one of these of it first (Tokenizer, VectorAssembler, cast, ...)."
    )


def _holds_numbers(kind: Any) -> bool:
    from pyspark.sql import types as t

    if isinstance(kind, t.ArrayType):
        return _holds_numbers(kind.elementType)
    return isinstance(kind, t.NumericType | t.BooleanType) and not isinstance(kind, t.DecimalType)
