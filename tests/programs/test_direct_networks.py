"""Networks that are trained without torch's record of the whole, beside their layers one after the other."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from bigdl.keras import layers as L
from bigdl.keras.activations import relu, tanh
from bigdl.keras.models import Model, Sequential
from bigdl.keras.optimizers import SGD, Adam
from bigdl.native import kernels
from bigdl.programs import DirectNetwork, dropping, program_for
from bigdl.training import step

pytestmark = pytest.mark.skipif(kernels() is None, reason="the kernels were not built")

ROWS, CLASSES, WORDS = 23, 4, 30
SIZES = {"image": (10, 9, 3), "sequence": (7, 5), "row": (6,), "words": (8,)}


@pytest.fixture
def direct(monkeypatch):
    """The networks that were run without torch's record, once for each run."""
    runs: list[DirectNetwork] = []
    run = DirectNetwork.run

    def noted(self: DirectNetwork, inputs: Any) -> Any:
        runs.append(self)
        return run(self, inputs)

    monkeypatch.setattr(DirectNetwork, "run", noted)
    return runs


def of(kind: str, hidden: Callable[[Any], Any], flat: bool = False) -> Model:
    x = L.Input(SIZES[kind], dtype="int32" if kind == "words" else "float32")
    y = hidden(x)
    return Model(x, L.Dense(CLASSES, activation="softmax")(L.Flatten()(y) if flat else y))


def residual(x: Any) -> Any:
    y = L.BatchNormalization()(L.Convolution2D(8, 3, 3, border_mode="same", bias=False)(x))
    y = L.Activation("relu")(y)
    z = L.Convolution2D(8, 3, 3, border_mode="same", activation="relu")(y)
    return L.GlobalAveragePooling2D()(L.merge([y, z], mode="sum"))


def branches(x: Any) -> Any:
    one, other = L.Dense(9, activation="relu")(x), L.Dense(9, activation="tanh")(x)
    product = L.merge([one, other], mode="mul")
    return L.merge([x, product, L.Dropout(0.4)(one)], mode="concat")


def convolutions(x: Any) -> Any:
    y = L.MaxPooling2D((2, 2))(L.Convolution2D(6, 3, 3, activation="relu")(x))
    return L.Dropout(0.25)(L.Convolution2D(5, 2, 2, activation="relu")(y))


def parts_of_text(x: Any) -> Any:
    y = L.Embedding(WORDS, 6)(x)
    found = [L.GlobalMaxPooling1D()(L.Convolution1D(5, n, activation="relu")(y)) for n in (2, 3)]
    return L.merge(found, mode="concat")


def twice(x: Any) -> Any:
    table = L.Embedding(WORDS, 6, input_length=8)
    return L.merge([L.Flatten()(table(x)), L.LSTM(4)(table(x))], mode="concat")


def shared(x: Any) -> Any:
    layer, between = L.GRU(5, return_sequences=True), L.TimeDistributed(L.Dense(5))
    return L.merge([L.GlobalMaxPooling1D()(layer(between(layer(x)))), L.LSTM(4)(x)], mode="concat")


NETWORKS: dict[str, Callable[[], Model]] = {
    "words": lambda: of("words", L.Embedding(WORDS, 6, input_length=8), flat=True),
    "words with penalties": lambda: of("words", L.Embedding(WORDS, 6, W_regularizer="l2"), flat=True),
    "simple": lambda: of("sequence", L.SimpleRNN(6)),
    "gru": lambda: of("sequence", L.GRU(6, dropout_W=0.2, dropout_U=0.1)),
    "gru, plain": lambda: of("sequence", L.GRU(6, activation="relu", inner_activation="sigmoid")),
    "gru, all steps": lambda: of("sequence", L.GRU(6, return_sequences=True, go_backwards=True), flat=True),
    "lstm, plain": lambda: of("sequence", L.LSTM(6, go_backwards=True)),
    "lstm": lambda: of("sequence", L.LSTM(6, dropout_W=0.2, dropout_U=0.1, go_backwards=True)),
    "two lstms": lambda: of("sequence", lambda x: L.LSTM(6)(L.LSTM(5, return_sequences=True)(x))),
    "shared": lambda: of("sequence", shared),
    "both directions": lambda: of("sequence", L.Bidirectional(L.LSTM(6))),
    "both directions, all steps": lambda: of(
        "sequence", lambda x: L.Bidirectional(L.GRU(6, return_sequences=True), merge_mode="mul")(x), flat=True
    ),
    "both directions, added": lambda: of(
        "sequence", lambda x: L.GRU(3)(L.Bidirectional(L.SimpleRNN(6, return_sequences=True), merge_mode="sum")(x))
    ),
    "both directions, average": lambda: of("sequence", L.Bidirectional(L.LSTM(6), merge_mode="ave")),
    "frozen below": lambda: of(
        "sequence", lambda x: L.LSTM(5)(L.SimpleRNN(4, return_sequences=True, trainable=False)(x))
    ),
    "words and gru": lambda: of("words", lambda x: L.GRU(6)(L.Embedding(WORDS, 6, dropout=0.2)(x))),
    "each step": lambda: of("sequence", lambda x: L.TimeDistributed(L.Dense(6, activation="relu"))(x), flat=True),
    "each step, softmax": lambda: of(
        "sequence",
        lambda x: L.TimeDistributed(L.Dense(3, activation="softmax"))(L.LSTM(5, return_sequences=True)(x)),
        True,
    ),
    "convolutions": lambda: of("image", convolutions, flat=True),
    "residual": lambda: of("image", residual),
    "text": lambda: of("words", parts_of_text),
    "branches": lambda: of("row", branches),
    "shared table": lambda: of("words", twice),
    "sigmoid first": lambda: of("row", L.Activation("sigmoid")),
    "prelu": lambda: of("row", lambda x: L.PReLU()(L.Dense(7)(x))),
    "penalties of values": lambda: of("row", lambda x: L.Dense(7, activity_regularizer="activity_l2")(L.Dense(6)(x))),
    "frozen": lambda: of("sequence", L.GRU(6, trainable=False)),
    "user's own": lambda: of("row", lambda x: L.Lambda(lambda x: x * x + 1)(L.Dense(7)(x))),
    "highway": lambda: of("row", L.Highway(activation="relu")),
}


def data(model: Model) -> tuple[Any, Any]:
    random = np.random.RandomState(0)
    shape = (ROWS, *model.input_shape[1:])
    x = random.randint(0, WORDS, shape) if model.inputs[0].dtype == "int32" else random.normal(size=shape)
    return x.astype(model.inputs[0].dtype), np.eye(CLASSES, dtype="float32")[random.randint(0, CLASSES, ROWS)]


def trained(model: Model, optimizer: Any = None, loss: str = "categorical_crossentropy", epochs: int = 3) -> list[Any]:
    """Returns the losses of a model and its weights after training, with the same dropped each time."""
    weights = model.get_weights()
    torch.manual_seed(1)
    model.compile(optimizer or SGD(0.1, momentum=0.9), loss, metrics=["accuracy"])
    history = model.fit(*data(model), batch_size=10, nb_epoch=epochs, shuffle=False, verbose=0)
    after = model.get_weights()
    model.set_weights(weights)
    return [history.history["loss"], history.history["acc"], *after]


def by_layers(model: Model, monkeypatch: Any, *arguments: Any) -> list[Any]:
    with monkeypatch.context() as patch:
        patch.setattr(step, "program_for", lambda *_: None)
        patch.setattr(dropping, "kernels", lambda: None)
        patch.setattr("bigdl.training.graded.GRADED", {})
        return trained(model, *arguments)


def assert_equal(found: list[Any], expected: list[Any]) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=2e-6)


# What is the user's own is recorded as a whole.
RECORDED = {"user's own", "penalties of values"}


@pytest.mark.parametrize("name", NETWORKS)
def test_training_is_that_of_the_layers(direct, monkeypatch, name):
    model = NETWORKS[name]()
    assert_equal(trained(model), by_layers(model, monkeypatch))
    # Of three batches of two sizes and three epochs, one of each size is watched.
    assert len(direct) == (0 if name in RECORDED else 7)


@pytest.mark.parametrize("name", ["words", "lstm", "residual", "branches"])
def test_with_another_optimizer_and_objective(monkeypatch, name):
    model = NETWORKS[name]()
    for loss in ("mse", "hinge"):
        found, expected = trained(model, Adam(0.01), loss), by_layers(model, monkeypatch, Adam(0.01), loss)
        assert_equal(found, expected)


def test_states_that_are_kept(direct, monkeypatch):
    x = L.Input(batch_shape=(10, *SIZES["sequence"]))
    model = Model(x, L.Dense(CLASSES, activation="softmax")(L.LSTM(6, stateful=True)(x)))
    given, y = data(model)
    weights, found = model.get_weights(), []
    for program in (program_for, lambda *_: None):
        monkeypatch.setattr(step, "program_for", program)
        model.set_weights(weights)
        model.reset_states()
        model.compile(SGD(0.1), "categorical_crossentropy")
        found.append([model.train_on_batch(given[i : i + 10], y[i : i + 10]) for i in (0, 10, 0, 10)])
        found[-1] += model.get_weights()
    assert_equal(*found)
    assert len(direct) == 3


def test_a_layer_that_changes(direct, monkeypatch):
    model = NETWORKS["lstm, plain"]()
    layer: Any = model.layers[1]
    x, y = data(model)
    weights, found = model.get_weights(), []
    for program in (program_for, lambda *_: None):
        monkeypatch.setattr(step, "program_for", program)
        model.set_weights(weights)
        model.compile(SGD(0.1), "categorical_crossentropy")
        for activation in (relu, tanh, relu):
            layer.activation = activation
            for _ in range(3):  # the first one is watched
                model.train_on_batch(x, y)
                layer.bias.data = layer.bias.data.clone()
        found.append(model.get_weights())
    assert_equal(*found)
    assert len(direct) == 6


def test_a_hook_that_comes_later(direct, monkeypatch):
    model = NETWORKS["lstm"]()
    x, y = data(model)
    model.compile(SGD(0.1), "categorical_crossentropy")
    for _ in range(3):
        model.train_on_batch(x, y)
    assert len(direct) == 2
    before = model.get_weights()
    layer: Any = model.layers[1]
    handle = layer.register_forward_hook(lambda layer, given, made: 2 * made)
    torch.manual_seed(2)
    model.train_on_batch(x, y)
    found = model.get_weights()
    model.set_weights(before)
    torch.manual_seed(2)
    if len(direct) > 2:  # the step began without the record: what is dropped was drawn once more
        layer.forward(torch.from_numpy(x))
    with monkeypatch.context() as patch:
        patch.setattr(step, "program_for", lambda *_: None)
        model.train_on_batch(x, y)
    assert_equal(found, model.get_weights())
    handle.remove()


def test_sequences_of_several_lengths(direct):
    x = L.Input((None, 5))
    model = Model(x, L.Dense(CLASSES, activation="softmax")(L.GRU(6)(x)))
    model.compile("sgd", "categorical_crossentropy")
    y = np.eye(CLASSES, dtype="float32")[np.arange(8) % CLASSES]
    for length in (3, 4, 3, 4, 5):
        model.train_on_batch(np.ones((8, length, 5), "float32"), y)
    assert len(direct) == 2


def test_a_model_in_evaluation_between_steps(direct, monkeypatch):
    model = NETWORKS["residual"]()
    x, y = data(model)
    model.compile(SGD(0.1), "categorical_crossentropy")
    expected = by_layers(model, monkeypatch, SGD(0.1))
    for _ in range(3):
        for start in range(0, ROWS, 10):
            model.train_on_batch(x[start : start + 10], y[start : start + 10])
            model.predict(x)
            model.evaluate(x, y, verbose=0)
    assert_equal(model.get_weights(), expected[2:])


def test_an_output_that_is_seen_in_another_order(direct, monkeypatch):
    model = Sequential([L.LSTM(5, return_sequences=True, input_shape=(5, 3)), L.Permute((2, 1))])
    random = np.random.RandomState(0)
    x, y = (random.normal(size=(ROWS, 5, n)).astype("float32") for n in (3, 5))
    weights, found = model.get_weights(), []
    for program in (program_for, lambda *_: None):
        monkeypatch.setattr(step, "program_for", program)
        model.set_weights(weights)
        model.compile(SGD(0.1), "mse")
        found.append([model.train_on_batch(x, y) for _ in range(4)] + model.get_weights())
    assert_equal(*found)
    assert len(direct) == 3


def test_a_sequential_model_in_the_other_ordering(direct, monkeypatch):
    layers: list[Any] = [L.Convolution2D(4, 3, 3, activation="relu", dim_ordering="th", input_shape=(3, 10, 9))]
    layers += [L.AveragePooling2D((2, 2), dim_ordering="th"), L.Flatten(), L.Dense(CLASSES, activation="softmax")]
    model = Sequential(layers)
    assert_equal(trained(model), by_layers(model, monkeypatch))
    assert len(direct) == 7
