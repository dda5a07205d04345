"""Targets and sample weights as Keras 1.2.2's ``fit`` takes them, checked against the model and its objectives."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from bigdl.errors import DataError
from bigdl.graph import Container, Shape
from bigdl.training import objectives
from bigdl.training.data import Column, Data, Placement, arrays_by_name, as_array, checked_column
from bigdl.training.objectives import Objective

logger = logging.getLogger("bigdl")

WeightMode = Literal["temporal"] | None
"""Whether an output's samples are weighted step by step."""


def target_columns(model: Container, y: Data, functions: Sequence[Objective]) -> list[Column]:
    """Checks targets against the outputs of a model.

    Args:
        model: The model.
        y: An array, a list of arrays in the order of the outputs, or arrays by the outputs' names.
        functions: The objective of each output. Those of Keras want targets of the output's shape, the sparse one
            class numbers from 0 with a last axis of length 1; a user's own takes any.

    Raises:
        DataError: The number of arrays, a shape or a class number does not fit.
    """
    place = Placement.of(model)
    arrays = arrays_by_name(y, model.output_names, f"Model {model.name!r}", "output")
    columns = []
    for tensor, array, function in zip(model.outputs, arrays, functions, strict=True):
        where = f"Model {model.name!r}, targets of output {tensor.layer.name!r}"
        sparse = function is objectives.sparse_categorical_crossentropy
        if function is objectives.categorical_crossentropy and (len(array.shape) == 1 or array.shape[-1] == 1):
            raise DataError(
                f"{where}: categorical_crossentropy expects a column for each class. Received: shape "
                f"{tuple(array.shape)}. For class numbers use sparse_categorical_crossentropy, or make columns of them "
                "with to_categorical."
            )
        expected = _expected_shape(tensor.shape, function, sparse)
        column = checked_column(array, expected, torch.int64 if sparse else place.dtype, place.device, where)
        if sparse and tensor.shape[-1] is not None:
            check_labels(column, 0, tensor.shape[-1] - 1, where)
        columns.append(column)
    return columns


def _expected_shape(shape: Shape, function: Objective, sparse: bool) -> Shape | None:
    if getattr(objectives, objectives.name_of(function), None) is not function:
        return None
    return (*shape[:-1], 1) if sparse else shape


def check_labels(column: Column, first: int, last: int, where: str) -> None:
    """Checks class numbers before they are used.

    Args:
        column: The class numbers.
        first: The smallest that there may be.
        last: The largest that there may be.
        where: Which data it is, for the message.

    Raises:
        DataError: A number is no whole number, or out of range.
    """
    labels = column.numpy()
    wrong = labels[(labels < first) | (labels > last) | (labels != np.floor(labels))]
    if wrong.size:
        raise DataError(
            f"{where}: expected class numbers from {first} to {last}. Received: {wrong.flat[0]} "
            f"({wrong.size} of {labels.size} are out of range)."
        )


def weight_columns(
    model: Container,
    targets: Sequence[Column],
    modes: Sequence[WeightMode],
    sample_weight: Any = None,
    class_weight: Any = None,
) -> list[Column | None]:
    """Returns the weights of the samples of each output, None where all count the same.

    Args:
        model: The model.
        targets: Its targets.
        modes: For each output, whether its samples are weighted step by step.
        sample_weight: An array of a weight for each sample, or for each sample and step; for several outputs a list
            of them, or arrays by the outputs' names.
        class_weight: A weight for each class number; for several outputs a list, or mappings by name. It has no
            effect where there are sample weights, as in Keras.

    Raises:
        DataError: Weights do not fit the targets, or a class has none.
    """
    names = model.output_names
    of_samples = _by_output(sample_weight, names, f"Model {model.name!r}, sample_weight")
    of_classes = _by_output(class_weight, names, f"Model {model.name!r}, class_weight")
    columns: list[Column | None] = []
    for target, mode, samples, classes, name in zip(targets, modes, of_samples, of_classes, names, strict=True):
        where = f"Model {model.name!r}, output {name!r}"
        if mode == "temporal" and len(target.shape) < 3:
            raise DataError(
                f"{where}: sample_weight_mode='temporal' needs targets with a time axis. "
                f"Received: shape {target.shape}."
            )
        weights = None
        if samples is not None:
            weights = _checked_weights(samples, target, mode, where)
        elif isinstance(classes, str):
            logger.warning("%s: class_weight=%r has no effect, as in Keras; give {class: weight}.", where, classes)
        elif classes is not None:
            weights = _class_weights(classes, target, where)
        place = Placement.of(model)
        columns.append(None if weights is None else Column(weights, place.dtype, place.device))
    return columns


def _by_output(given: Any, names: Sequence[str], where: str) -> list[Any]:
    if given is None or len(given) == 0:
        return [None] * len(names)
    if len(names) == 1:
        if isinstance(given, Mapping):
            return [given.get(names[0], given)]
        return list(given) if isinstance(given, list) and len(given) == 1 else [given]
    if isinstance(given, Mapping):
        return [given.get(name) for name in names]
    if isinstance(given, list) and len(given) == len(names):
        return given
    raise DataError(
        f"{where}: expected a list with one item for each of the outputs ({', '.join(names)}), or a dict by their "
        f"names. Received: {type(given).__name__} of {len(given)}."
    )


def _checked_weights(given: Any, target: Column, mode: WeightMode, where: str) -> Any:
    weights = as_array(given, f"{where}, sample_weight")
    expected = target.shape[: 2 if mode == "temporal" else 1]
    shape = tuple(weights.shape)
    if shape != expected:
        remedy = ""
        if mode is None and len(shape) == 2:
            remedy = " Weights for each step need compile(sample_weight_mode='temporal')."
        raise DataError(f"{where}: expected sample weights of shape {expected}. Received: {shape}.{remedy}")
    return weights


def _class_weights(given: Any, target: Column, where: str) -> NDArray[np.float64]:
    if not isinstance(given, Mapping):
        raise DataError(
            f"{where}: class_weight maps class numbers to weights. Received: {type(given).__name__}. Of weights in the "
            "order of the classes make a mapping: dict(enumerate(weights))."
        )
    if len(target.shape) > 2:
        raise DataError(
            f"{where}: class_weight needs targets of class numbers or of a column for each class. Received: shape "
            f"{target.shape}. Use sample_weight."
        )
    values = target.numpy()
    labels = values.argmax(axis=1) if values.shape[1] > 1 else values[:, 0]
    found, positions = np.unique(labels, return_inverse=True)
    missing = [label for label in found.tolist() if label not in given]
    if missing:
        raise DataError(f"{where}: class_weight has no weight for class {missing[0]}. Received: {dict(given)}.")
    return np.array([given[label] for label in found.tolist()], np.float64)[positions]
