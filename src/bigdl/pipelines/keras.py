"""Compiled Keras models as Spark ML's estimators, and the transformers that they fit."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Self

from pyspark.ml import Estimator, Transformer
from pyspark.ml.param import Param, Params, TypeConverters
from pyspark.ml.param.shared import HasLabelCol, HasProbabilityCol, HasRawPredictionCol, HasWeightCol
from pyspark.ml.util import MLReadable, MLWritable

from bigdl.errors import DataError
from bigdl.models import Model
from bigdl.pipelines.params import HasBatchSize, HasColumns, given
from bigdl.pipelines.storage import Reader, Writer
from bigdl.spark.options import Options
from bigdl.spark.predict import predict_frame
from bigdl.spark.scores import Outputs

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


class KerasTransformer(Transformer, HasColumns, HasBatchSize, MLWritable, MLReadable["KerasTransformer"]):
    """A model that adds its output to a DataFrame: a double where it is one number, else an array of doubles.

    Args:
        model: The model.
        featuresCol: The column of the features; ``"features"`` by default.
        predictionCol: The column that is added; ``"prediction"`` by default.
        batchSize: Rows at a time; 32 by default.
    """

    def __init__(
        self,
        model: Model,
        featuresCol: str | None = None,
        predictionCol: str | None = None,
        batchSize: int | None = None,
    ) -> None:
        super().__init__()
        self.model = model
        self._setDefault(batchSize=32)
        self._set(**given(featuresCol=featuresCol, predictionCol=predictionCol, batchSize=batchSize))

    def _outputs(self, dataset: DataFrame, name: str) -> DataFrame:
        if len(self.model.outputs) != 1:
            raise DataError(
                f"Model {self.model.name!r} has {len(self.model.outputs)} outputs. Use model.predict(frame)."
            )
        return predict_frame(self.model, dataset, self.getFeaturesCol(), name, self.getBatchSize(), "raise", Outputs())

    def _transform(self, dataset: DataFrame) -> DataFrame:
        name = self.getPredictionCol()
        found = self._outputs(dataset, name)
        column = found[f"`{name}`"]
        single = self.model.outputs[0].shape[1:] == (1,)
        return found.withColumn(name, column[0].cast("double") if single else column.cast("array<double>"))

    def write(self) -> Writer:
        """Returns what writes the transformer."""
        return Writer(self, self.model, {})

    @classmethod
    def read(cls) -> Reader:
        """Returns what reads a transformer that was written."""
        return Reader(lambda model, extra: cls(model))


class KerasClassifierModel(KerasTransformer, HasProbabilityCol, HasRawPredictionCol):
    """A classifier that adds the class of each row, a double counted from 0, and the classes' probabilities.

    A single output is the probability of class 1. The probabilities stand in ``probabilityCol`` and, for evaluators
    that look there, in ``rawPredictionCol``; a column that is named ``""`` is left out. See ``KerasTransformer``.
    """

    def _transform(self, dataset: DataFrame) -> DataFrame:
        from pyspark.ml.functions import array_to_vector
        from pyspark.sql import functions as F

        name = "_bigdl_outputs"
        found = self._outputs(dataset, name)
        outputs = found[name].cast("array<double>")
        if self.model.outputs[0].shape[-1] == 1:
            outputs = F.array(1 - outputs[0], outputs[0])
        found = found.withColumn(name, outputs)
        vector: Column = array_to_vector(found[name])
        for column in (self.getRawPredictionCol(), self.getProbabilityCol()):
            found = found.withColumn(column, vector) if column else found
        first = F.array_position(found[name], F.array_max(found[name])) - 1
        if self.getPredictionCol():
            found = found.withColumn(self.getPredictionCol(), first.cast("double"))
        return found.drop(name)


class KerasEstimator(
    Estimator[KerasTransformer],
    HasColumns,
    HasLabelCol,
    HasWeightCol,
    HasBatchSize,
    MLWritable,
    MLReadable["KerasEstimator"],
):
    """Fits a compiled model to a DataFrame, by the workers of its session.

    Each ``fit`` trains a copy, so that it can be repeated, as ``CrossValidator`` does; ``model`` stays as it is.

    Args:
        model: The model, compiled.
        featuresCol: The column of the features; ``"features"`` by default.
        labelCol: The column of the targets; ``"label"`` by default.
        weightCol: A column of sample weights.
        predictionCol: The column that the transformer adds; ``"prediction"`` by default.
        batchSize: Rows of a step, over all workers; 32 by default.
        nbEpoch: Epochs to train; 10 by default.
        lr: The learning rate; that of the model's optimizer by default.
        options: How the workers work together.

    Raises:
        TrainingError: The model is not compiled.
    """

    nbEpoch: Param[int] = Param(Params._dummy(), "nbEpoch", "epochs to train", TypeConverters.toInt)
    lr: Param[float] = Param(Params._dummy(), "lr", "learning rate of the optimizer", TypeConverters.toFloat)

    def __init__(
        self,
        model: Model,
        featuresCol: str | None = None,
        labelCol: str | None = None,
        weightCol: str | None = None,
        predictionCol: str | None = None,
        batchSize: int | None = None,
        nbEpoch: int | None = None,
        lr: float | None = None,
        options: Options | None = None,
    ) -> None:
        super().__init__()
        _ = model.compiled  # else it could not be trained
        self.model = model
        self.options = options or Options()
        self._setDefault(batchSize=32, nbEpoch=10)
        self._set(
            **given(
                featuresCol=featuresCol,
                labelCol=labelCol,
                weightCol=weightCol,
                predictionCol=predictionCol,
                batchSize=batchSize,
                nbEpoch=nbEpoch,
                lr=lr,
            )
        )

    def setLabelCol(self, value: str) -> Self:
        """Sets the column of the targets."""
        return self._set(labelCol=value)

    def setWeightCol(self, value: str) -> Self:
        """Sets the column of the sample weights."""
        return self._set(weightCol=value)

    def setNbEpoch(self, value: int) -> Self:
        """Sets how many epochs to train."""
        return self._set(nbEpoch=value)

    def getNbEpoch(self) -> int:
        """Returns how many epochs to train."""
        return self.getOrDefault(self.nbEpoch)

    def setLr(self, value: float) -> Self:
        """Sets the learning rate."""
        return self._set(lr=value)

    def getLr(self) -> float:
        """Returns the learning rate that was set."""
        return self.getOrDefault(self.lr)

    def _fit(self, dataset: DataFrame) -> KerasTransformer:
        model = copy.deepcopy(self.model)
        if self.isDefined(self.lr):
            model.optimizer.lr = self.getLr()
        model.fit(
            dataset,
            batch_size=self.getBatchSize(),
            nb_epoch=self.getNbEpoch(),
            verbose=0,
            features_col=self.getFeaturesCol(),
            label_col=self.getLabelCol(),
            sample_weight_col=self.getWeightCol() if self.isDefined(self.weightCol) else None,
            options=self.options,
        )
        return self._copyValues(self._fitted(model))

    def _fitted(self, model: Model) -> KerasTransformer:
        return KerasTransformer(model)

    def write(self) -> Writer:
        """Returns what writes the estimator."""
        return Writer(self, self.model, {})

    @classmethod
    def read(cls) -> Reader:
        """Returns what reads an estimator that was written."""
        return Reader(lambda model, extra: cls(model))


class KerasClassifier(KerasEstimator, HasProbabilityCol, HasRawPredictionCol):
    """Fits a compiled classifier to labels that count from 0; see ``KerasEstimator``.

    Its loss is ``sparse_categorical_crossentropy``, or ``binary_crossentropy`` for a single output.
    """

    def _fitted(self, model: Model) -> KerasTransformer:
        return KerasClassifierModel(model)
