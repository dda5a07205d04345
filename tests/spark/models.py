"""What the tests of Spark train, and on what."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bigdl.layers import BatchNormalization, Dense
from bigdl.models import Sequential
from bigdl.nn.criterion import ClassNLLCriterion
from bigdl.optim.optimizer import SGD, MaxEpoch, Optimizer

ROWS = 203
SEED = 7


def network(batch_norm: bool = False) -> Sequential:
    torch.manual_seed(0)
    hidden = Dense(8, input_dim=4, activation="tanh", W_regularizer="l2", name="hidden")
    between = [BatchNormalization(name="normalized")] if batch_norm else []
    return Sequential([hidden, *between, Dense(3, activation="softmax", name="classes")], name="net")


def nll() -> ClassNLLCriterion:
    return ClassNLLCriterion(logProbAsInput=False)


def arrays(rows: int = ROWS) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Inputs, and labels from 1 that follow from them."""
    random = np.random.RandomState(0)
    x = random.rand(rows, 4).astype("float32")
    return x, (x @ random.randn(4, 3)).argmax(1) + 1


def optimizer(data: Any, kind: Any = Optimizer, epochs: int = 3, model: Any = None, **arguments: Any) -> Any:
    """An optimizer whose order of rows is always the same."""
    model = network() if model is None else model
    method = SGD(learningrate=0.5, momentum=0.9)
    made = kind(model, data, nll(), MaxEpoch(epochs), 32, method, **arguments)
    made._seed = SEED
    return made


def frame(spark: Any, x: Any, y: Any) -> Any:
    rows = [(row.tolist(), int(label)) for row, label in zip(x, y, strict=True)]
    return spark.createDataFrame(rows, "features array<float>, label int")


def assert_same_weights(model: Any, expected: Any, tolerance: float = 1e-5) -> None:
    for ours, theirs in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)
