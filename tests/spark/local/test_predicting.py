"""Prediction and evaluation of DataFrames and RDDs: the numbers of one machine, row by row."""

from typing import Any

import numpy as np
import pytest
import torch
from pyspark.errors import PythonException
from pyspark.ml.linalg import Vectors
from pyspark.sql import functions as F

from bigdl.errors import DataError
from bigdl.graph import Input
from bigdl.layers import LSTM, Dense, Flatten, Masking
from bigdl.models import Model, Sequential
from bigdl.optim.optimizer import Loss, Top1Accuracy
from bigdl.spark.shipping import shipped
from bigdl.util.common import Sample
from tests.spark.models import arrays, frame, network, nll


def test_predictions_stand_beside_the_other_columns(spark):
    x, _ = arrays()
    model = network()
    rows = [(i, Vectors.dense(row), [float(v) for v in row[:2]]) for i, row in enumerate(x)]
    data = spark.createDataFrame(rows, ["number", "features", "rest"]).repartition(4, "number")
    predicted = model.predict(data, batch_size=16)
    assert predicted.columns == [*data.columns, "prediction"]
    found = predicted.collect()
    assert [row.number for row in found] == [row.number for row in data.collect()]
    expected = model.predict(x)
    np.testing.assert_allclose([row.prediction for row in found], expected[[row.number for row in found]], rtol=1e-6)
    classes = model.predict_class(data, output_col="class").filter("number < 5").orderBy("number").collect()
    assert [row["class"] for row in classes] == model.predict_class(x[:5]).tolist()


def test_several_inputs_and_outputs_from_several_kinds_of_columns(spark):
    torch.manual_seed(0)
    a, b = Input((2,), name="a"), Input((2, 2, 1), name="b")
    model = Model([a, b], [Dense(2, name="left")(a), Dense(1, name="right")(Flatten()(b))])
    x = np.random.RandomState(0).randint(0, 255, (9, 2, 2, 1), np.uint8)
    rows = [(row.reshape(-1)[:2].tolist(), bytearray(row.tobytes())) for row in x]
    data = spark.createDataFrame(rows, "a array<int>, b binary")
    found = model.predict(data, features_col=["a", "b"]).select("prediction.*").collect()
    left, right = model.predict([x.reshape(9, 4)[:, :2].astype("float32"), x.astype("float32")])
    np.testing.assert_allclose([row.left for row in found], left, rtol=1e-5)
    np.testing.assert_allclose([row.right for row in found], right, rtol=1e-5)
    pairs = spark.sparkContext.parallelize([[row.reshape(-1)[:2], row] for row in x], 2)
    assert_rows(model.predict(pairs).map(lambda outputs: outputs[1]).collect(), right)


def assert_rows(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_rows_that_cannot_be_used_are_named_or_kept(spark):
    x, y = arrays(30)
    model = network()
    data = frame(spark, x, y).coalesce(1)
    row = data.collect()[7].features
    data = data.withColumn("features", F.when(F.col("features") != F.lit(row), F.col("features")))
    with pytest.raises(
        PythonException, match="DataError: 1 rows cannot be used: row 7 of partition 0, features: it is"
    ):
        model.predict(data).collect()
    kept = model.predict(data, bad_rows="keep").collect()
    assert len(kept) == 30
    assert (kept[7].prediction, kept[7].prediction_error) == (None, "features: it is null")
    assert_rows([r.prediction for i, r in enumerate(kept) if i != 7], np.delete(model.predict(x), 7, 0))
    rdd = spark.sparkContext.parallelize([*x[:5], x[5, :2]], 2)
    found = model.predict(rdd, bad_rows="keep").collect()
    assert found[5] is None
    assert_rows(found[:5], model.predict(x[:5]))
    with pytest.raises(DataError, match="'raise' or 'keep'"):
        model.predict(rdd, bad_rows="skip")


def test_rdds_of_samples(spark):
    x, y = arrays()
    model = network()
    rdd = spark.sparkContext.parallelize([Sample.from_ndarray(*row) for row in zip(x, y, strict=True)], 5)
    assert_rows(model.predict(rdd, batch_size=7).collect(), model.predict(x))
    assert model.predict_class(rdd).collect() == model.predict_class(x).tolist()
    methods = [Top1Accuracy(), Loss(nll())]
    expected = model.evaluate((x, y), 32, methods)
    for data in (rdd, frame(spark, x, y)):
        found = model.evaluate(data, 32, methods)
        assert [r.total_num for r in found] == [r.total_num for r in expected]
        np.testing.assert_allclose([r.result for r in found], [r.result for r in expected], rtol=1e-6)
    with pytest.raises(DataError, match="labels from 1 to 3"):
        model.evaluate(frame(spark, x, y + 3), 32, methods)
    short = rdd.union(spark.sparkContext.parallelize([Sample.from_ndarray(x[0, :2], 1)], 1))
    with pytest.raises(DataError, match=r"row 203, feature 0: expected shape \(4,\), received \(2,\)"):
        model.evaluate(short, 32, methods)


def test_evaluation_counts_batches_as_keras_does(spark):
    random = np.random.RandomState(2)
    x = random.rand(50, 6, 3).astype("float32")
    for i, length in enumerate(random.randint(2, 7, 50)):
        x[i, length:] = 0
    y, weights = random.rand(50, 6, 2).astype("float32"), random.randint(0, 3, 50).astype("float32")
    torch.manual_seed(0)
    model = Sequential([Masking(input_shape=(6, 3)), LSTM(2, return_sequences=True)])
    model.compile("sgd", "mse", metrics=["mae"])
    rows = [(a.tolist(), b.tolist(), float(w)) for a, b, w in zip(x, y, weights, strict=True)]
    data = spark.createDataFrame(rows, "features array<array<float>>, label array<array<float>>, weight float")
    found = model.evaluate(data, batch_size=8, sample_weight_col="weight")
    assert_rows(found, model.evaluate(x, y, batch_size=8, sample_weight=weights, verbose=0))


def test_a_model_is_sent_once(spark):
    model = network()
    first, second = shipped(model, spark), shipped(model, spark)
    assert first.key == second.key
    assert first.model() is second.model() is not model
    model.set_weights([weight + 1 for weight in model.get_weights()])
    changed = shipped(model, spark)
    assert changed.key != first.key
    assert_rows(changed.model().get_weights()[0], model.get_weights()[0])
