"""Spark ML's conventions: parameters, pipelines, cross-validation, saving."""

from typing import Any

import numpy as np
import pytest
import torch
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.evaluation import BinaryClassificationEvaluator, MulticlassClassificationEvaluator, RegressionEvaluator
from pyspark.ml.feature import VectorAssembler
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder, TrainValidationSplit, TrainValidationSplitModel

from bigdl.dlframes import (
    DLClassifier,
    DLClassifierModel,
    DLEstimator,
    DLModel,
    KerasClassifier,
    KerasClassifierModel,
    KerasEstimator,
    KerasTransformer,
)
from bigdl.errors import DataError
from bigdl.layers import Dense
from bigdl.models import Sequential
from bigdl.nn.criterion import ClassNLLCriterion, MSECriterion, MultiCriterion
from bigdl.optim.optimizer import SGD, Adam
from bigdl.pipelines.storage import criterion_config, criterion_from
from tests.spark.models import SEED, arrays, assert_same_weights, network, nll, optimizer


@pytest.fixture
def data(spark):
    x, y = arrays()
    rows = [(*map(float, row), float(label)) for row, label in zip(x, y, strict=True)]
    return spark.createDataFrame(rows, "a double, b double, c double, d double, label double")


@pytest.fixture
def assembler(spark):
    return VectorAssembler(inputCols=["a", "b", "c", "d"], outputCol="features")


@pytest.fixture
def features(assembler, data):
    return assembler.transform(data)


def regression() -> Any:
    torch.manual_seed(0)
    model = Sequential([Dense(1, input_dim=4)])
    model.compile("sgd", "mse")
    return model


def test_a_classifier_in_a_pipeline_that_is_saved(assembler, data, tmp_path):
    classifier = DLClassifier(network(), nll(), [4]).setOptimMethod(SGD(momentum=0.9))
    classifier.setBatchSize(32).setMaxEpoch(3).setLearningRate(0.5)
    before = [weight.copy() for weight in classifier.model.get_weights()]
    torch.manual_seed(SEED)
    pipeline = Pipeline(stages=[assembler, classifier])
    fitted = pipeline.fit(data)
    expected = optimizer(arrays())
    expected._seed = None  # it is drawn there as here
    torch.manual_seed(SEED)
    expected.optimize(verbose=0)
    model = fitted.stages[1]
    assert isinstance(model, DLClassifierModel)
    assert_same_weights(model.model, expected.model)
    for now, then in zip(classifier.model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    predicted = fitted.transform(data)
    assert predicted.columns == [*data.columns, "features", "prediction"]
    x, _ = arrays()
    classes = [row.prediction for row in predicted.collect()]
    assert classes == expected.model.predict_class(x).astype(float).tolist()

    fitted.save(str(tmp_path / "fitted"))
    again = PipelineModel.load(str(tmp_path / "fitted"))
    assert isinstance(again.stages[1], DLClassifierModel)
    assert (again.stages[1].uid, again.stages[1].getBatchSize()) == (model.uid, 32)
    assert [row.prediction for row in again.transform(data).collect()] == classes

    pipeline.save(str(tmp_path / "pipeline"))
    estimator: Any = Pipeline.load(str(tmp_path / "pipeline")).getStages()[1]
    assert isinstance(estimator, DLClassifier)
    assert (estimator.getMaxEpoch(), estimator.getLearningRate(), estimator.feature_size) == (3, 0.5, [4])
    assert estimator.optim_method.get_config()["momentum"] == pytest.approx(0.9)
    assert not estimator.criterion.log_prob_as_input
    assert_same_weights(estimator.model, classifier.model, 0)


def test_an_estimator_adds_arrays(features, tmp_path):
    estimator = DLEstimator(network(), MultiCriterion().add(nll(), 0.5), [4], [1]).setOptimMethod(Adam())
    fitted = estimator.setPredictionCol("scores").setWorkers(1).fit(features, {estimator.maxEpoch: 1})
    assert isinstance(fitted, DLModel)
    assert not isinstance(fitted, DLClassifierModel)
    (row,) = fitted.transform(features).limit(1).collect()
    np.testing.assert_allclose(row.scores, fitted.model.predict(arrays()[0][:1])[0], rtol=1e-5)
    estimator.save(str(tmp_path / "estimator"))
    assert type(DLEstimator.load(str(tmp_path / "estimator")).optim_method).__name__ == "Adam"
    with pytest.raises(DataError, match="feature_size"):
        DLEstimator(network(), nll(), [5], [1])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Spark leaves its pool of threads open
def test_cross_validation_finds_the_better_rate(features):
    estimator = KerasEstimator(regression(), nbEpoch=2, predictionCol="guess")
    grid = ParamGridBuilder().addGrid(estimator.lr, [0.0, 0.1]).build()
    evaluator = RegressionEvaluator(predictionCol="guess")
    search = CrossValidator(
        estimator=estimator, estimatorParamMaps=grid, evaluator=evaluator, numFolds=2, parallelism=2, seed=1
    )
    found = search.fit(features)
    assert found.avgMetrics[1] < found.avgMetrics[0]
    best: Any = found.bestModel
    assert isinstance(best, KerasTransformer)
    assert evaluator.evaluate(best.transform(features)) < 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Spark leaves its pool of threads open
def test_a_split_finds_the_better_rate_and_is_saved(features, tmp_path):
    estimator = KerasEstimator(regression(), nbEpoch=2)
    grid = ParamGridBuilder().addGrid(estimator.lr, [0.0, 0.1]).build()
    split = TrainValidationSplit(
        estimator=estimator, estimatorParamMaps=grid, evaluator=RegressionEvaluator(), trainRatio=0.7, seed=1
    )
    found = split.fit(features)
    assert found.validationMetrics[1] < found.validationMetrics[0]
    found.save(str(tmp_path / "split"))
    again = TrainValidationSplitModel.load(str(tmp_path / "split"))
    assert again.transform(features).collect() == found.transform(features).collect()


def test_probabilities_for_evaluators(features, tmp_path):
    torch.manual_seed(0)
    features = features.withColumn("label", features["label"] - 1)
    several = Sequential([Dense(3, input_dim=4, activation="softmax")])
    several.compile("adam", "sparse_categorical_crossentropy")
    fitted = KerasClassifier(several, nbEpoch=1, batchSize=64).fit(features)
    fitted.save(str(tmp_path / "classifier"))
    assert isinstance(fitted, KerasClassifierModel)
    again = KerasClassifierModel.load(str(tmp_path / "classifier"))
    row, *_ = again.transform(features).collect()
    expected = fitted.model.predict(arrays()[0])
    np.testing.assert_allclose(row.probability.toArray(), expected[0], rtol=1e-5)
    assert row.prediction == expected[0].argmax()
    assert 0 <= MulticlassClassificationEvaluator().evaluate(again.transform(features)) <= 1

    binary = features.withColumn("label", (features["label"] > 0).cast("double"))
    one = Sequential([Dense(1, input_dim=4, activation="sigmoid")])
    one.compile("adam", "binary_crossentropy")
    fitted = KerasClassifier(one, nbEpoch=1).setLr(0.1).fit(binary).setPredictionCol("")
    found = fitted.transform(binary)
    assert found.columns == [*binary.columns, "rawPrediction", "probability"]
    assert 0.5 < BinaryClassificationEvaluator().evaluate(found) <= 1


def test_parameters_are_explained_and_copied(spark):
    estimator = DLClassifier(network(), nll())
    assert (estimator.getBatchSize(), estimator.getMaxEpoch(), estimator.getWorkers()) == (32, 50, 0)
    assert "maxEpoch: epochs to train (default: 50)" in estimator.explainParams()
    copied = estimator.copy({estimator.batchSize: 7})
    assert (copied.getBatchSize(), estimator.getBatchSize(), copied.uid) == (7, 32, estimator.uid)
    with pytest.raises(TypeError):
        estimator.setBatchSize("many")  # type: ignore[arg-type]


def test_criterions_are_kept_by_their_numbers():
    weighted = ClassNLLCriterion(np.array([1.0, 2.0]), logProbAsInput=False)
    criterion = criterion_from(criterion_config(MultiCriterion().add(weighted, 0.5).add(MSECriterion())))
    output, target = np.array([[0.3, 0.7], [0.6, 0.4]]), np.array([1, 2])
    expected = weighted.forward(output, target)
    (first, factor), _ = criterion._criterions
    assert first.forward(output, target) * factor == pytest.approx(0.5 * expected)

    class Own(MSECriterion):
        pass

    with pytest.raises(DataError, match="Own is not one of this library"):
        criterion_config(Own())
