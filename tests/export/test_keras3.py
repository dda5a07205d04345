"""Files of Keras 3: further training is Keras 1.2.2's, what is in them is what one would write, losses are told."""

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from bigdl.errors import ExportError
from bigdl.graph import Input, Layer
from bigdl.layers import (
    GRU,
    LSTM,
    BatchNormalization,
    Bidirectional,
    Convolution2D,
    Dense,
    Embedding,
    Flatten,
    Highway,
    Lambda,
    Masking,
    TimeDistributed,
    merge,
)
from bigdl.layers.constraints import MaxNorm
from bigdl.layers.regularizers import EigenvalueRegularizer, l1l2
from bigdl.models import Model, Sequential
from bigdl.training import optimizers
from tests.export.runtimes import difference, run_keras3
from tests.golden_cases import CASES, Case, read_arrays

FULL = [case for case in CASES if case.family == "full" and case.arrays("t")]
NOT_COMPILED = {"full/nadam": "optimizer Nadam", "full/adam_clipped": "clipnorm and clipvalue together"}


def config(model: Model, folder: Path) -> Any:
    model.export(folder / "model.keras")
    with zipfile.ZipFile(folder / "model.keras") as archive:
        return json.loads(archive.read("config.json"))


def layers(model: Model, folder: Path) -> dict[str, Any]:
    return {entry["config"].get("name"): entry for entry in config(model, folder)["config"]["layers"]}


def test_training_goes_on_as_in_keras_1(tmp_path, caplog):
    written: list[dict[str, Any]] = []
    for case in FULL:
        stem = tmp_path / case.name.split("/")[1]
        caplog.clear()
        Model.load_keras(case.definition).export(f"{stem}.keras")
        if case.name in NOT_COMPILED:
            assert f"is written as not compiled, as Keras 3 has no {NOT_COMPILED[case.name]}" in caplog.text
            continue
        assert caplog.text == ""
        entry: dict[str, Any] = {"name": case.name, "file": f"{stem}.keras", "data": str(case.path(".npz")), "steps": 2}
        written.append({**entry, "result": f"{stem}.npz"})
    assert len(written) == len(FULL) - len(NOT_COMPILED)
    assert run_keras3(written, tmp_path) == {}
    cases = {case.name: case for case in FULL}
    for entry in written:
        for key in "ylr":
            expected = first_losses(cases[entry["name"]]) if key == "l" else cases[entry["name"]].arrays(key)
            assert difference(expected, read_arrays(Path(entry["result"]), key)) is None, (entry["name"], key)


def first_losses(case: Case) -> list[Any]:
    """The total losses; Keras 1 gives those of the outputs behind them."""
    return [np.ravel(losses)[0] for losses in case.arrays("l")]


def test_a_chain_is_a_sequential_with_the_layers_one_would_write(tmp_path):
    model = Sequential(
        [Embedding(9, 4, input_length=5, mask_zero=True), LSTM(3, inner_activation="sigmoid"), Dense(2)], name="reader"
    )
    written = config(model, tmp_path)
    assert [written["class_name"], written["config"]["name"]] == ["Sequential", "reader"]
    classes = [entry["class_name"] for entry in written["config"]["layers"]]
    assert classes == ["InputLayer", "Embedding", "LSTM", "Dense"]
    with (
        zipfile.ZipFile(tmp_path / "model.keras") as archive,
        archive.open("model.weights.h5") as file,
        h5py.File(file) as arrays,
    ):
        np.testing.assert_array_equal(arrays["layers/embedding/vars/0"], model.get_weights()[0])


def test_settings_of_layers_are_carried(tmp_path):
    dense = Dense(3, W_regularizer=l1l2(0.1, 0.2), b_constraint=MaxNorm(3), activity_regularizer=l1l2(0.3, 0))
    frozen = Convolution2D(2, 3, 3, dim_ordering="th", W_constraint=MaxNorm(2, axis=1), trainable=False)
    frozen.batch_input_shape = (None, 4, 5, 5)
    found = layers(Sequential([frozen, Flatten(), dense]), tmp_path)
    assert found[dense.name]["config"]["kernel_regularizer"]["config"] == {"l1": 0.1, "l2": 0.2}
    assert found[dense.name]["config"]["bias_constraint"]["config"] == {"max_value": 3, "axis": 0}
    assert found[dense.name]["config"]["activity_regularizer"]["config"] == {"l1": 0.3, "l2": 0.0}
    conv = found[frozen.name]["config"]
    assert [conv["data_format"], conv["trainable"]] == ["channels_first", False]
    assert conv["kernel_constraint"]["config"] == {"max_value": 2, "axis": 2}  # of (rows, columns, in, out)


def test_penalties_of_weights_before_a_hard_sigmoid_are_those_of_the_weights(tmp_path):
    found = layers(
        Sequential([Dense(2, activation="hard_sigmoid", W_regularizer=l1l2(0.6, 1.44), input_dim=3)]), tmp_path
    )
    penalty = found["dense_1"]["config"]["kernel_regularizer"]["config"]
    assert penalty == {"l1": pytest.approx(0.5), "l2": pytest.approx(1.0)}


def test_masks_of_models_that_are_no_chain_are_tensors(tmp_path):
    words = Input((None,), dtype="int32")
    both = Bidirectional(LSTM(3, return_sequences=True))(Embedding(9, 4, mask_zero=True)(words))
    found = config(Model(words, GRU(2)(both)), tmp_path)["config"]["layers"]
    given = [entry["name"] for entry in found if any(call["kwargs"].get("mask") for call in entry["inbound_nodes"])]
    assert sorted(name.rpartition("_")[0] for name in given) == ["backward_lstm", "forward_lstm", "gru"]
    assert not any(entry["config"].get("mask_zero") for entry in found)


def test_names_that_keras_3_refuses(tmp_path):
    written = layers(Sequential([Dense(2, input_dim=3, name="block/a.b")]), tmp_path)
    assert "block_a_b" in written


def test_shared_and_nested_models_stay(tmp_path):
    tower = Sequential([Dense(2, input_dim=3), Highway()], name="tower")
    a, b = Input((3,)), Input((3,))
    found = layers(Model([a, b], merge([tower(a), tower(b)])), tmp_path)
    assert [found["tower"]["class_name"], len(found["tower"]["inbound_nodes"])] == ["Functional", 2]


LOST: list[tuple[str, Any]] = [
    ("its dropout of whole words", lambda: Embedding(9, 3, input_length=2, dropout=0.2)),
    ("its penalty EigenvalueRegularizer", lambda: Dense(3, input_dim=3, W_regularizer=EigenvalueRegularizer(0.1))),
    ("its constraint function", lambda: Dense(3, input_dim=3, W_constraint=lambda w: w)),
    ("its penalties: its gates are written 1.2 times", lambda: LSTM(3, input_shape=(2, 3), W_regularizer=l1l2())),
    ("the penalty of its output", lambda: Highway(input_dim=3, activity_regularizer=l1l2())),
]


@pytest.mark.parametrize(("told", "layer"), LOST, ids=[told for told, _ in LOST])
def test_what_a_layer_loses_is_told(told, layer, tmp_path, caplog):
    config(Sequential([layer()]), tmp_path)
    assert f"is written without {told}" in caplog.text


def test_numbers_are_float32(tmp_path, caplog):
    model = Sequential([Dense(2, input_dim=3)]).bfloat16()
    config(model, tmp_path)
    assert "written in float32. It is in bfloat16" in caplog.text
    with zipfile.ZipFile(tmp_path / "model.keras") as archive, archive.open("model.weights.h5") as file:
        assert h5py.File(file)["layers/dense/vars/0"].dtype == "float32"


COMPILED: list[tuple[str, dict[str, Any]]] = [
    ("loss cosine_proximity", {"optimizer": "sgd", "loss": "cosine_proximity"}),
    ("loss own of this kind", {"optimizer": "sgd", "loss": lambda t, p: (t - p).abs().sum(-1)}),
    ("lr_multipliers", {"optimizer": "sgd", "loss": "mse", "lr_multipliers": {"dense_*": 0.1}}),
    ("its metric fbeta_score", {"optimizer": "sgd", "loss": "mse", "metrics": ["mae", "fbeta_score"]}),
]
COMPILED[1][1]["loss"].__name__ = "own"


@pytest.mark.parametrize(("told", "settings"), COMPILED, ids=[told for told, _ in COMPILED])
def test_what_compile_loses_is_told(told, settings, tmp_path, caplog):
    model = Sequential([Dense(2, input_dim=3)])
    model.compile(**settings)
    written = config(model, tmp_path)
    assert told in caplog.text
    assert ("compile_config" in written) == ("metric" in told)


def test_state_that_would_be_of_other_weights_begins_anew(tmp_path, caplog):
    model = Sequential([GRU(2, input_shape=(3, 2))])
    model.compile(optimizers.get("adam"), "mse")
    model.train_on_batch(np.ones((2, 3, 2), "float32"), np.ones((2, 2), "float32"))
    config(model, tmp_path)
    assert "written without the optimizer's state: the weights of 'gru_1' are written 1.2 times" in caplog.text


class Own(Layer):
    """A layer of the user's own."""

    def forward(self, x):
        return x


REFUSED: list[tuple[str, Any]] = [
    ("'own_1' (Own)", lambda: [Own(input_shape=(3,))]),
    ("'dense_1' (Dense)", lambda: [Dense(3, input_dim=3, activation=lambda x: x)]),
    ("'lambda_1' (Lambda)", lambda: [Lambda(lambda x: x.cumsum(1), input_shape=(3,))]),
    ("'lstm_1' (LSTM)", lambda: [LSTM(3, activation="hard_sigmoid", input_shape=(2, 3))]),
    ("'gru_1' (GRU)", lambda: [Masking(batch_input_shape=(2, 4, 3)), GRU(3, stateful=True)]),
    (
        "'timedistributed_1' (TimeDistributed)",
        lambda: [TimeDistributed(BatchNormalization(mode=2), input_shape=(4, 3))],
    ),
]


@pytest.mark.parametrize(("named", "chain"), REFUSED, ids=[named for named, _ in REFUSED])
def test_what_keras_3_cannot_hold_is_refused(named, chain, tmp_path):
    model = Sequential(chain())
    with pytest.raises(ExportError, match="Keras 3") as raised:
        model.export(tmp_path / "model.keras")
    assert named in str(raised.value)
    assert list(tmp_path.iterdir()) == []
