"""Estimators and transformers on any file system that Spark knows: parameters as Spark ML saves them, and a model.

Nothing is pickled. Models are kept as ``Model.save`` writes them, criterions of this library by class and numbers.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pyspark.ml.param import Params
from pyspark.ml.util import DefaultParamsReader, DefaultParamsWriter, MLReader, MLWriter

from bigdl.errors import DataError, FormatError
from bigdl.models import Model
from bigdl.training import criterions, criterions_classes, criterions_elementwise, criterions_tables
from bigdl.training.criterions_base import Criterion

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_BYTES_OF_A_ROW = 4 << 20
_CRITERION, _ARRAY = "criterion", "array"


class Writer(MLWriter):
    """Writes an estimator or a transformer.

    Args:
        instance: It.
        model: Its model.
        extra: What else is kept, of what JSON can hold.
    """

    def __init__(self, instance: Params, model: Model, extra: Mapping[str, Any]) -> None:
        super().__init__()
        self._instance = instance
        self._model = model
        self._extra = dict(extra)

    def saveImpl(self, path: str) -> None:
        """Writes parameters and model."""
        session = self.sparkSession
        DefaultParamsWriter.saveMetadata(self._instance, path, session, {"bigdl": self._extra})
        with tempfile.TemporaryDirectory(prefix="bigdl-") as folder:
            name = os.path.join(folder, "model")
            self._model.save(name)
            with open(name, "rb") as file:
                parts = iter(lambda: file.read(_BYTES_OF_A_ROW), b"")
                rows = [(i, bytearray(part)) for i, part in enumerate(parts)]
        frame = session.createDataFrame(rows, "part int, content binary")
        frame.coalesce(1).write.parquet(_model_path(path))


class Reader(MLReader[Any]):
    """Reads what ``Writer`` wrote.

    Args:
        make: Makes the instance, from the model and what else was kept.
    """

    def __init__(self, make: Callable[[Model, Mapping[str, Any]], Any]) -> None:
        super().__init__()
        self._make = make

    def load(self, path: str) -> Any:
        """Reads an instance.

        Raises:
            FormatError: It is not what this library has written.
        """
        session = self.sparkSession
        metadata = DefaultParamsReader.loadMetadata(path, session)
        if "bigdl" not in metadata:
            raise FormatError(f"{path} holds a {metadata.get('class')}, which this library has not written.")
        instance = self._make(_read_model(session, path), metadata["bigdl"])
        instance._resetUid(metadata["uid"])
        DefaultParamsReader.getAndSetParams(instance, metadata)
        return instance


def _model_path(path: str) -> str:
    return f"{path.rstrip('/')}/model"


def _read_model(session: SparkSession, path: str) -> Model:
    rows = session.read.parquet(_model_path(path)).orderBy("part").collect()
    with tempfile.TemporaryDirectory(prefix="bigdl-") as folder:
        name = os.path.join(folder, "model")
        with open(name, "wb") as file:
            for row in rows:
                file.write(row["content"])
        return Model.load(name)


def criterion_config(criterion: Any) -> Any:
    """Describes a criterion by its class and numbers, of what JSON can hold.

    Raises:
        DataError: It is none of this library's.
    """
    if isinstance(criterion, Criterion):
        name = type(criterion).__name__
        if _criterion_class(name) is not type(criterion):
            raise DataError(
                f"The criterion {name} is not one of this library, so that an estimator with it cannot be saved. Save "
                "the transformer that it fits, or train with a criterion of bigdl.nn.criterion."
            )
        return {_CRITERION: name, "values": {key: criterion_config(value) for key, value in vars(criterion).items()}}
    if isinstance(criterion, torch.Tensor | np.ndarray):
        return {_ARRAY: np.asarray(criterion).tolist()}
    if isinstance(criterion, list | tuple):
        return [criterion_config(item) for item in criterion]
    if criterion is None or isinstance(criterion, bool | int | float | str):
        return criterion
    raise DataError(f"A criterion with {criterion!r} inside cannot be saved.")


def criterion_from(config: Any) -> Any:
    """Makes the criterion that ``criterion_config`` described.

    Raises:
        FormatError: There is no such criterion.
    """
    if isinstance(config, list):
        return [criterion_from(item) for item in config]
    if not isinstance(config, dict):
        return config
    if _ARRAY in config:
        return torch.tensor(config[_ARRAY], dtype=torch.float32)
    kind = _criterion_class(str(config.get(_CRITERION)))
    if kind is None:
        raise FormatError(f"There is no criterion {config.get(_CRITERION)!r}.")
    made = object.__new__(kind)
    for key, value in config["values"].items():
        setattr(made, key, criterion_from(value))
    return made


def _criterion_class(name: str) -> type[Criterion] | None:
    """Returns a criterion's class by its name, None where this library has none."""
    for module in (criterions, criterions_classes, criterions_elementwise, criterions_tables):
        found = getattr(module, name, None)
        if isinstance(found, type) and issubclass(found, Criterion):
            return found
    return None
