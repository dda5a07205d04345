"""Training that goes on from a file: Keras 1.2.2's full saves as Keras would, our own format exactly."""

import json
import shutil
from typing import Any

import h5py
import numpy as np
import pytest
import torch

from bigdl.errors import BigDLError, FormatError, TrainingError, UnsupportedLayerError, WeightMismatchError
from bigdl.layers import BatchNormalization, Dense, Dropout
from bigdl.models import Model, Sequential
from bigdl.models.loading import load_model
from bigdl.optim.optimizer import SGD, MultiStep, SequentialSchedule, Warmup
from bigdl.training import optimizers
from tests.golden_cases import CASES, Array, Case

TOLERANCE = 1e-5
FULL = {case.name.split("/")[1]: case for case in CASES if case.family == "full"}
TRAINED = {name: case for name, case in FULL.items() if case.arrays("t")}


def training_config(case: Case) -> Any:
    with h5py.File(case.definition) as file:
        return json.loads(file.attrs["training_config"])


def edited(case: Case, path: Any, **changes: Any) -> Any:
    """A copy of a full save with another training configuration."""
    shutil.copy(case.definition, path)
    with h5py.File(path, "r+") as file:
        file.attrs["training_config"] = json.dumps({**training_config(case), **changes})
    return path


def close(received: Any, expected: Any) -> None:
    np.testing.assert_allclose(received, expected, rtol=TOLERANCE, atol=TOLERANCE * max(1, np.abs(expected).max()))


def data(rows: int = 12) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(rows, 4)).astype("float32"), np.eye(3, dtype="float32")[rng.integers(0, 3, rows)]


def classifier(optimizer: Any = "adam", **settings: Any) -> Sequential:
    model = Sequential([Dense(5, input_dim=4, activation="tanh"), BatchNormalization(), Dense(3, activation="softmax")])
    model.compile(optimizer, "categorical_crossentropy", **settings)
    return model


def assert_equal_arrays(received: list[Array], expected: list[Array]) -> None:
    for a, b in zip(received, expected, strict=True):
        np.testing.assert_array_equal(a, b)


class TestKerasFullSave:
    @pytest.mark.parametrize("case", TRAINED.values(), ids=TRAINED)
    def test_the_next_steps_are_keras_s(self, case):
        model = Model.load_keras(case.definition)
        inputs, targets = case.arrays("x"), case.arrays("t")
        for expected in case.arrays("l"):
            close(np.ravel(model.train_on_batch(inputs, targets))[0], expected)
        outputs = model.predict(inputs)
        for received, expected in zip(
            outputs if isinstance(outputs, list) else [outputs], case.arrays("r"), strict=True
        ):
            close(received, expected)

    @pytest.mark.parametrize("case", TRAINED.values(), ids=TRAINED)
    def test_what_compile_was_given_is_restored(self, case):
        assert Model.load_keras(case.definition).compiled.get_config() == training_config(case)

    @pytest.mark.parametrize("case", TRAINED.values(), ids=TRAINED)
    def test_the_optimizer_s_state_is_restored(self, case):
        with h5py.File(case.definition) as file:
            group = file["optimizer_weights"]
            stored = [group[name][()] for name in group.attrs["weight_names"]]
        assert_equal_arrays(Model.load_keras(case.definition).optimizer.get_weights(), stored)

    def test_a_model_that_was_not_compiled_is_not(self, caplog):
        model = Model.load_keras(FULL["not_compiled"].definition)
        with pytest.raises(TrainingError, match="compile"):
            _ = model.optimizer
        assert not caplog.records

    def test_compile_can_be_switched_off(self):
        model = Model.load_keras(FULL["adam"].definition, compile=False)
        with pytest.raises(TrainingError, match="compile"):
            _ = model.optimizer

    def test_load_model_compiles_too(self):
        assert type(load_model(FULL["nadam"].definition).optimizer).__name__ == "Nadam"


class TestUnknownObjects:
    @pytest.mark.parametrize(
        ("change", "name"),
        [
            ({"loss": "my_loss"}, "my_loss"),
            ({"metrics": ["my_metric"]}, "my_metric"),
            ({"optimizer_config": {"class_name": "Mine", "config": {}}}, "Mine"),
        ],
    )
    def test_the_model_loads_but_is_not_compiled(self, tmp_path, caplog, change, name):
        case = FULL["adam"]
        path = edited(case, tmp_path / "m.h5", **change)
        model = Model.load_keras(path)
        for part in ("m.h5", f"'{name}'", "custom_objects", "not compiled"):
            assert part in caplog.text
        close(model.predict(case.arrays("x")), case.arrays("y")[0])
        with pytest.raises(TrainingError, match="compile"):
            _ = model.optimizer
        with pytest.raises(UnsupportedLayerError, match=name):
            load_model(path)

    def test_the_user_s_own_are_taken(self, tmp_path, caplog):
        def my_loss(y_true, y_pred):
            return -(y_true * y_pred.log()).sum(-1)

        def half(y_true, y_pred):
            return torch.tensor(0.5)

        class Mine(optimizers.Adam):
            pass

        case = FULL["adam"]
        optimizer = {"class_name": "Mine", "config": training_config(case)["optimizer_config"]["config"]}
        path = edited(case, tmp_path / "m.h5", loss="my_loss", metrics=["half"], optimizer_config=optimizer)
        objects = {"my_loss": my_loss, "half": half, "Mine": Mine}
        for model in (Model.load_keras(path, custom_objects=objects), load_model(path, objects)):
            assert (model.loss, type(model.optimizer), model.metrics_names) == (my_loss, Mine, ["loss", "half"])
            assert model.train_on_batch(case.arrays("x"), case.arrays("t"))[1] == 0.5
        assert not caplog.records


class TestDamagedTrainingConfig:
    @pytest.mark.parametrize(
        "change",
        [
            {"metrics": 5},
            {"metrics": [5]},
            {"loss": {"nowhere": "mse"}},
            {"loss": None},
            {"loss_weights": ["much"]},
            {"sample_weight_mode": "spatial"},
            {"optimizer_config": {"class_name": "Adam", "config": {"lr": "fast"}}},
            {"optimizer_config": {"class_name": "Adam", "config": {"rate": 1}}},
            {"optimizer_config": {"class_name": "Adam", "config": 3}},
            {"optimizer_config": {"class_name": [1], "config": {}}},
        ],
        ids=str,
    )
    def test_the_model_loads_but_is_not_compiled(self, tmp_path, caplog, change):
        path = edited(FULL["adam"], tmp_path / "m.h5", **change)
        model = Model.load_keras(path)
        assert "m.h5: the model cannot be compiled as it was saved" in caplog.text
        with pytest.raises(TrainingError, match="compile"):
            _ = model.optimizer
        with pytest.raises(BigDLError, match=r"m\.h5: the model cannot be compiled"):
            load_model(path)

    def test_a_state_that_does_not_fit_is_left(self, tmp_path, caplog):
        path = tmp_path / "m.h5"
        shutil.copy(FULL["adam"].definition, path)
        with h5py.File(path, "r+") as file:
            names = file["optimizer_weights"].attrs["weight_names"]
            file["optimizer_weights"].attrs["weight_names"] = names[:-1]
        model = Model.load_keras(path)
        assert "its optimizer begins anew" in caplog.text
        assert not any(array.any() for array in model.optimizer.get_weights())
        with pytest.raises(WeightMismatchError):
            load_model(path)


OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "sgd_decay": lambda: optimizers.SGD(0.1, decay=0.3),
    "rmsprop_decay": lambda: optimizers.RMSprop(0.01, decay=0.3),
    "adagrad_decay": lambda: optimizers.Adagrad(0.1, decay=0.3),
    "adadelta": lambda: optimizers.Adadelta(),
    "adam_clipped": lambda: optimizers.Adam(0.01, clipnorm=0.1, clipvalue=0.02),
    "adamax": lambda: optimizers.Adamax(0.01),
    "nadam": lambda: optimizers.Nadam(0.01),
    "damped_sgd": lambda: optimizers.DampedSGD(0.1, momentum=0.9, dampening=0.5, weight_decay=0.01),
    "ftrl": lambda: optimizers.Ftrl(0.1),
    "lbfgs": lambda: optimizers.LBFGS(0.1),
}


class TestOwnFormat:
    @pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
    def test_training_goes_on_exactly(self, tmp_path, optimizer):
        x, y = data()
        whole = classifier(optimizer(), metrics=["accuracy", "mse"])
        for _ in range(3):
            whole.train_on_batch(x, y)
        whole.save(tmp_path / "m.bigdl")
        resumed = Model.load(tmp_path / "m.bigdl")
        for _ in range(3):
            assert resumed.train_on_batch(x, y) == whole.train_on_batch(x, y)
        assert_equal_arrays(resumed.get_weights(), whole.get_weights())
        assert resumed.metrics_names == whole.metrics_names

    def test_dropout_goes_on_from_the_same_random_state(self, tmp_path):
        x, y = data()
        whole = Sequential([Dropout(0.5, input_shape=(4,)), Dense(3, activation="softmax")])
        whole.compile("adam", "categorical_crossentropy")
        whole.train_on_batch(x, y)
        whole.save(tmp_path / "m.bigdl")
        resumed = Model.load(tmp_path / "m.bigdl")
        for model in (whole, resumed):
            torch.manual_seed(3)
            model.fit(x, y, batch_size=4, nb_epoch=2, verbose=0, shuffle=False)
        assert_equal_arrays(resumed.get_weights(), whole.get_weights())

    def test_a_changed_learning_rate_is_kept(self, tmp_path):
        model = classifier()
        model.optimizer.lr = 0.02
        model.save(tmp_path / "m.bigdl")
        assert float(Model.load(tmp_path / "m.bigdl").optimizer.lr) == np.float32(0.02)

    def test_what_compile_was_given_is_kept(self, tmp_path):
        model = classifier(metrics=["accuracy"], loss_weights=[0.5], sample_weight_mode=None)
        model.save(tmp_path / "m.bigdl")
        assert Model.load(tmp_path / "m.bigdl").compiled.get_config() == model.compiled.get_config()

    def test_not_compiled(self, tmp_path):
        Sequential([Dense(2, input_dim=2)]).save(tmp_path / "m.bigdl")
        with pytest.raises(TrainingError, match="compile"):
            _ = Model.load(tmp_path / "m.bigdl").optimizer

    def test_a_schedule_is_kept(self, tmp_path):
        x, y = data()
        stages = SequentialSchedule(2).add(Warmup(0.001), 3).add(MultiStep([2, 3], 0.5), 100)
        model = classifier(SGD(0.01, leaningrate_schedule=stages))
        for _ in range(5):
            model.train_on_batch(x, y)
        model.save(tmp_path / "m.bigdl")
        again = Model.load(tmp_path / "m.bigdl")
        for _ in range(3):
            assert again.train_on_batch(x, y) == model.train_on_batch(x, y)
        assert_equal_arrays(again.get_weights(), model.get_weights())
        assert isinstance(again.optimizer.schedule, SequentialSchedule)
        assert again.optimizer.schedule.get_config() == stages.get_config()


def with_frozen_base() -> Sequential:
    base = Sequential([Dense(4, input_dim=4, name="base_a"), BatchNormalization(name="base_b")], name="base")
    deep = Sequential([Dense(4, input_dim=4, name="deep_a"), base, Dense(4, name="deep_b")], name="deep")
    model = Sequential([deep, Dense(3, activation="softmax", name="head")])
    base.trainable = False
    model.compile("adam", "categorical_crossentropy")
    return model


class TestFrozenModels:
    def test_a_frozen_inner_model_stays_frozen(self, tmp_path):
        x, y = data()
        model = with_frozen_base()
        model.train_on_batch(x, y)
        model.save(tmp_path / "m.bigdl")
        again = Model.load(tmp_path / "m.bigdl")
        assert again.to_json() == model.to_json()
        assert [w.name for w in again.trainable_weights] == [w.name for w in model.trainable_weights]
        assert again.train_on_batch(x, y) == model.train_on_batch(x, y)
        assert_equal_arrays(again.get_weights(), model.get_weights())

    def test_what_was_frozen_after_compile_is_moved_on(self, tmp_path):
        x, y = data()
        model = classifier()
        model.trainable = False
        model.save(tmp_path / "m.bigdl")
        again = Model.load(tmp_path / "m.bigdl")
        assert not again.trainable
        assert again.train_on_batch(x, y) == model.train_on_batch(x, y)
        assert_equal_arrays(again.get_weights(), model.get_weights())

    @pytest.mark.parametrize(
        "extra", [{"frozen_models": [7]}, {"frozen_models": "all"}, {"moved_weights": [99]}, {"moved_weights": {}}]
    )
    def test_damaged(self, tmp_path, extra, monkeypatch):
        model = classifier()
        monkeypatch.setattr("bigdl.models.saving.native_extra", lambda model: extra)
        model.save(tmp_path / "m.bigdl")
        with pytest.raises(FormatError, match=next(iter(extra))):
            load_model(tmp_path / "m.bigdl")
