import numpy as np
import pytest
import torch

from bigdl.errors import DataError, TrainingError, UnsupportedLayerError, WeightMismatchError
from bigdl.graph import Container
from bigdl.layers import Convolution2D
from bigdl.registry import custom_object_scope
from bigdl.training import losses, objectives, optimizers
from bigdl.training.optimizers import SGD, Adam, Optimizer, blocks
from bigdl.training.regularization import Regularization
from tests.training.goldens import ROOT, Array, assert_close, build, read_arrays, read_json, tensor

TRACES = read_json("traces.json")
DATA = read_arrays("data.npz")


class Trace:
    """A golden trace and a model of ours at its start.

    Args:
        name: Its name.
    """

    def __init__(self, name: str) -> None:
        arrays = read_arrays(f"traces/{name}.npz")
        self.model = build(TRACES[name]["definition"])
        count = len(self.model.get_weights())
        steps = zip(*(arrays[f"w{i}"] for i in range(count)), strict=True)
        self.weights: list[tuple[Array, ...]] = list(steps)
        self.losses = arrays["losses"]
        self.state = [arrays[f"s{i}"] for i in range(sum(key[0] == "s" for key in arrays))]
        self.config = TRACES[name]["optimizer"]
        self.model.set_weights(self.weights[0])
        self.optimizer = optimizers.get(self.config)
        self.optimizer.bind(self.model.trainable_weights)

    def train(self, step: int) -> float:
        return train(self.model, self.optimizer, step)


def train(model: Container, optimizer: Optimizer, step: int) -> float:
    model.zero_grad()
    x, y = tensor(DATA["x"][step]), tensor(DATA["y"][step])
    term = losses.terms(objectives.categorical_crossentropy, y, model(x))
    loss = term.value + Regularization(model)()
    loss.backward()
    optimizer.step()
    return float(loss.detach())


@pytest.mark.parametrize("name", sorted(TRACES))
def test_steps_are_those_of_keras(name):
    trace = Trace(name)
    for step, expected in enumerate(trace.weights[1:]):
        assert trace.train(step) == pytest.approx(trace.losses[step], rel=1e-5)
        for ours, theirs in zip(trace.model.get_weights(), expected, strict=True):
            assert_close(ours, theirs, 2e-6)


@pytest.mark.parametrize("name", sorted(TRACES))
def test_state_and_configuration_are_those_of_keras(name):
    trace = Trace(name)
    for step in range(len(trace.losses)):
        trace.train(step)
    state = trace.optimizer.get_weights()
    assert [array.shape for array in state] == [array.shape for array in trace.state]
    for ours, theirs in zip(state, trace.state, strict=True):
        if ours.shape == () and not float(trace.config["config"].get("decay", 1)):
            continue  # Keras's SGD does not count its steps unless it needs to.
        assert_close(ours, theirs)
    assert optimizers.serialize(trace.optimizer) == trace.config


def test_every_trace_is_described():
    assert {path.stem for path in (ROOT / "traces").iterdir()} == set(TRACES)


@pytest.mark.parametrize("name", ["sgd_nesterov_decay", "rmsprop", "adagrad", "adadelta", "adam", "adamax", "nadam"])
def test_a_resumed_run_takes_the_same_steps(name):
    trace = Trace(name)
    for step in range(5):
        trace.train(step)
    trace.optimizer.lr = 0.05
    state, weights = trace.optimizer.state_dict(), trace.model.get_weights()
    for step in range(5, 9):
        trace.train(step)
    again = Trace(name)
    again.model.set_weights(weights)
    again.optimizer.load_state_dict(state)
    for step in range(5, 9):
        again.train(step)
    for ours, theirs in zip(again.model.get_weights(), trace.model.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)


def test_state_read_back_from_keras_goes_on_as_keras_would():
    trace = Trace("adam")
    trace.model.set_weights(trace.weights[24])
    for step in range(24):
        train_state_only(trace, step)
    saved = trace.optimizer.get_weights()
    again = Trace("adam")
    again.model.set_weights(trace.weights[24])
    again.optimizer.set_weights(saved)
    assert again.optimizer.iterations == 24
    again.train(24)
    for ours, theirs in zip(again.model.get_weights(), trace.weights[25], strict=True):
        assert_close(ours, theirs)


def train_state_only(trace: Trace, step: int) -> None:
    trace.model.set_weights(trace.weights[step])
    trace.train(step)
    trace.model.set_weights(trace.weights[step])


def test_state_of_another_shape_is_refused_and_nothing_written():
    trace = Trace("adam")
    trace.train(0)
    before = trace.optimizer.get_weights()
    with pytest.raises(WeightMismatchError, match="Received: 1 arrays"):
        trace.optimizer.set_weights([np.zeros(3)])
    wrong = [np.array(9.0), *before[1:-1], np.zeros((1, 1))]
    with pytest.raises(WeightMismatchError, match=r"\(1, 1\)"):
        trace.optimizer.set_weights(wrong)
    with pytest.raises(WeightMismatchError, match="missing or of another shape: iterations"):
        trace.optimizer.load_state_dict({})
    for ours, theirs in zip(trace.optimizer.get_weights(), before, strict=True):
        assert np.array_equal(ours, theirs)


def test_a_parameter_without_gradient_counts_as_gradient_zero():
    trace = Trace("sgd_momentum")
    trace.train(0)
    velocity = trace.optimizer.get_weights()[1]
    trace.model.zero_grad()
    trace.optimizer.step()
    assert_close(trace.optimizer.get_weights()[1], 0.9 * velocity, 1e-6)


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_the_size_of_blocks_changes_nothing(size, monkeypatch):
    expected = Trace("adadelta")
    expected.train(0)
    monkeypatch.setattr(blocks, "BLOCK_SIZE", size)
    cut = Trace("adadelta")
    cut.train(0)
    for ours, theirs in zip(cut.model.get_weights(), expected.model.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)


def run_convolution(relayout: bool) -> Array:
    layer = Convolution2D(5, 3, 3, input_shape=(4, 6, 6), dim_ordering="th")
    layer.ensure_built((None, 4, 6, 6))
    layer.set_weights([np.random.RandomState(i).normal(0, 1, w.shape) for i, w in enumerate(layer.weights)])
    optimizer = Adam(lr=0.1)
    optimizer.bind(layer.trainable_weights)
    for step in range(4):
        if relayout and step == 2:
            layer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        layer.zero_grad()
        x = torch.randn(2, 4, 6, 6, generator=torch.Generator().manual_seed(step))
        layer(x).square().mean().backward()
        optimizer.step()
    return layer.get_weights()[0]


def test_parameters_may_move_in_memory_and_change_their_layout():
    assert_close(run_convolution(True), run_convolution(False))


def test_binding_the_same_weights_again_keeps_the_state():
    trace = Trace("adam")
    trace.train(0)
    before = trace.optimizer.get_weights()
    trace.optimizer.bind(trace.model.trainable_weights)
    for ours, theirs in zip(trace.optimizer.get_weights(), before, strict=True):
        assert np.array_equal(ours, theirs)
    trace.optimizer.reset()
    assert trace.optimizer.iterations == 1
    assert not any(array.any() for array in trace.optimizer.get_weights()[1:])


def test_numbers_are_variables_that_keep_their_identity():
    optimizer = SGD(lr=0.1)
    rate = optimizer.lr
    optimizer.lr = 0.5
    assert rate is optimizer.lr
    assert float(rate) == 0.5
    assert float(SGD().lr) == float(np.float32(0.01))


@pytest.mark.parametrize("name", ["sgd", "SGD", "RMSprop", "rmsprop", "Adagrad", "adadelta", "Adam", "Adamax", "nadam"])
def test_names(name):
    assert type(optimizers.get(name)).__name__.lower() == name.lower()


def test_what_is_no_optimizer_is_refused():
    with pytest.raises(UnsupportedLayerError, match="Unknown optimizer 'adamw'"):
        optimizers.get("adamw")
    with pytest.raises(DataError, match="Received: 3"):
        optimizers.get(3)
    with pytest.raises(DataError, match=r"Optimizer SGD: .*'speed'"):
        optimizers.get({"class_name": "SGD", "config": {"speed": 3}})
    with pytest.raises(TrainingError, match="bind"):
        SGD().step()


def test_own_optimizers_are_found_by_name():
    class Slow(SGD):
        pass

    with custom_object_scope({"Slow": Slow}):
        assert isinstance(optimizers.get({"class_name": "Slow", "config": {"lr": 0.5}}), Slow)


def test_updates_of_a_graph_are_refused():
    with pytest.raises(UnsupportedLayerError, match=r"'Own' defines get_updates.*Define rule\(\) instead"):

        class Own(optimizers.Optimizer):
            def get_updates(self, params, constraints, loss):
                return []
