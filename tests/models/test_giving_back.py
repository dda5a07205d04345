"""Files for Keras 1.2.2, held against those that it wrote of the same models.

That the real Keras opens them is tested under ``tests/oracle``.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from bigdl.graph import Input
from bigdl.layers import GRU, Activation, BatchNormalization, Bidirectional, Dense, settings
from bigdl.models import Model, Sequential
from bigdl.training import optimizers
from tests.golden_cases import CASES, Case

FAMILIES = ("core", "nested", "nets")
WEIGHTS = [case for case in CASES if case.family in FAMILIES and case.weights is not None]
FULL = [case for case in CASES if case.family == "full"]

LATER = [case for case in CASES if "comes later in the file" in case.notes.get("live", "")]


def attribute(node: h5py.HLObject, name: str) -> tuple[Any, ...]:
    """An attribute as it lies in the file: its shape, how its strings are kept, its value."""
    found = h5py.h5a.open(node.id, name.encode())
    kind = found.get_type()
    how = (kind.get_size(), kind.get_cset(), kind.get_strpad()) if isinstance(kind, h5py.h5t.TypeStringID) else kind
    return found.shape, how, np.asarray(node.attrs[name]).tolist()


def contents(group: h5py.Group) -> Iterator[tuple[Any, ...]]:
    """Everything in a group, in the order of names: attributes, groups, arrays with dtype, shape and values."""
    for name in sorted(group.attrs):
        yield group.name, name, attribute(group, name)
    for name in group:
        item = group[name]
        if isinstance(item, h5py.Group):
            yield item.name, "group"
            yield from contents(item)
        else:
            yield item.name, item.dtype.str, item.shape, item[()].tolist()


def load(case: Case) -> Model:
    settings.set_image_dim_ordering(case.ordering)
    return Model.load_keras(case.definition, case.weights)


@pytest.mark.parametrize("case", WEIGHTS, ids=lambda case: case.name)
def test_a_file_of_weights_is_keras_s(case, tmp_path):
    model = load(case)
    with h5py.File(case.weights) as keras:
        for layer, name in zip(model.weight_layers, keras.attrs["layer_names"], strict=True):
            if isinstance(layer, Sequential):  # its name is in no definition
                layer.name = name.decode()
        model.save_weights(tmp_path / "w.h5")
        with h5py.File(tmp_path / "w.h5") as ours:
            assert list(contents(ours)) == list(contents(keras))


@pytest.mark.parametrize("case", FULL, ids=lambda case: case.name)
def test_a_full_save_is_keras_s(case, tmp_path):
    load(case).save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as ours, h5py.File(case.definition) as keras:
        assert list(ours) == list(keras)
        assert list(contents(ours["model_weights"])) == list(contents(keras["model_weights"]))
        assert list(ours.attrs) == list(keras.attrs)
        for name in ours.attrs:
            assert attribute(ours, name)[:2] == attribute(keras, name)[:2]
        assert ours.attrs["keras_version"] == keras.attrs["keras_version"]
        for name in set(ours.attrs) - {"keras_version"}:
            assert json.loads(ours.attrs[name]) == json.loads(keras.attrs[name])
        if "optimizer_weights" in keras:
            assert optimizer_arrays(ours) == optimizer_arrays(keras)


def optimizer_arrays(file: h5py.File) -> list[tuple[Any, ...]]:
    """The optimizer's arrays in their order; Keras calls them by numbers of its session."""
    group = file["optimizer_weights"]
    names = group.attrs["weight_names"]
    assert names.dtype.kind == "S"
    arrays = [group[name] for name in names]
    assert len(arrays) == len(group)
    return [(array.dtype.str, array.shape, array[()].tolist()) for array in arrays]


def compiled(optimizer: Any = "adam", **arguments: Any) -> Sequential:
    model = Sequential([Dense(3, input_dim=2, name="one"), Dense(2, name="two")])
    model.compile(optimizer, "mse", **arguments)
    return model


def saved(model: Model, folder: Path) -> h5py.File:
    model.save(folder / "m.h5")
    return h5py.File(folder / "m.h5")


def train(model: Model) -> None:
    model.train_on_batch(np.ones((4, 2), np.float32), np.zeros((4, 2), np.float32))


class TestTraining:
    def test_a_model_that_has_not_trained_has_no_state(self, tmp_path):
        with saved(compiled(), tmp_path) as file:
            assert "training_config" in file.attrs
            assert "optimizer_weights" not in file

    def test_functions_are_written_by_name(self, tmp_path):
        def mine(y_true, y_pred):
            return (y_true - y_pred).abs().mean(-1)

        model = compiled(metrics=[mine])
        model.compile("adam", mine, metrics=[mine, "accuracy"])
        with saved(model, tmp_path) as file:
            config = json.loads(file.attrs["training_config"])
        assert (config["loss"], config["metrics"]) == ("mine", ["mine", "accuracy"])

    @pytest.mark.parametrize("make", [optimizers.RMSprop, optimizers.Adagrad, optimizers.Adadelta])
    def test_a_counter_that_keras_does_not_save_is_in_the_learning_rate(self, tmp_path, make):
        model = compiled(make(decay=0.3))
        for _ in range(3):
            train(model)
        rates: list[list[np.float32]] = []
        for name in ("m.h5", "m.bigdl"):
            model.save(tmp_path / name)
            again = Model.load(tmp_path / name)
            rates.append([])
            for _ in range(3):
                rates[-1].append(again.optimizer.learning_rate())
                train(again)
        np.testing.assert_allclose(rates[0], rates[1], rtol=1e-6)

    @pytest.mark.parametrize(
        ("optimizer", "reason"),
        [
            (lambda: optimizers.Ftrl(), "optimizer Ftrl"),
            (lambda: optimizers.LBFGS(), "optimizer LBFGS"),
            (lambda: optimizers.Adam(weight_decay=0.1), "weight_decay"),
        ],
        ids=["ftrl", "lbfgs", "weight_decay"],
    )
    def test_what_keras_has_not_is_left_out_with_a_warning(self, tmp_path, caplog, optimizer, reason):
        model = compiled(optimizer())
        train(model)
        with saved(model, tmp_path) as file:
            assert list(file) == ["model_weights"]
            assert "training_config" not in file.attrs
        assert reason in caplog.text

    def test_lists_of_metrics_by_output_are_shortened_with_a_warning(self, tmp_path, caplog):
        x = Input((2,))
        model = Model(x, [Dense(1, name="a")(x), Dense(1, name="b")(x)])
        model.compile("sgd", "mse", metrics={"a": ["mae"], "b": "mae"})
        with saved(model, tmp_path) as file:
            assert json.loads(file.attrs["training_config"])["metrics"] == {"a": "mae", "b": "mae"}
        assert not caplog.records
        model.compile("sgd", "mse", metrics={"a": ["mae", "acc"]})
        with saved(model, tmp_path) as file:
            assert json.loads(file.attrs["training_config"])["metrics"] == {"a": "mae"}
        assert "only the first" in caplog.text


def in_order(layers: list[Any]) -> bool:
    """Whether Keras, which makes layer after layer with all its calls, can read a functional model."""
    made: set[str] = set()
    for layer in layers:
        made.add(layer["name"])
        if any(reference[0] not in made for call in layer["inbound_nodes"] for reference in call):
            return False
    return True


class TestDefinition:
    """What Keras could not read of what it writes itself, although its format can hold it."""

    @pytest.mark.parametrize("case", LATER, ids=lambda case: case.name)
    def test_layers_stand_behind_those_that_they_are_called_on(self, case, caplog):
        ours, theirs = json.loads(load(case).to_json())["config"]["layers"], case.keras_json["config"]["layers"]
        assert not in_order(theirs)
        assert in_order(ours) != ("Keras 1.2.2 cannot read this model" in caplog.text)
        assert sorted(layer["name"] for layer in ours) == sorted(layer["name"] for layer in theirs)

    def test_what_no_order_can_make_readable_is_told(self, caplog):
        x = Input((3,), name="x")
        shared = Dense(3, name="shared")
        json_text = Model(x, shared(Activation("tanh", name="between")(shared(x)))).to_json()
        assert [layer["name"] for layer in json.loads(json_text)["config"]["layers"]] == ["x", "shared", "between"]
        assert "Keras 1.2.2 cannot read this model" in caplog.text
        assert "shared, between" in caplog.text

    def test_defaults_of_a_function_become_arguments(self):
        case = next(case for case in CASES if case.name == "lambdas/default")
        layer = json.loads(load(case).to_json())["config"][1]["config"]
        stored = case.keras_json["config"][1]["config"]
        assert stored["function"][1:] == [[3], None]
        assert layer["function"] == [stored["function"][0], None, None]
        assert layer["arguments"] == {"times": 3}


def layer_flags(file: h5py.File) -> dict[str, bool]:
    flags: dict[str, bool] = {}

    def walk(value: Any) -> None:
        if isinstance(value, dict) and "trainable" in value:
            flags[value["name"]] = value["trainable"]
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
            walk(inner)

    walk(json.loads(file.attrs["model_config"]))
    return flags


class TestFrozenModels:
    """Keras's files know ``trainable`` of layers only."""

    def test_the_layers_of_a_frozen_model_are_written_as_frozen(self, tmp_path):
        base = Sequential([Dense(2, input_dim=2, name="base_a"), BatchNormalization(name="base_b")], name="base")
        base.trainable = False
        model = Sequential([base, Dense(2, name="head")])
        model.compile("adam", "mse")
        train(model)
        with saved(model, tmp_path) as file:
            assert layer_flags(file) == {"base_a": False, "base_b": False, "head": True}
            assert len(file["optimizer_weights"]) == 5
        assert not base.trainable
        assert all(layer.trainable for layer in base.layers)

    def test_the_layers_of_a_frozen_wrapper_are_written_as_frozen(self, tmp_path):
        model = Sequential([Bidirectional(GRU(2), name="both", input_shape=(3, 2))])
        model.layers[0].trainable = False
        model.compile("adam", "mse")
        with saved(model, tmp_path) as file:
            assert layer_flags(file) == {"both": False, "gru_1": False}

    def test_layers_frozen_after_compile_are_trained_on(self, tmp_path, caplog):
        model = compiled()
        train(model)
        model.trainable = False
        with saved(model, tmp_path) as file:
            assert layer_flags(file) == {"one": True, "two": True}
            assert len(file["optimizer_weights"]) == 9
        assert not caplog.records
        model.layers[0].trainable = False
        with saved(model, tmp_path) as file:
            assert layer_flags(file) == {"one": False, "two": True}
            assert "optimizer_weights" not in file
        assert "without the optimizer's state" in caplog.text
