"""Models that were built, compiled and trained here go on in the real Keras 1.2.2 as they do here."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bigdl.graph import Input
from bigdl.layers import (
    GRU,
    LSTM,
    BatchNormalization,
    Bidirectional,
    Convolution2D,
    Dense,
    Embedding,
    Flatten,
    MaxPooling2D,
    PReLU,
    TimeDistributed,
    ZeroPadding2D,
    merge,
)
from bigdl.layers.regularizers import EigenvalueRegularizer
from bigdl.models import Model, Sequential
from bigdl.training import optimizers
from tests.golden_cases import Array, read_arrays
from tests.oracle.real_keras import difference, keras_reads

pytestmark = [pytest.mark.oracle, pytest.mark.timeout(1800)]

OPTIMIZERS: dict[str, Callable[[], optimizers.Optimizer]] = {
    "sgd": lambda: optimizers.SGD(0.1),
    "sgd_nesterov_decay": lambda: optimizers.SGD(0.1, momentum=0.9, decay=0.2, nesterov=True),
    "rmsprop": lambda: optimizers.RMSprop(0.01),
    "rmsprop_decay": lambda: optimizers.RMSprop(0.01, decay=0.3),
    "adagrad": lambda: optimizers.Adagrad(0.05),
    "adagrad_decay": lambda: optimizers.Adagrad(0.05, decay=0.3),
    "adadelta": lambda: optimizers.Adadelta(),
    "adadelta_decay": lambda: optimizers.Adadelta(decay=0.3),
    "adam_decay": lambda: optimizers.Adam(0.01, decay=0.1),
    "adam_clipped": lambda: optimizers.Adam(0.01, clipnorm=0.5, clipvalue=0.1),
    "adamax": lambda: optimizers.Adamax(0.01),
}


def classifier(optimizer: Any = "adam", loss: Any = "categorical_crossentropy", **arguments: Any) -> Sequential:
    model = Sequential([Dense(5, input_dim=4, activation="tanh"), BatchNormalization(), Dense(3, activation="softmax")])
    model.compile(optimizer, loss, **arguments)
    return model


def with_optimizer(make: Callable[[], optimizers.Optimizer]) -> Sequential:
    return classifier(make())


def twelve_layers() -> Sequential:
    """The state of dense_10 stands before that of dense_2."""
    model = Sequential([Dense(4, input_dim=4, activation="tanh"), *[Dense(4, activation="tanh") for _ in range(11)]])
    model.compile("adam", "mse")
    return model


def two_headed() -> Model:
    a, b = Input((4,), name="a"), Input((3,), name="b")
    h = Dense(4, activation="tanh", name="block/one")(merge([a, b], mode="concat"))
    model = Model([a, b], [Dense(3, activation="softmax", name="kind")(h), Dense(1, name="size")(h)])
    losses = {"kind": "categorical_crossentropy", "size": "mse"}
    model.compile("adam", losses, {"kind": ["acc", "mse"], "size": ["mae"]}, loss_weights=[1.0, np.float32(0.25)])
    return model


def images() -> Sequential:
    model = Sequential(
        [
            ZeroPadding2D((1, 2), dim_ordering="th", input_shape=(1, 6, 6)),
            Convolution2D(3, 3, 3, dim_ordering="th", W_regularizer="l2", W_constraint="maxnorm"),
            PReLU(shared_axes=[2, 3]),
            MaxPooling2D(dim_ordering="th"),
            Flatten(),
            Dense(3, activation="softmax", activity_regularizer="activity_l2"),
        ]
    )
    model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
    return model


def words() -> Sequential:
    model = Sequential(
        [
            Embedding(6, 3, input_length=5, mask_zero=True),
            LSTM(4, return_sequences=True, consume_less="gpu"),
            TimeDistributed(Dense(3, activation="softmax")),
        ]
    )
    model.compile("adam", "categorical_crossentropy", sample_weight_mode="temporal")
    return model


def shared() -> Model:
    """One layer on an input and on what comes later in Keras's own order."""
    a, b = Input((4,)), Input((6,))
    layer = Dense(3, activation="tanh")
    model = Model([a, b], merge([layer(a), layer(Dense(4)(b))], mode="sum"))
    model.compile("adam", "mse")
    return model


def frozen_inside() -> Sequential:
    base = Sequential([Dense(4, input_dim=4, activation="tanh"), BatchNormalization()])
    deep = Sequential([Dense(4, input_dim=4), base, Dense(4)])
    base.trainable = False
    model = Sequential([deep, Dense(3, activation="softmax")])
    model.compile("adam", "categorical_crossentropy")
    return model


def eigenvalue() -> Sequential:
    """Keras cannot read the regularizer when it has written it itself."""
    model = Sequential([Dense(4, input_dim=4, W_regularizer=EigenvalueRegularizer(0.1)), Dense(3)])
    model.compile("sgd", "mse")
    return model


def frozen_layer() -> Sequential:
    model = Sequential([Dense(5, input_dim=4, trainable=False), Dense(3, activation="softmax")])
    model.compile("adam", "categorical_crossentropy")
    return model


def frozen_wrapper() -> Sequential:
    """Keras does not heed the flag of a Bidirectional, but those of the layers inside."""
    model = Sequential([Bidirectional(GRU(3), input_shape=(4, 3)), Dense(3, activation="softmax")])
    model.layers[0].trainable = False
    model.compile("adam", "categorical_crossentropy")
    return model


def frozen_after_compile() -> Sequential:
    """As the discriminator of a pair of adversaries."""
    model = classifier()
    model.trainable = False
    return model


BUILDERS: dict[str, Callable[[], Model]] = {
    **{name: partial(with_optimizer, make) for name, make in OPTIMIZERS.items()},
    "no_metrics_no_training": lambda: classifier("nadam", "mse"),
    "metrics": lambda: classifier("sgd", "kld", metrics=["accuracy", "mse", "fmeasure"]),
    "list_of_losses": lambda: classifier("sgd", ["poisson"], loss_weights=[0.5]),
    "twelve_layers": twelve_layers,
    "two_headed": two_headed,
    "images": images,
    "words": words,
    "shared": shared,
    "eigenvalue": eigenvalue,
    "frozen_inside": frozen_inside,
    "frozen_layer": frozen_layer,
    "frozen_wrapper": frozen_wrapper,
    "frozen_after_compile": frozen_after_compile,
}


def inputs_of(model: Model, rng: np.random.Generator) -> list[Array]:
    shapes = [(8, *(n or 1 for n in tensor.shape[1:])) for tensor in model.inputs]
    return [
        rng.integers(0, 6, shape).astype("int32")
        if tensor.dtype == "int32"
        else rng.normal(size=shape).astype("float32")
        for tensor, shape in zip(model.inputs, shapes, strict=True)
    ]


def targets_of(model: Model, rng: np.random.Generator) -> list[Array]:
    """One-hot rows of the shape of each output."""
    shapes = [(8, *(n or 1 for n in tensor.shape[1:])) for tensor in model.outputs]
    return [np.eye(shape[-1], dtype="float32")[rng.integers(0, shape[-1], shape[:-1])] for shape in shapes]


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def train_and_save(name: str, folder: Path) -> dict[str, Any]:
    """Trains a model, saves it and goes on; returns what ``make_results.py`` is to know of it."""
    rng = np.random.default_rng(0)
    model = BUILDERS[name]()
    x, t = inputs_of(model, rng), targets_of(model, rng)
    for _ in range(0 if name == "no_metrics_no_training" else 3):
        model.train_on_batch(x, t)
    model.save(folder / f"{name}.h5")
    arrays = {"x": x, "t": t, "y": as_list(model.predict(x))}
    arrays["l"] = [np.float32(as_list(model.train_on_batch(x, t))[0]) for _ in range(2)]
    arrays["r"] = as_list(model.predict(x))
    np.savez(folder / f"{name}.data.npz", **{f"{key}{i}": a for key in arrays for i, a in enumerate(arrays[key])})
    return {
        "name": name,
        "full": str(folder / f"{name}.h5"),
        "definition": None,
        "weights": None,
        "ordering": "tf",
        "stateful": False,
        "data": str(folder / f"{name}.data.npz"),
        "result": str(folder / f"{name}.npz"),
    }


@pytest.fixture(scope="module")
def read_back(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("read_back")
    return folder, keras_reads([train_and_save(name, folder) for name in BUILDERS], folder)


@pytest.mark.parametrize("name", BUILDERS)
def test_keras_goes_on(name, read_back):
    folder, errors = read_back
    assert errors.get(name) is None
    for key in "ylr":
        ours, theirs = read_arrays(folder / f"{name}.data.npz", key), read_arrays(folder / f"{name}.npz", key)
        assert difference(key, ours, theirs) is None
