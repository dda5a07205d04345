"""What users train on, DataFrames, RDDs and arrays, as DataFrames with the columns that are used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from bigdl.errors import DataError
from bigdl.graph import Container, Shape
from bigdl.spark.decode import Field
from bigdl.spark.fields import Arrays, Fields, Names, fields_of
from bigdl.spark.kinds import is_dataframe, is_rdd
from bigdl.spark.placement import REASON, DataSet
from bigdl.spark.preprocessing import Functions, functions_for
from bigdl.spark.session import active_session
from bigdl.training.data import as_array
from bigdl.training.labelled import arrays_of
from bigdl.training.sample import Sample

if TYPE_CHECKING:
    from pyspark import RDD

_BYTES_OF_A_CHUNK = 1 << 28


def data_set(
    model: Container,
    data: Any,
    features_col: Names = "features",
    label_col: Names | None = "label",
    sample_weight_col: Names | None = None,
    preprocess: Functions = None,
) -> DataSet:
    """Returns a data set for a model.

    Args:
        model: The model.
        data: A DataFrame; an RDD of ``Sample`` or of ``(features, label)``; or ``(X, Y)`` or a list of ``Sample``,
            which are sent to the cluster.
        features_col: Of a DataFrame, the column of each input; see ``fields_of``.
        label_col: Of a DataFrame, the columns of the targets.
        sample_weight_col: Of a DataFrame, the columns of the samples' weights.
        preprocess: What the inputs pass through.

    Raises:
        DataError: It does not fit the model.
        DistributedError: There is no session to send arrays to.
    """
    if is_dataframe(data):
        columns, fields = fields_of(model, data, features_col, label_col, sample_weight_col)
        return _preprocessed(model, DataSet(data, columns, fields), preprocess)
    if is_rdd(data):
        return _preprocessed(model, _of_rdd(model, data), preprocess)
    return arrays_set(model, *arrays_of(data), preprocess=preprocess)


def _preprocessed(model: Container, data: DataSet, preprocess: Functions) -> DataSet:
    functions = functions_for(preprocess, len(model.inputs))
    return replace(data, fields=replace(data.fields, functions=functions))


def arrays_set(model: Container, x: Any, y: Any, weights: Sequence[Any] = (), preprocess: Functions = None) -> DataSet:
    """Sends arrays to the cluster.

    Args:
        model: The model.
        x: Its inputs: an array, or a list of them.
        y: The targets, likewise; None for none.
        weights: The samples' weights.
        preprocess: What the inputs pass through.
    """
    session = active_session()
    inputs = [as_array(array, "inputs") for array in _listed(x, len(model.inputs) > 1)]
    targets = [] if y is None else [as_array(array, "targets") for array in _listed(y, len(model.outputs) > 1)]
    arrays = [*inputs, *targets, *(as_array(array, "weights") for array in weights)]
    if len({len(array) for array in arrays}) != 1:
        raise DataError(f"All arrays must have the same number of rows. Received: {[len(array) for array in arrays]}.")
    names = [f"c{i}" for i in range(len(arrays))]
    described = [_described(array, name) for array, name in zip(arrays, names, strict=True)]
    table = pa.table([_binary(array) for array in arrays], names)
    frame = session.createDataFrame(table)
    first = len(inputs) + len(targets)
    fields = Fields(described[: len(inputs)], described[len(inputs) : first], described[first:])
    return _preprocessed(model, DataSet(frame, [frame[name] for name in names], fields), preprocess)


def _listed(data: Any, several: bool) -> list[Any]:
    holds_arrays = isinstance(data, list | tuple) and len(data) > 0 and hasattr(data[0], "shape")
    return list(data) if several or (holds_arrays and len(data[0].shape) > 0) else [data]


def _described(array: Any, name: str) -> Field:
    dtype = np.dtype(str(array.dtype).removeprefix("torch."))
    return Field(name, "bytes", tuple(array.shape[1:]), dtype.newbyteorder("=").str, dtype == np.float64)


def _binary(array: Any) -> pa.ChunkedArray:
    """Returns the bytes of each row, as a column."""
    rows = len(array)
    size = int(np.prod(array.shape[1:], dtype=np.int64)) * array.dtype.itemsize
    step = max(1, _BYTES_OF_A_CHUNK // max(1, size))
    chunks = []
    for start in range(0, rows, step):
        part = np.ascontiguousarray(array[start : start + step])
        part = part.astype(part.dtype.newbyteorder("="), copy=False)
        offsets = np.arange(len(part) + 1, dtype=np.int32) * size
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(part.reshape(-1).view(np.uint8))]
        chunks.append(pa.Array.from_buffers(pa.binary(), len(part), buffers))
    return pa.chunked_array(chunks, pa.binary())


def _of_rdd(model: Container, rdd: RDD[Any]) -> DataSet:
    """Writes the tensors of samples as bytes, so that they go through Arrow from here on."""
    from pyspark.sql import types as t

    first = rdd.take(1)
    if not first:
        raise DataError(f"Model {model.name!r}: the data has no rows.")
    sample = as_sample(first[0])
    inputs: list[Shape] = [tensor.shape[1:] for tensor in model.inputs]
    targets: list[Shape] = [tensor.shape for tensor in sample.labels]
    if len(sample.features) != len(inputs):
        raise DataError(
            f"Model {model.name!r} has {len(inputs)} inputs ({', '.join(model.input_names)}). Received: samples with "
            f"{len(sample.features)} features."
        )
    names = [f"feature {i}" for i in range(len(inputs))] + [f"label {i}" for i in range(len(targets))]
    shapes = [*inputs, *targets]
    schema = t.StructType([t.StructField(f"c{i}", t.BinaryType()) for i in range(len(names))])
    schema = schema.add(REASON, t.StringType())

    def encode(samples: Iterable[Any]) -> Iterator[tuple[Any, ...]]:
        for item in samples:
            yield encoded(item, names, shapes)

    frame = active_session().createDataFrame(rdd.mapPartitions(encode), schema, verifySchema=False)
    fields = [Field(name, "bytes", shape, "<f4") for name, shape in zip(names, shapes, strict=True)]
    columns = [frame[f"c{i}"] for i in range(len(names))]
    return DataSet(frame, columns, Fields(fields[: len(inputs)], fields[len(inputs) :]), frame[REASON])


def as_sample(item: Any) -> Sample:
    """Returns a row of an RDD as a sample.

    Raises:
        DataError: It is neither a sample nor ``(features, label)``.
    """
    if isinstance(item, Sample):
        return item
    if isinstance(item, tuple) and len(item) == 2:
        return Sample.from_ndarray(*item)
    raise DataError(f"The RDD must hold Sample, or (features, label) of arrays. Received: {type(item).__name__}.")


def encoded(item: Any, names: Sequence[str], shapes: Sequence[Shape]) -> tuple[Any, ...]:
    """Returns the bytes of a sample's tensors, and what is wrong with it, None for nothing."""
    try:
        sample = as_sample(item)
    except DataError as error:
        return (*[None] * len(names), str(error))
    tensors = [*sample.features, *sample.labels]
    wrong = _mismatch([tensor.shape for tensor in tensors], names, shapes)
    if wrong is not None:
        return (*[None] * len(names), wrong)
    return (*(np.ascontiguousarray(tensor.storage, "<f4").tobytes() for tensor in tensors), None)


def features(item: Any, names: Sequence[str], shapes: Sequence[Shape]) -> tuple[Arrays, str | None]:
    """Returns the arrays of a row that is to be predicted for, and what is wrong with it, None for nothing.

    Args:
        item: A sample, an array, or a list of arrays.
        names: The names of the inputs.
        shapes: The shapes of a row of them.
    """
    if isinstance(item, Sample):
        arrays: Arrays = [tensor.to_ndarray() for tensor in item.features]
    else:
        given = item if isinstance(item, list | tuple) and len(names) > 1 else [item]
        try:
            arrays = [as_array(array, name) for array, name in zip(given, names, strict=False)]
        except DataError as error:
            return [], str(error)
    return arrays, _mismatch([array.shape for array in arrays], names, shapes)


def _mismatch(received: Sequence[Shape], names: Sequence[str], shapes: Sequence[Shape]) -> str | None:
    for name, expected, shape in zip(names, shapes, received, strict=False):
        if len(shape) != len(expected) or any(n not in (None, m) for n, m in zip(expected, shape, strict=True)):
            return f"{name}: expected shape {tuple(expected)}, received {tuple(shape)}"
    return None if len(received) == len(names) else f"expected {len(names)} tensors, received {len(received)}"
