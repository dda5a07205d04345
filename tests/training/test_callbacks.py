"""Keras's callbacks, each told by hand what training would tell it."""

import csv
import http.server
import json
import threading
from typing import Any, ClassVar
from urllib.parse import parse_qs

import numpy as np
import pytest

from bigdl.errors import DataError
from bigdl.layers import Dense
from bigdl.models import Sequential
from bigdl.training import callbacks
from bigdl.training.callbacks import (
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    ModelCheckpoint,
    ReduceLROnPlateau,
    RemoteMonitor,
)
from bigdl.training.callbacks.watching import Best


@pytest.fixture
def x():
    return np.random.RandomState(0).rand(20, 4).astype("float32")


@pytest.fixture
def y():
    return np.random.RandomState(1).rand(20, 1).astype("float32")


@pytest.fixture
def model():
    made: Any = Sequential([Dense(1, input_dim=4)], name="net")
    made.compile("sgd", "mse")
    return made


class Recorder:
    """A model that notes what is saved."""

    def __init__(self) -> None:
        self.saved: list[str] = []

    def save(self, path: str) -> None:
        self.saved.append(path)

    def save_weights(self, path: str) -> None:
        self.saved.append(f"weights:{path}")


def saved_by(checkpoint: ModelCheckpoint, *epochs: dict[str, float]) -> list[str]:
    recorder = Recorder()
    checkpoint.set_model(recorder)
    for epoch, logs in enumerate(epochs):
        checkpoint.on_epoch_end(epoch, logs)
    return recorder.saved


def test_checkpoints_are_named_by_epoch_and_values():
    checkpoint = ModelCheckpoint("w.{epoch:02d}-{val_loss:.2f}.h5")
    assert saved_by(checkpoint, {"val_loss": 0.51}, {"val_loss": 0.777}) == ["w.00-0.51.h5", "w.01-0.78.h5"]


def test_checkpoints_every_few_epochs():
    assert saved_by(ModelCheckpoint("{epoch}", period=3), *[{}] * 7) == ["2", "5"]


@pytest.mark.parametrize(
    ("monitor", "mode", "values", "expected"),
    [
        ("val_loss", "auto", [3, 4, 2, 2, 1], ["0", "2", "4"]),
        ("val_acc", "auto", [3, 4, 2, 4, 5], ["0", "1", "4"]),
        ("fmeasure", "auto", [1, 2], ["0", "1"]),
        ("val_acc", "min", [3, 4, 2], ["0", "2"]),
        ("loss", "max", [3, 4, 2], ["0", "1"]),
    ],
)
def test_checkpoints_of_the_best(monitor, mode, values, expected):
    checkpoint = ModelCheckpoint("{epoch}", monitor, save_best_only=True, mode=mode)
    assert saved_by(checkpoint, *[{monitor: value} for value in values]) == expected
    assert checkpoint.best == (max(values) if mode != "min" and (monitor != "val_loss") else min(values))


def test_checkpoints_of_weights_only():
    assert saved_by(ModelCheckpoint("{epoch}", save_weights_only=True), {}) == ["weights:0"]


def test_checkpoints_say_what_they_do(capsys):
    checkpoint = ModelCheckpoint("{epoch}", "loss", verbose=1, save_best_only=True)
    saved_by(checkpoint, {"loss": 2.0}, {"loss": 3.0})
    assert capsys.readouterr().out.splitlines() == [
        "Epoch 00000: loss improved from inf to 2.00000, saving model to 0",
        "Epoch 00001: loss did not improve",
    ]


def test_what_is_not_reported_is_warned_of():
    with pytest.warns(RuntimeWarning, match="ModelCheckpoint needs 'val_loss', which is not reported. Reported: loss"):
        assert saved_by(ModelCheckpoint("{epoch}", save_best_only=True), {"loss": 1.0}) == []
    stopping = EarlyStopping()
    with pytest.warns(RuntimeWarning, match="EarlyStopping needs 'val_loss'.* Reported: nothing"):
        stopping.on_epoch_end(0, {})


def test_an_unknown_mode_is_warned_of():
    with pytest.warns(RuntimeWarning, match="EarlyStopping: mode 'best' is unknown, 'auto' is used"):
        EarlyStopping(mode="best")


def test_a_model_is_saved_while_it_trains(model, x, y, tmp_path):
    model.fit(x, y, nb_epoch=2, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "net.{epoch}.h5")])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.0.h5", "net.1.h5"]
    loaded = Sequential.load_keras(tmp_path / "net.1.h5")
    np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])


def test_early_stopping_can_be_used_again(model, x, y):
    stopping = EarlyStopping("loss", min_delta=100)
    for _ in range(2):
        history = model.fit(x, y, nb_epoch=9, verbose=0, callbacks=[stopping])
        assert history.epoch == [0, 1]
    assert stopping.stopped_epoch == 1


def test_early_stopping_says_so(model, x, y, capsys):
    model.fit(x, y, nb_epoch=9, verbose=0, callbacks=[EarlyStopping("loss", min_delta=100, verbose=1)])
    assert capsys.readouterr().out == "Epoch 00001: early stopping\n"


def test_a_plateau_needs_a_factor_below_1():
    with pytest.raises(DataError, match=r"factor must be less than 1. Received: 1.5"):
        ReduceLROnPlateau(factor=1.5)


def test_margins_round_as_in_keras():
    """In floating point 0.04 < 0.14 - 0.1, but not 0.04 + 0.1 < 0.14."""
    for best, value, margin in [(0.14, 0.04, 0.1), (0.23, 0.18, 0.05), (0.07, 0.02, 0.05)]:
        assert (value < best - margin) != (value + margin < best)
        for plateau, better in [(True, value < best - margin), (False, value + margin < best)]:
            watched = Best("loss", "min", margin, "test", plateau)
            watched.value = best
            assert watched.is_better(value) == better


def test_learning_rates_by_epoch(model, x, y):
    rates = []
    schedule = callbacks.LearningRateScheduler(lambda epoch: 0.1 / (1 + epoch))
    note = LambdaCallback(on_batch_end=lambda batch, logs: rates.append(float(model.optimizer.lr)))
    model.fit(x, y, batch_size=20, nb_epoch=3, verbose=0, callbacks=[schedule, note])
    np.testing.assert_allclose(rates, [0.1, 0.05, 0.1 / 3], rtol=1e-6)


def test_a_schedule_must_give_a_float(model, x, y):
    with pytest.raises(DataError, match=r"the schedule must give a float. Received: 1"):
        model.fit(x, y, nb_epoch=1, verbose=0, callbacks=[callbacks.LearningRateScheduler(lambda epoch: 1)])


def test_functions_as_callbacks(model, x, y):
    calls: list[Any] = []
    names = ["on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end", "on_batch_begin", "on_batch_end"]
    made = LambdaCallback(**{name: lambda *args, name=name: calls.append(name) for name in names}, note="kept")
    model.fit(x, y, batch_size=20, nb_epoch=1, verbose=0, callbacks=[made])
    assert calls == [
        "on_train_begin",
        "on_epoch_begin",
        "on_batch_begin",
        "on_batch_end",
        "on_epoch_end",
        "on_train_end",
    ]
    assert made.note == "kept"  # type: ignore[attr-defined]


def rows(path: Any, delimiter: str = ",") -> list[list[str]]:
    with open(path, newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))


def test_rows_of_separated_values(model, x, y, tmp_path):
    path = tmp_path / "log.csv"
    history = model.fit(
        x, y, nb_epoch=2, verbose=0, validation_split=0.5, callbacks=[CSVLogger(path, separator=";")]
    ).history
    written = rows(path, ";")
    assert written[0] == ["epoch", "loss", "val_loss"]
    assert [row[0] for row in written[1:]] == ["0", "1"]
    np.testing.assert_array_equal([float(row[1]) for row in written[1:]], history["loss"])

    model.fit(x, y, nb_epoch=1, verbose=0, validation_split=0.5, callbacks=[CSVLogger(path, ";", append=True)])
    assert len(rows(path, ";")) == 4
    model.fit(x, y, nb_epoch=1, verbose=0, callbacks=[CSVLogger(path)])
    assert rows(path)[0] == ["epoch", "loss"]
    assert len(rows(path)) == 2


def test_lists_among_separated_values(tmp_path):
    logger = CSVLogger(tmp_path / "log.csv")
    logger.on_train_begin()
    logger.on_epoch_end(0, {"rates": [0.1, 0.2], "scalar": np.float32(0.5)})
    logger.on_train_end()
    assert rows(tmp_path / "log.csv")[1] == ["0", '"[0.1, 0.2]"', "0.5"]


class Server(http.server.BaseHTTPRequestHandler):
    """Keeps what is posted."""

    received: ClassVar[list[Any]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.received.append((self.path, parse_qs(body), self.headers["Content-Type"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


def test_a_server_is_told(model, x, y):
    with http.server.HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monitor = RemoteMonitor(f"http://127.0.0.1:{server.server_port}", field="news")
        history = model.fit(x, y, nb_epoch=2, verbose=0, callbacks=[monitor]).history
        server.shutdown()
    paths, bodies, kinds = zip(*Server.received, strict=True)
    assert set(paths) == {"/publish/epoch/end/"}
    assert set(kinds) == {"application/json"}
    messages = [json.loads(body["news"][0]) for body in bodies]
    assert messages == [{"epoch": i, "loss": loss} for i, loss in enumerate(history["loss"])]


def test_a_server_that_is_not_there_is_warned_of():
    monitor = RemoteMonitor("http://127.0.0.1:1")
    with pytest.warns(RuntimeWarning, match="RemoteMonitor could not reach the server at http://127.0.0.1:1"):
        monitor.on_epoch_end(0, {"loss": np.float32(1)})
    with pytest.raises(DataError, match="root must begin with http"):
        RemoteMonitor("file:///etc")
