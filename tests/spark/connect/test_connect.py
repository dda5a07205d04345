"""Spark Connect: DataFrames are trained on, predicted and evaluated as in a classic session."""

from typing import Any

import numpy as np
import pytest
import torch

from bigdl.dlframes import KerasClassifier
from bigdl.errors import DistributedError
from bigdl.keras.callbacks import EarlyStopping
from bigdl.layers import Dense
from bigdl.models import Sequential
from bigdl.optim.optimizer import DistriOptimizer, EveryEpoch, Top1Accuracy
from bigdl.spark.options import Options
from tests.spark.models import arrays, assert_same_weights, frame, network, optimizer


def test_training(spark):
    x, y = arrays()
    alone = optimizer((x, y))
    alone.optimize(verbose=0)
    ours = optimizer(frame(spark, x, y), options=Options(workers=2))
    ours.set_validation(50, frame(spark, x, y), EveryEpoch(), [Top1Accuracy()])
    ours.optimize(verbose=0)
    assert_same_weights(ours.model, alone.model)
    sent = optimizer((x, y), DistriOptimizer)
    sent.optimize(verbose=0)
    assert_same_weights(sent.model, alone.model)
    with pytest.raises(DistributedError, match="has 3"):
        optimizer(frame(spark, x, y), options=Options(workers=4)).optimize(verbose=0)


def test_fit_with_callbacks_predict_and_evaluate(spark):
    x, y = arrays()
    data = frame(spark, x, y - 1)

    def classifier() -> Any:
        torch.manual_seed(0)
        model = Sequential([Dense(3, input_dim=4, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model

    def settings() -> dict[str, Any]:
        return {"nb_epoch": 4, "verbose": 0, "callbacks": [EarlyStopping("loss", min_delta=0.5, patience=1)]}

    alone, ours = classifier(), classifier()
    np.random.seed(1)
    expected = alone.fit(x, y - 1, **settings())
    np.random.seed(1)
    found = ours.fit(data, **settings())
    assert found.epoch == expected.epoch == [0, 1, 2]
    assert_same_weights(ours, alone)
    np.testing.assert_allclose([row.prediction for row in ours.predict(data).collect()], alone.predict(x), rtol=1e-4)
    np.testing.assert_allclose(ours.evaluate(data, verbose=0), alone.evaluate(x, y - 1, verbose=0), rtol=1e-5)
    (result,) = network().evaluate(frame(spark, x, y), 50, [Top1Accuracy()])
    assert result == network().evaluate((x, y), 50, [Top1Accuracy()])[0]


def test_a_pipeline_stage(spark):
    x, y = arrays()
    torch.manual_seed(0)
    model = Sequential([Dense(3, input_dim=4, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    fitted = KerasClassifier(model, nbEpoch=1).fit(frame(spark, x, y - 1))
    rows = fitted.transform(frame(spark, x, y - 1)).select("prediction").collect()
    assert [row.prediction for row in rows] == fitted.model.predict_classes(x).tolist()
