"""The parameters of estimators and transformers, as Spark ML has them: set, got, defaulted, mapped, saved."""

from __future__ import annotations

from typing import Any, Self

from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.param.shared import HasFeaturesCol, HasLabelCol, HasPredictionCol

from bigdl.spark.options import Options


class HasColumns(HasFeaturesCol, HasPredictionCol):
    """The columns that a transformer reads and adds."""

    def setFeaturesCol(self, value: str) -> Self:
        """Sets the column of the features."""
        return self._set(featuresCol=value)

    def setPredictionCol(self, value: str) -> Self:
        """Sets the column that predictions go to."""
        return self._set(predictionCol=value)


class HasBatchSize(Params):
    """How many rows are computed at a time."""

    batchSize: Param[int] = Param(
        Params._dummy(), "batchSize", "rows of a step, over all workers", TypeConverters.toInt
    )

    def setBatchSize(self, value: int) -> Self:
        """Sets how many rows are computed at a time."""
        return self._set(batchSize=value)

    def getBatchSize(self) -> int:
        """Returns how many rows are computed at a time."""
        return self.getOrDefault(self.batchSize)


class HasFeatureSize(Params):
    """The shape of a row's features."""

    featureSize: Param[list[int]] = Param(
        Params._dummy(), "featureSize", "shape of a row's features", TypeConverters.toListInt
    )

    def setFeatureSize(self, value: list[int]) -> Self:
        """Sets the shape of a row's features."""
        return self._set(featureSize=value)

    def getFeatureSize(self) -> list[int]:
        """Returns the shape of a row's features."""
        return self.getOrDefault(self.featureSize)


class HasTraining(HasLabelCol, HasBatchSize):
    """How long is trained, and on how many workers."""

    maxEpoch: Param[int] = Param(Params._dummy(), "maxEpoch", "epochs to train", TypeConverters.toInt)
    learningRate: Param[float] = Param(
        Params._dummy(), "learningRate", "learning rate of the optim method", TypeConverters.toFloat
    )
    workers: Param[int] = Param(
        Params._dummy(),
        "workers",
        "workers that train together; 0 for as many as there are task slots",
        TypeConverters.toInt,
    )

    def setLabelCol(self, value: str) -> Self:
        """Sets the column of the labels."""
        return self._set(labelCol=value)

    def setMaxEpoch(self, value: int) -> Self:
        """Sets how many epochs to train."""
        return self._set(maxEpoch=value)

    def getMaxEpoch(self) -> int:
        """Returns how many epochs to train."""
        return self.getOrDefault(self.maxEpoch)

    def setLearningRate(self, value: float) -> Self:
        """Sets the learning rate of the optim method; by default it keeps its own."""
        return self._set(learningRate=value)

    def getLearningRate(self) -> float:
        """Returns the learning rate that was set."""
        return self.getOrDefault(self.learningRate)

    def setWorkers(self, value: int) -> Self:
        """Sets how many workers train together."""
        return self._set(workers=value)

    def getWorkers(self) -> int:
        """Returns how many workers train together, 0 for as many as there are task slots."""
        return self.getOrDefault(self.workers)

    def _options(self, options: Options) -> Options:
        workers = self.getWorkers()
        return options if workers == 0 else Options(**{**vars(options), "workers": workers})


def given(**values: Any) -> dict[str, Any]:
    """Returns the arguments that are not None."""
    return {name: value for name, value in values.items() if value is not None}
