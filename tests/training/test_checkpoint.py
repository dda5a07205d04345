"""Stopped runs end with the weights of those that were not stopped."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bigdl.errors import DataError, FormatError, StorageError, TrainingError, WeightMismatchError
from bigdl.graph import SequentialContainer
from bigdl.layers import BatchNormalization, Dense, Dropout
from bigdl.models import Model, Sequential
from bigdl.optim import optimizer as bigdl
from bigdl.training.criterions import ClassNLLCriterion
from bigdl.training.local_optimizer import LocalOptimizer
from bigdl.training.loop import Hook
from bigdl.training.optim_methods import OptimMethod
from bigdl.training.optimizers import SGD, Adam
from bigdl.training.triggers import EveryEpoch, MaxEpoch, SeveralIteration

X = np.random.RandomState(0).rand(50, 4).astype("float32")
LABELS = (X @ np.random.RandomState(1).randn(4, 3)).argmax(1) + 1


def build(seed: int = 1) -> Sequential:
    torch.manual_seed(seed)
    layers = [
        Dense(8, input_dim=4, activation="relu"),
        BatchNormalization(),
        Dropout(0.5),
        Dense(3, activation="softmax"),
    ]
    return Sequential(layers, name="net")


def optimizer_for(model: Any, epochs: int = 4, method: Any = None) -> LocalOptimizer:
    criterion = ClassNLLCriterion(logProbAsInput=False)
    return LocalOptimizer(X, LABELS, model, criterion, MaxEpoch(epochs), 8, method or Adam(lr=0.01))


def uninterrupted(**arguments: Any) -> tuple[list[Any], LocalOptimizer]:
    model = build()
    optimizer = optimizer_for(model, **arguments)
    optimizer.set_validation(8, X, LABELS, EveryEpoch())
    optimizer.optimize(verbose=0)
    return model.get_weights(), optimizer


def assert_same(ours: list[Any], theirs: list[Any]) -> None:
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


class StopError(Exception):
    """Ends training from inside."""


@pytest.mark.parametrize("at", [1, 2, 6, 7, 8, 13, 14, 27])
def test_a_run_that_failed_goes_on(tmp_path, monkeypatch, at):
    expected, whole = uninterrupted()

    def fail(hook: Any, state: Any, rows: int) -> None:
        if state.iteration == at:
            raise StopError

    broken = optimizer_for(build())
    broken.set_validation(8, X, LABELS, EveryEpoch()).set_checkpoint(SeveralIteration(1), tmp_path)
    monkeypatch.setattr(Hook, "on_batch_begin", fail)
    with pytest.raises(StopError):
        broken.optimize(verbose=0)
    monkeypatch.undo()

    model = build(seed=99)
    resumed = optimizer_for(model)
    resumed.set_validation(8, X, LABELS, EveryEpoch())
    assert resumed.resume(tmp_path)
    torch.rand(5)  # what the random state is now plays no part
    resumed.optimize(verbose=0)
    assert_same(model.get_weights(), expected)
    assert resumed.history == whole.history
    assert resumed.state == whole.state


@pytest.mark.parametrize(
    "method",
    [SGD(lr=0.1, momentum=0.9, decay=0.01), {"dense_1": Adam(), "dense_2": SGD(lr=0.1), "batchnormalization_1": SGD()}],
)
def test_each_optimizer_goes_on(tmp_path, method):
    def fresh() -> Any:
        if isinstance(method, dict):
            return {name: type(each).from_config(each.get_config()) for name, each in method.items()}
        return SGD.from_config(method.get_config())

    def named() -> Any:
        torch.manual_seed(1)
        layers = [
            Dense(8, input_dim=4, name="dense_1"),
            BatchNormalization(name="batchnormalization_1"),
            Dense(3, activation="softmax", name="dense_2"),
        ]
        return Sequential(layers, name="a/b")

    model = named()
    optimizer_for(model, 3, fresh()).optimize(verbose=0)
    half = named()
    optimizer_for(half, 2, fresh()).set_checkpoint(EveryEpoch(), tmp_path / "deep" / "er").optimize(verbose=0)
    again = named()
    resumed = optimizer_for(again, 3, fresh())
    assert resumed.resume(tmp_path / "deep" / "er")
    resumed.optimize(verbose=0)
    assert_same(again.get_weights(), model.get_weights())


def test_bigdls_own_way_to_go_on(tmp_path):
    """A model and an optim method are loaded from their files, and given to a new optimizer."""
    expected, _ = uninterrupted()
    optimizer_for(build(), 2).set_checkpoint(EveryEpoch(), tmp_path).optimize(verbose=0)
    model = Model.load(tmp_path / "model.15")
    method = OptimMethod.load(tmp_path / "optimMethod-net.15")
    assert isinstance(method, Adam)
    resumed = optimizer_for(model, method=method)
    resumed.optimize(verbose=0)
    assert resumed.state.epoch == 4
    assert_same(model.get_weights(), expected)


def test_an_optim_method_in_a_file(tmp_path):
    def method() -> Any:
        return bigdl.SGD(0.1, momentum=0.9, leaningrate_schedule=bigdl.Step(5, 0.5))

    models = [build(), build()]
    methods = [method(), method()]
    for model, each in zip(models, methods, strict=True):
        torch.manual_seed(4)
        optimizer_for(model, 1, each).optimize(verbose=0)
    methods[0].save(tmp_path / "sgd")
    with pytest.raises(FileExistsError, match="overWrite=True"):
        methods[0].save(tmp_path / "sgd")
    methods[0].save(tmp_path / "sgd", overWrite=True)
    loaded = OptimMethod.load(str(tmp_path / "sgd"))
    assert isinstance(loaded.schedule, bigdl.Step)
    for model, each in zip(models, (loaded, methods[1]), strict=True):
        torch.manual_seed(5)
        optimizer_for(model, 1, each).optimize(verbose=0)
    assert_same(*(model.get_weights() for model in models))
    assert loaded.iterations == 14


def test_files_that_hold_no_optim_method(tmp_path):
    model = build()
    model.save(tmp_path / "model")
    with pytest.raises(FormatError, match="is no state of an optimizer"):
        OptimMethod.load(tmp_path / "model")
    methods = {layer.name: SGD() for layer in model.layers}
    optimizer_for(model, 1, methods).set_checkpoint(EveryEpoch(), tmp_path).optimize(verbose=0)
    with pytest.raises(FormatError, match=r"several layers. Go on with optimizer.resume\(folder\)"):
        OptimMethod.load(tmp_path / "optimMethod-net.8")


def test_a_finished_run_has_nothing_left_to_do(tmp_path):
    model = build()
    optimizer_for(model, 2).set_checkpoint(EveryEpoch(), tmp_path).optimize(verbose=0)
    again = build(seed=2)
    resumed = optimizer_for(again, 2)
    assert resumed.resume(tmp_path)
    resumed.optimize(verbose=0)
    assert resumed.state.iteration == 14
    assert_same(again.get_weights(), model.get_weights())


def test_files_are_named_as_in_bigdl(tmp_path):
    model = build()
    optimizer_for(model, 2).set_checkpoint(EveryEpoch(), tmp_path).optimize(verbose=0)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["latest.json", "model.15", "model.8", "optimMethod-net.15", "optimMethod-net.8"]
    assert_same(Model.load(tmp_path / "model.15").get_weights(), model.get_weights())


def test_another_store(tmp_path):
    folder = f"memory://{tmp_path.name}/run"
    optimizer_for(build(), 1).set_checkpoint(EveryEpoch(), folder).optimize(verbose=0)
    model = build(seed=2)
    resumed = optimizer_for(model, 2)
    assert resumed.resume(folder)
    resumed.optimize(verbose=0)
    reference = build()
    optimizer_for(reference, 2).optimize(verbose=0)
    assert_same(model.get_weights(), reference.get_weights())


def test_no_checkpoint_is_no_error(tmp_path):
    assert not optimizer_for(build()).resume(tmp_path)
    assert not optimizer_for(build()).resume(tmp_path / "nowhere")


def test_checkpoints_of_another_training(tmp_path):
    optimizer_for(build(), 1).set_checkpoint(EveryEpoch(), tmp_path).optimize(verbose=0)
    with pytest.raises(DataError, match="holds checkpoints of another training"):
        optimizer_for(build()).set_checkpoint(EveryEpoch(), tmp_path, isOverWrite=False)
    going_on = optimizer_for(build(), 2)
    assert going_on.resume(tmp_path)
    going_on.set_checkpoint(EveryEpoch(), tmp_path, isOverWrite=False).optimize(verbose=0)

    # A new training makes the old checkpoints void before it writes over them.
    new = optimizer_for(build(), 1).set_checkpoint(SeveralIteration(100), tmp_path)
    new.optimize(verbose=0)
    assert not optimizer_for(build()).resume(tmp_path)


def test_a_model_that_cannot_be_saved():
    model = SequentialContainer([Dense(3, input_dim=4, activation="softmax")], name="bare")
    with pytest.raises(DataError, match=r"'bare' has no save\(\)"):
        optimizer_for(model).set_checkpoint(EveryEpoch(), "somewhere")


def finished(folder: Path) -> None:
    optimizer_for(build(), 1).set_checkpoint(EveryEpoch(), folder).optimize(verbose=0)


def test_a_damaged_marker(tmp_path):
    finished(tmp_path)
    (tmp_path / "latest.json").write_text("{")
    with pytest.raises(FormatError, match=r"latest\.json is damaged"):
        optimizer_for(build()).resume(tmp_path)


@pytest.mark.parametrize("content", [b"", b"text", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_damaged_state(tmp_path, content):
    finished(tmp_path)
    (tmp_path / "optimMethod-net.8").write_bytes(content)
    optimizer = optimizer_for(build())
    assert optimizer.resume(tmp_path)
    with pytest.raises(FormatError, match=r"optimMethod-net\.8 is no state of an optimizer"):
        optimizer.optimize(verbose=0)


def test_a_model_that_was_replaced(tmp_path):
    finished(tmp_path)
    build(seed=5).save(tmp_path / "model.8")
    optimizer = optimizer_for(build())
    assert optimizer.resume(tmp_path)
    with pytest.raises(FormatError, match=r"model\.8 is not the model that this checkpoint was written with"):
        optimizer.optimize(verbose=0)


def test_an_optimizer_of_another_kind(tmp_path):
    finished(tmp_path)
    optimizer = optimizer_for(build(), method=SGD())
    assert optimizer.resume(tmp_path)
    with pytest.raises(WeightMismatchError, match="not the state of a SGD"):
        optimizer.optimize(verbose=0)


def test_a_model_that_is_not_finite_is_not_kept(tmp_path):
    optimizer = optimizer_for(build(), 3, SGD(lr=1e38)).set_checkpoint(SeveralIteration(1), tmp_path)
    with pytest.raises(TrainingError):
        optimizer.optimize(verbose=0)
    marker = json.loads((tmp_path / "latest.json").read_text()) if (tmp_path / "latest.json").exists() else None
    assert marker is None or all(np.isfinite(w).all() for w in Model.load(tmp_path / marker["model"]).get_weights())


def test_the_last_good_checkpoint_is_named(tmp_path):
    data = X.copy()
    data[49] = np.nan
    optimizer = optimizer_for(build())
    optimizer.set_traindata((data, LABELS), 8)
    optimizer.set_checkpoint(SeveralIteration(1), tmp_path)
    with pytest.raises(TrainingError) as caught:
        optimizer.optimize(verbose=0)
    newest = json.loads((tmp_path / "latest.json").read_text())["model"]
    assert caught.value.__notes__ == [f"The last good checkpoint is {tmp_path / newest}."]


def test_what_a_killed_writer_left_is_removed(tmp_path):
    finished(tmp_path)
    (tmp_path / ".model.9.0123456789ab.tmp").write_bytes(b"half")
    resumed = optimizer_for(build(), 2)
    assert resumed.resume(tmp_path)
    resumed.optimize(verbose=0)
    assert not list(tmp_path.glob(".*"))


def test_a_full_disk(tmp_path):
    optimizer_for(build(), 2).set_checkpoint(EveryEpoch(), tmp_path).optimize(verbose=0)
    before = sorted(path.name for path in tmp_path.iterdir())
    going_on = optimizer_for(build(), 3)
    going_on.resume(tmp_path)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, hard))  # more than that there is no room for in a file
    try:
        with pytest.raises(StorageError, match=r"model\.22 cannot be written: .*File too large"):
            going_on.set_checkpoint(EveryEpoch(), tmp_path).optimize(verbose=0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert optimizer_for(build(), 3).resume(tmp_path)


def test_ctrl_c_ends_with_a_checkpoint(tmp_path, monkeypatch):
    expected, _ = uninterrupted()

    def press(hook: Any, state: Any, rows: int) -> None:
        if state.iteration == 9:
            os.kill(os.getpid(), signal.SIGINT)

    optimizer = optimizer_for(build()).set_checkpoint(SeveralIteration(100), tmp_path)
    monkeypatch.setattr(Hook, "on_batch_begin", press)
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        optimizer.optimize(verbose=0)
    monkeypatch.undo()
    assert optimizer.state.iteration == 10  # the batch that was under way is complete
    model = build(seed=2)
    resumed = optimizer_for(model)
    assert resumed.resume(tmp_path)
    resumed.optimize(verbose=0)
    assert_same(model.get_weights(), expected)
    assert signal.getsignal(signal.SIGINT) is handler


SCRIPT = """
import sys, torch
sys.path.insert(0, {here!r})
torch.set_num_threads(1)
from test_checkpoint import SeveralIteration, build, optimizer_for
optimizer_for(build(), 400).set_checkpoint(SeveralIteration(1), {folder!r}).optimize(verbose=0)
"""


def test_a_killed_run_goes_on(tmp_path):
    script = SCRIPT.format(here=str(Path(__file__).parent), folder=str(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", script])
    deadline = time.monotonic() + 120
    while not (tmp_path / "latest.json").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.3)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    iterations = int(json.loads((tmp_path / "latest.json").read_text())["number"])
    epochs = iterations // 7 + 2

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        expected, _ = uninterrupted(epochs=epochs)
        model = build(seed=2)
        resumed = optimizer_for(model, epochs)
        assert resumed.resume(tmp_path)
        resumed.optimize(verbose=0)
    finally:
        torch.set_num_threads(threads)
    assert_same(model.get_weights(), expected)
