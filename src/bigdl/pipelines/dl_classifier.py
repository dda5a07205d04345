"""BigDL's ``DLEstimator`` and ``DLClassifier``, and the transformers that they fit."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from pyspark.ml import Estimator, Transformer
from pyspark.ml.util import MLReadable, MLWritable

from bigdl.errors import DataError
from bigdl.models import Model
from bigdl.models.optimizer import Optimizer
from bigdl.pipelines.params import HasBatchSize, HasColumns, HasFeatureSize, HasTraining, given
from bigdl.pipelines.storage import Reader, Writer, criterion_config, criterion_from
from bigdl.spark.options import Options
from bigdl.spark.predict import predict_frame
from bigdl.spark.scores import Classes, Outputs, Score
from bigdl.training import optimizers
from bigdl.training.optim_methods import SGD, OptimMethod
from bigdl.training.triggers import MaxEpoch

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


class DLModel(Transformer, HasColumns, HasBatchSize, HasFeatureSize, MLWritable, MLReadable["DLModel"]):
    """A model that adds its output to a DataFrame, as an array of doubles.

    Args:
        model: The model.
        featureSize: The shape of a row's features; the model's own by default.
        jvalue: Kept for BigDL's signature.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(
        self, model: Model, featureSize: Sequence[int] | None = None, jvalue: Any = None, bigdl_type: str = "float"
    ) -> None:
        super().__init__()
        self.model = model
        self._setDefault(batchSize=32)
        self._set(**given(featureSize=None if featureSize is None else list(featureSize)))

    def _score(self) -> Score:
        return Outputs()

    def _column(self, prediction: Column) -> Column:
        return prediction.cast("array<double>")

    def _transform(self, dataset: DataFrame) -> DataFrame:
        name = self.getPredictionCol()
        found = predict_frame(
            self.model, dataset, self.getFeaturesCol(), name, self.getBatchSize(), "raise", self._score()
        )
        return found.withColumn(name, self._column(found[f"`{name}`"]))

    def write(self) -> Writer:
        """Returns what writes the transformer."""
        return Writer(self, self.model, {})

    @classmethod
    def read(cls) -> Reader:
        """Returns what reads a transformer that was written."""
        return Reader(lambda model, extra: cls(model))


class DLClassifierModel(DLModel):
    """A classifier that adds the class of each row to a DataFrame, as a double counted from 1; see ``DLModel``."""

    def _score(self) -> Score:
        return Classes()

    def _column(self, prediction: Column) -> Column:
        return prediction.cast("double")


class DLEstimator(Estimator[DLModel], HasColumns, HasTraining, MLWritable, MLReadable["DLEstimator"]):
    """Trains a model on a DataFrame, by the workers of its session.

    Each ``fit`` trains a copy, so that it can be repeated, as ``CrossValidator`` does; ``model`` stays as it is.

    Args:
        model: The model.
        criterion: The loss, a function of output and target.
        feature_size: The shape of a row's features: that of the model's input.
        label_size: The shape of a row's label.
        jvalue: Kept for BigDL's signature.
        bigdl_type: Kept for BigDL's signature.

    Raises:
        DataError: The model has another input.
    """

    def __init__(
        self,
        model: Model,
        criterion: Any,
        feature_size: Sequence[int] | None = None,
        label_size: Sequence[int] | None = None,
        jvalue: Any = None,
        bigdl_type: str = "float",
    ) -> None:
        super().__init__()
        self.model = model
        self.criterion = criterion
        self.feature_size = _checked_size(model, feature_size)
        self.label_size = None if label_size is None else list(label_size)
        self.optim_method: OptimMethod = SGD()
        self.options = Options()
        self._setDefault(batchSize=32, maxEpoch=50, workers=0)

    def setOptimMethod(self, value: OptimMethod) -> Self:
        """Sets how the weights are moved, ``SGD()`` by default."""
        self.optim_method = value
        return self

    def setOptions(self, value: Options) -> Self:
        """Sets how the workers work together."""
        self.options = value
        return self

    def _fit(self, dataset: DataFrame) -> DLModel:
        model, method = copy.deepcopy((self.model, self.optim_method))
        if self.isDefined(self.learningRate):
            method.lr = self.getLearningRate()
        optimizer = Optimizer(
            model,
            dataset,
            self.criterion,
            MaxEpoch(self.getMaxEpoch()),
            self.getBatchSize(),
            method,
            features_col=self.getFeaturesCol(),
            label_col=self.getLabelCol(),
            options=self._options(self.options),
        )
        optimizer.optimize(verbose=0)
        return self._copyValues(self._fitted(model))

    def _fitted(self, model: Model) -> DLModel:
        return DLModel(model, self.feature_size)

    def write(self) -> Writer:
        """Returns what writes the estimator."""
        extra = {
            "criterion": criterion_config(self.criterion),
            "optim_method": optimizers.serialize(self.optim_method),
            "sizes": [self.feature_size, self.label_size],
        }
        return Writer(self, self.model, extra)

    @classmethod
    def read(cls) -> Reader:
        """Returns what reads an estimator that was written."""
        return Reader(cls._from)

    @classmethod
    def _from(cls, model: Model, extra: Mapping[str, Any]) -> Self:
        made = cls(model, criterion_from(extra["criterion"]), *extra["sizes"])
        return made.setOptimMethod(optimizers.get(extra["optim_method"]))


class DLClassifier(DLEstimator):
    """Trains a classifier on labels that are doubles counted from 1; see ``DLEstimator``.

    Args:
        model: The model.
        criterion: The loss.
        feature_size: The shape of a row's features.
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(
        self, model: Model, criterion: Any, feature_size: Sequence[int] | None = None, bigdl_type: str = "float"
    ) -> None:
        super().__init__(model, criterion, feature_size, [1], None, bigdl_type)

    def _fitted(self, model: Model) -> DLModel:
        return DLClassifierModel(model, self.feature_size)

    @classmethod
    def _from(cls, model: Model, extra: Mapping[str, Any]) -> Self:
        made = cls(model, criterion_from(extra["criterion"]), extra["sizes"][0])
        return made.setOptimMethod(optimizers.get(extra["optim_method"]))


def _checked_size(model: Model, size: Sequence[int] | None) -> list[int]:
    if len(model.inputs) != 1:
        raise DataError(f"Model {model.name!r} has {len(model.inputs)} inputs; an estimator trains models of one.")
    expected = model.inputs[0].shape[1:]
    chosen = [n or 0 for n in expected] if size is None else list(size)
    if len(chosen) != len(expected) or any(n not in (None, m) for n, m in zip(expected, chosen, strict=True)):
        raise DataError(f"Model {model.name!r} has an input of shape {tuple(expected)}. Received: feature_size={size}.")
    return chosen
