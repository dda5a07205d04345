"""Event files, read back by the real TensorBoard."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from bigdl.errors import DataError
from bigdl.graph import Input
from bigdl.keras.callbacks import TensorBoard
from bigdl.layers import Dense, merge
from bigdl.models import Model, Sequential
from bigdl.optim.optimizer import (
    SGD,
    EveryEpoch,
    Loss,
    MaxEpoch,
    MaxIteration,
    Optimizer,
    SeveralIteration,
    Top1Accuracy,
    TrainSummary,
    ValidationSummary,
)
from bigdl.training import events
from bigdl.training.criterions import ClassNLLCriterion

X = np.random.RandomState(0).rand(50, 4).astype("float32")
LABELS = (X @ np.random.RandomState(1).randn(4, 3)).argmax(1) + 1


def build() -> Sequential:
    torch.manual_seed(1)
    return Sequential([Dense(5, input_dim=4, name="low"), Dense(3, activation="softmax", name="high")], name="net")


def nll() -> ClassNLLCriterion:
    return ClassNLLCriterion(logProbAsInput=False)


def optimizer_for(model: Any, end: Any, method: Any = None) -> Optimizer:
    return Optimizer(model, (X, LABELS), nll(), end, 20, method or SGD(0.5, 0.1))


def read(folder: Path | str) -> EventAccumulator:
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0, "images": 0})
    events.Reload()
    return events


def test_loss_and_throughput_of_every_iteration(tmp_path):
    losses: list[float] = []

    class Noting(ClassNLLCriterion):
        def terms(self, output: Any, target: Any) -> Any:
            term = super().terms(output, target)
            losses.append(float(term.value.detach()))
            return term

    summary = TrainSummary(tmp_path, "app")
    optimizer = Optimizer(build(), (X, LABELS), Noting(logProbAsInput=False), MaxEpoch(2), 20, SGD(0.5))
    before = time.time()
    assert optimizer.set_train_summary(summary) is optimizer
    optimizer.optimize(verbose=0)
    events = read(tmp_path / "app" / "train")
    assert events.Tags()["scalars"] == ["Loss", "Throughput"]
    assert [event.step for event in events.Scalars("Loss")] == [1, 2, 3, 4, 5, 6]
    np.testing.assert_allclose([event.value for event in events.Scalars("Loss")], losses, rtol=1e-6)
    assert all(event.value > 0 for event in events.Scalars("Throughput"))

    rows = np.array(summary.read_scalar("Loss"))
    np.testing.assert_array_equal(rows[:, 0], np.arange(1, 7))
    np.testing.assert_allclose(rows[:, 1], losses, rtol=1e-6)
    assert np.all((rows[:, 2] >= before - 1) & (rows[:, 2] <= time.time() + 1))
    assert summary.read_scalar("LearningRate") == []


def test_what_triggers_ask_for(tmp_path):
    model = build()
    start = model.get_weights()[0]
    summary = TrainSummary(str(tmp_path), "app")
    summary.set_summary_trigger("LearningRate", SeveralIteration(2)).set_summary_trigger("Loss", EveryEpoch())
    summary.set_summary_trigger("Parameters", SeveralIteration(6))
    optimizer_for(model, MaxEpoch(2)).set_train_summary(summary).optimize(verbose=0)
    rates = summary.read_scalar("LearningRate")
    np.testing.assert_allclose(
        [row[:2] for row in rates], [(i, 0.5 / (1 + 0.1 * (i - 1))) for i in (2, 4, 6)], rtol=1e-6
    )
    assert [row[0] for row in summary.read_scalar("Loss")] == [3, 6]

    events = read(tmp_path / "app" / "train")
    assert set(events.Tags()["histograms"]) == {
        f"{name}{kind}" for name in ("low/W", "low/b", "high/W", "high/b") for kind in ("", "/gradient")
    }
    weights = events.Histograms("low/W")[0].histogram_value
    assert (weights.num, weights.min, weights.max) == (20, model.get_weights()[0].min(), model.get_weights()[0].max())
    assert weights.sum == pytest.approx(model.get_weights()[0].sum(), rel=1e-5)
    assert start.max() != weights.max


def test_the_rate_of_each_layer(tmp_path):
    summary = TrainSummary(tmp_path, "app").set_summary_trigger("LearningRate", EveryEpoch())
    methods = {"low": SGD(0.25), "high": SGD(0.5)}
    optimizer_for(build(), MaxEpoch(1), methods).set_train_summary(summary).optimize(verbose=0)
    assert [row[:2] for row in summary.read_scalar("LearningRate/low")] == [[3, 0.25]]
    assert [row[:2] for row in summary.read_scalar("LearningRate/high")] == [[3, 0.5]]


def test_what_validation_finds(tmp_path):
    optimizer = optimizer_for(build(), MaxEpoch(3))
    optimizer.set_validation(20, (X, LABELS), EveryEpoch(), [Top1Accuracy(), Loss(nll())])
    summary = ValidationSummary(tmp_path, "app")
    assert optimizer.set_val_summary(summary) is optimizer
    optimizer.optimize(verbose=0)
    for tag, name in (("Top1Accuracy", "val_top1accuracy"), ("Loss", "val_loss")):
        rows = np.array(summary.read_scalar(tag))
        np.testing.assert_array_equal(rows[:, 0], [3, 6, 9])
        np.testing.assert_allclose(rows[:, 1], optimizer.history[name], rtol=1e-6)
    assert read(tmp_path / "app" / "validation").Tags()["scalars"] == ["Top1Accuracy", "Loss"]


def test_a_resumed_run_reports_each_iteration_once(tmp_path):
    def run(iterations: int, resume: bool = False) -> TrainSummary:
        summary = TrainSummary(tmp_path / "logs", "app")
        optimizer = optimizer_for(build(), MaxIteration(iterations)).set_train_summary(summary)
        assert optimizer.resume(tmp_path / "run") is resume
        optimizer.set_checkpoint(SeveralIteration(2), tmp_path / "run").optimize(verbose=0)
        return summary

    run(5)  # the checkpoint is that of iteration 4
    rows = run(7, resume=True).read_scalar("Loss")
    assert [row[0] for row in rows] == [1, 2, 3, 4, 5, 6, 7]


def test_another_store(tmp_path):
    summary = TrainSummary(f"memory://{tmp_path.name}", "app")
    optimizer_for(build(), MaxIteration(2)).set_train_summary(summary).optimize(verbose=0)
    assert [row[0] for row in summary.read_scalar("Loss")] == [1, 2]


def test_what_is_no_summary(tmp_path, monkeypatch):
    summary = TrainSummary(tmp_path, "app")
    with pytest.raises(DataError, match="expects one of Loss, Throughput, LearningRate, Parameters"):
        summary.set_summary_trigger("Learningrate", EveryEpoch())
    with pytest.raises(DataError, match=r"Expected a ValidationSummary\(log_dir, app_name\)"):
        optimizer_for(build(), MaxEpoch(1)).set_val_summary(summary)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"Expected a TrainSummary\(log_dir, app_name\)"):
        optimizer_for(build(), MaxEpoch(1)).set_train_summary(None)  # type: ignore[arg-type]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"pip install 'bigdl-torch\[tensorboard\]'"):
        TrainSummary(tmp_path, "app")
    with pytest.raises(DataError, match=r"pip install 'bigdl-torch\[tensorboard\]'"):
        TensorBoard(tmp_path)


# Keras's callback.


def two_branches() -> Model:
    a, b = Input((4,), name="a"), Input((4,), name="b")
    shared = Dense(3, name="shared")
    model = Model([a, b], Dense(1, name="out")(merge([shared(a), shared(b)], mode="sum", name="sum")))
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def test_what_epochs_report(tmp_path):
    model = two_branches()
    data = ([X, X[::-1].copy()], LABELS)
    board = TensorBoard(tmp_path)
    history = model.fit(*data, nb_epoch=3, verbose=0, callbacks=[board], validation_data=data).history
    events = read(tmp_path)
    assert sorted(events.Tags()["scalars"]) == sorted(history)
    for name, values in history.items():
        assert [event.step for event in events.Scalars(name)] == [0, 1, 2]
        np.testing.assert_allclose([event.value for event in events.Scalars(name)], values, rtol=1e-6)
    assert events.Tags()["histograms"] == []
    graph = {node.name: (node.op, list(node.input)) for node in events.Graph().node}
    assert graph == {
        "a": ("InputLayer", []),
        "b": ("InputLayer", []),
        "shared": ("Dense", ["a", "b"]),
        "sum": ("Merge", ["shared"]),
        "out": ("Dense", ["sum"]),
    }


def test_distributions_of_weights_and_outputs(tmp_path):
    model = build()
    model.compile("sgd", "sparse_categorical_crossentropy")
    board = TensorBoard(tmp_path, histogram_freq=2, write_graph=False, write_images=True)
    model.fit(X, LABELS - 1, nb_epoch=3, verbose=0, callbacks=[board], validation_split=0.5)
    events = read(tmp_path)
    assert not events.Tags()["graph"]
    assert set(events.Tags()["histograms"]) == {"low_W", "low_b", "high_W", "high_b", "low_out", "high_out"}
    assert [event.step for event in events.Histograms("low_W")] == [0, 2]
    outputs, expected = events.Histograms("high_out")[-1].histogram_value, model.predict(X[25:])
    assert outputs.num == expected.size == sum(outputs.bucket)
    np.testing.assert_allclose([outputs.min, outputs.max], [expected.min(), expected.max()], rtol=1e-6)
    np.testing.assert_allclose(outputs.sum_squares, np.square(expected).sum(), rtol=1e-5)
    inside = np.searchsorted(outputs.bucket_limit, expected.ravel(), side="right")
    np.testing.assert_array_equal(np.bincount(inside, minlength=len(outputs.bucket)), outputs.bucket)
    image = events.Images("low_W")[0]
    assert (image.width, image.height) == (5, 4)


def test_no_distributions_without_validation(tmp_path):
    model = build()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(X, LABELS - 1, nb_epoch=1, verbose=0, callbacks=[TensorBoard(tmp_path, histogram_freq=1)])
    assert read(tmp_path).Tags()["histograms"] == []


def test_distributions_leave_out_what_is_not_finite():
    found = events.Distribution()
    found.add(np.array([np.nan, np.inf, -2.0, 0.0, 3.0]))
    found.add(np.array([]))
    assert (found.low, found.high, found.total, found.squares) == (-2.0, 3.0, 1.0, 13.0)
    assert found.counts.sum() == 3
