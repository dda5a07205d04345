"""``fit`` goes on where it was stopped, and ends as if it had not been."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bigdl.errors import DataError, TrainingError, WeightMismatchError
from bigdl.keras.callbacks import (
    BackupAndRestore,
    Callback,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    ModelCheckpoint,
    ReduceLROnPlateau,
)
from bigdl.layers import LSTM, BatchNormalization, Dense, Dropout
from bigdl.models import Sequential

X = np.random.RandomState(0).rand(50, 4).astype("float32")
Y = (X @ np.random.RandomState(1).randn(4, 3)).argmax(1)
EPOCHS, BATCH = 4, 8  # 7 batches an epoch


def build(seed: int = 1, optimizer: Any = "adam") -> Sequential:
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - Keras's generator
    layers = [
        Dense(8, input_dim=4, activation="relu"),
        BatchNormalization(),
        Dropout(0.5),
        Dense(3, activation="softmax"),
    ]
    model = Sequential(layers, name="net")
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def fit(model: Any, *callbacks: Any, epochs: int = EPOCHS, **arguments: Any) -> Any:
    given = {"validation_data": (X, Y), "batch_size": BATCH, "verbose": 0, **arguments}
    return model.fit(X, Y, nb_epoch=epochs, callbacks=list(callbacks), **given)


class StopError(Exception):
    """Ends training from inside."""


def stop_before(iteration: int) -> LambdaCallback:
    """Ends training before a batch, counted over all epochs."""
    seen: list[int] = []

    def look(batch: int, logs: Any) -> None:
        if len(seen) == iteration:
            raise StopError
        seen.append(batch)

    return LambdaCallback(on_batch_begin=look)


def watchers(folder: Path) -> list[Any]:
    """Callbacks that change the training by what they remember."""
    return [
        ReduceLROnPlateau("val_loss", factor=0.5, patience=0, epsilon=0.2),
        EarlyStopping("val_acc", patience=3),
        ModelCheckpoint(folder / "best.h5", save_best_only=True),
        CSVLogger(folder / "log.csv"),
    ]


def assert_same(ours: list[Any], theirs: list[Any]) -> None:
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("shuffle", [True, "batch", False])
@pytest.mark.parametrize(("at", "save_freq"), [(1, 1), (6, 1), (7, 1), (9, 4), (13, "epoch"), (20, 3), (27, 1)])
def test_a_stopped_fit_goes_on(tmp_path, at, save_freq, shuffle):
    (tmp_path / "whole").mkdir()
    whole = build()
    expected = fit(whole, *watchers(tmp_path / "whole"), shuffle=shuffle)

    backup = tmp_path / "backup"
    with pytest.raises(StopError):
        fit(build(), *watchers(tmp_path), BackupAndRestore(backup, save_freq), stop_before(at), shuffle=shuffle)
    model = build(seed=9)
    history = fit(model, *watchers(tmp_path), BackupAndRestore(backup, save_freq), shuffle=shuffle)
    assert_same(model.get_weights(), whole.get_weights())
    assert history.history == expected.history
    assert history.epoch == expected.epoch
    assert (tmp_path / "log.csv").read_text() == (tmp_path / "whole" / "log.csv").read_text()
    assert float(model.optimizer.lr) == float(whole.optimizer.lr)


def test_stopped_again_and_again(tmp_path):
    whole = build()
    fit(whole)
    for seed in range(9):
        with pytest.raises(StopError):
            fit(build(seed), BackupAndRestore(tmp_path, 2), stop_before(3))
        if seed == 0:  # the seed decides where a training begins, not where it goes on
            fit(whole := build(0))
    fit(model := build(20), BackupAndRestore(tmp_path, 2))
    assert_same(model.get_weights(), whole.get_weights())


def test_ctrl_c_after_an_epochs_last_batch(tmp_path):
    whole = build()
    expected = fit(whole, *watchers(tmp_path))

    def press(batch: int, logs: Any) -> None:
        if batch == 6:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fit(build(), *watchers(tmp_path), BackupAndRestore(tmp_path / "b"), LambdaCallback(on_batch_begin=press))
    model = build(seed=2)
    history = fit(model, *watchers(tmp_path), BackupAndRestore(tmp_path / "b"))
    assert_same(model.get_weights(), whole.get_weights())
    assert history.history == expected.history


def test_a_training_that_was_ended_early_stays_ended(tmp_path):
    class End(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = True

    class Fail(Callback):
        def on_train_end(self, logs: Any = None) -> None:
            raise StopError

    with pytest.raises(StopError):
        fit(build(), End(), BackupAndRestore(tmp_path), Fail())
    assert fit(build(), End(), BackupAndRestore(tmp_path)).epoch == [0]


def test_what_comes_after_the_end(tmp_path):
    model = build()
    fit(model, BackupAndRestore(tmp_path / "void"), epochs=1)
    assert fit(model, BackupAndRestore(tmp_path / "void"), epochs=1).epoch == [0]

    fit(build(), BackupAndRestore(tmp_path / "kept", delete_checkpoint=False), epochs=2)
    assert len(list((tmp_path / "kept").iterdir())) == 5  # two models, two states, and which is the newest
    more = build(seed=5)
    history = fit(more, BackupAndRestore(tmp_path / "kept"), epochs=EPOCHS)
    fit(whole := build())
    assert history.epoch == [0, 1, 2, 3]
    assert_same(more.get_weights(), whole.get_weights())


def test_states_of_stateful_layers(tmp_path):
    rows = np.random.RandomState(0).rand(24, 5, 2).astype("float32")

    def stateful() -> Any:
        torch.manual_seed(1)
        model = Sequential([LSTM(3, batch_input_shape=(4, 5, 2), stateful=True), Dense(1)], name="s")
        model.compile("sgd", "mse")
        return model

    def train(model: Any, *callbacks: Any) -> None:
        model.fit(rows, rows[:, 0, :1], batch_size=4, nb_epoch=2, verbose=0, shuffle=False, callbacks=list(callbacks))

    train(whole := stateful())
    with pytest.raises(StopError):
        train(stateful(), BackupAndRestore(tmp_path, 1), stop_before(4))
    train(model := stateful(), BackupAndRestore(tmp_path, 1))
    assert_same(model.get_weights(), whole.get_weights())


def test_a_generator_that_gives_what_comes_next(tmp_path):
    def batches(start: int = 0) -> Any:
        i = start
        while True:
            rows = np.arange(i * 5, i * 5 + 5) % 50
            yield X[rows], Y[rows]
            i += 1

    def train(model: Any, start: int, *callbacks: Any) -> None:
        model.fit_generator(batches(start), 30, 3, verbose=0, callbacks=list(callbacks), max_q_size=1)

    train(whole := build(), 0)
    with pytest.raises(StopError):
        train(build(), 0, BackupAndRestore(tmp_path), stop_before(8))
    train(model := build(4), 6, BackupAndRestore(tmp_path))
    assert_same(model.get_weights(), whole.get_weights())


def test_another_model(tmp_path):
    with pytest.raises(StopError):
        fit(build(), BackupAndRestore(tmp_path), stop_before(10))
    with pytest.raises(WeightMismatchError, match="not the state of a SGD"):
        fit(build(optimizer="sgd"), BackupAndRestore(tmp_path))


@pytest.mark.parametrize("shuffle", [True, False])
def test_other_data(tmp_path, shuffle):
    with pytest.raises(StopError):
        fit(build(), BackupAndRestore(tmp_path, 2), stop_before(4), shuffle=shuffle)
    few: dict[str, Any] = {
        "nb_epoch": EPOCHS,
        "batch_size": BATCH,
        "verbose": 0,
        "callbacks": [BackupAndRestore(tmp_path, 2)],
    }
    message = "Epoch 1 was stopped after 32 of 50 rows and cannot go on with other data. Received: 30 rows"
    with pytest.raises(DataError, match=message):
        build().fit(X[:30], Y[:30], shuffle=shuffle, **few)


def test_other_data_from_an_epoch_on(tmp_path):
    with pytest.raises(StopError):
        fit(build(), BackupAndRestore(tmp_path), stop_before(8))
    going_on = build().fit(X[:30], Y[:30], BATCH, nb_epoch=EPOCHS, verbose=0, callbacks=[BackupAndRestore(tmp_path)])
    assert going_on.epoch == [0, 1, 2, 3]


def test_the_last_good_backup_is_named(tmp_path):
    model = build()

    def loss(y_true: Any, y_pred: Any) -> Any:
        return y_pred.sum(-1) * (np.inf if model.optimizer.iterations > 9 else 1.0)

    model.compile("sgd", loss)
    with pytest.raises(TrainingError, match="the loss is") as caught:
        fit(model, BackupAndRestore(tmp_path), validation_data=None)
    assert caught.value.__notes__ == [f"The last good checkpoint is {tmp_path / 'model.1'}."]


def test_the_frequency_is_a_number_of_batches():
    for wrong in (0, -1, 1.5, "batch", True):
        with pytest.raises(DataError, match="save_freq must be 'epoch' or a number of batches"):
            BackupAndRestore("x", wrong)  # type: ignore[arg-type]


SCRIPT = """
import sys, torch
sys.path.insert(0, {here!r})
torch.set_num_threads(1)
from test_backup import BackupAndRestore, build, fit
fit(build(), BackupAndRestore({folder!r}, 2), epochs=25)
print("done")
"""


def test_a_killed_fit_goes_on(tmp_path):
    script = SCRIPT.format(here=str(Path(__file__).parent), folder=str(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (tmp_path / "latest.json").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    model = build(seed=2)
    fit(model, BackupAndRestore(tmp_path, 50), epochs=25)
    fit(whole := build(), epochs=25)
    assert_same(model.get_weights(), whole.get_weights())
