"""Frozen layers, new heads, and learning rates that differ from layer to layer."""

import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bigdl.dataset import mnist
from bigdl.errors import DataError, LayerError
from bigdl.layers import BatchNormalization, Bidirectional, Dense, SimpleRNN
from bigdl.models import Model, Sequential
from bigdl.optim import optimizer as bigdl
from bigdl.training import optimizers
from bigdl.training.criterions import MSECriterion
from bigdl.training.sample import JTensor
from tests.keras import made_data

X = np.random.RandomState(0).rand(20, 4).astype("float32")
Y = np.random.RandomState(1).rand(20, 2).astype("float32")


def build() -> Sequential:
    torch.manual_seed(1)
    base = Sequential(
        [Dense(5, input_dim=4, activation="tanh", name="block1_a"), Dense(4, activation="tanh", name="block1_b")],
        name="base",
    )
    return Sequential([base, BatchNormalization(name="norm"), Dense(2, name="head")], name="net")


def compiled(optimizer: Any = "sgd", **arguments: Any) -> Any:
    model = build()
    model.compile(optimizer, "mse", **arguments)
    return model


def changed(model: Any, start: list[Any]) -> list[bool]:
    return [not np.array_equal(a, b) for a, b in zip(model.get_weights(), start, strict=True)]


# Weights: block1_a W b, block1_b W b, norm gamma beta mean std, head W b.
@pytest.mark.parametrize(
    ("names", "moving"),
    [
        (["block1_*"], [0, 0, 0, 0, 1, 1, 1, 1, 1, 1]),
        ("block1_?", [0, 0, 0, 0, 1, 1, 1, 1, 1, 1]),
        ("base", [0, 0, 0, 0, 1, 1, 1, 1, 1, 1]),
        ("block1_b", [1, 1, 0, 0, 1, 1, 1, 1, 1, 1]),
        (["norm", "*_a"], [0, 0, 1, 1, 0, 0, 1, 1, 1, 1]),
        (None, [0, 0, 0, 0, 0, 0, 1, 1, 0, 0]),
    ],
)
def test_layers_are_frozen_by_name_or_pattern(names, moving):
    model: Any = build()
    assert model.freeze(names) is model
    model.compile("sgd", "mse")
    start = model.get_weights()
    model.fit(X, Y, nb_epoch=1, verbose=0)
    assert in_order(model, changed(model, start)) == [bool(flag) for flag in moving]
    model.unfreeze(names).compile("sgd", "mse")
    assert len(model.trainable_weights) == 8


def in_order(model: Any, flags: list[bool]) -> list[bool]:
    """Flags of all weights, layer by layer; ``get_weights`` puts frozen ones last."""
    by_weight = dict(zip(model.listed_weights, flags, strict=True))
    layers = [*model.layers[0].layers, *model.layers[1:]]
    return [by_weight[weight] for layer in layers for weight in (*layer._trained, *layer._kept)]


def test_a_change_counts_from_the_next_compile_on():
    model = compiled()
    model.freeze("block1_*")
    start = model.get_weights()
    model.train_on_batch(X, Y)
    assert changed(model, start)[0]
    model.compile("sgd", "mse")
    start = model.get_weights()
    model.train_on_batch(X, Y)
    assert not any(changed(model, start)[:4])


def test_a_pattern_that_fits_nothing():
    model = build()
    with pytest.raises(
        LayerError, match=r"no layer whose name fits 'conv\*'. Its layers: base, block1_a, block1_b, norm"
    ):
        model.freeze(["block1_*", "conv*"])
    assert len(model.trainable_weights) == 8
    with pytest.raises(LayerError, match="no layer whose name fits 'conv'"):
        compiled(lr_multipliers={"conv": 0.5})
    with pytest.raises(DataError, match=r"the factor of 'head' must be 0 or more. Received: -1"):
        compiled(lr_multipliers={"head": -1})
    with pytest.raises(DataError, match="LBFGS moves all weights along one direction"):
        compiled(optimizers.LBFGS(), lr_multipliers={"head": 2.0})


RULES = {
    "sgd": lambda rate: optimizers.SGD(0.1 * rate, momentum=0.9, nesterov=True, decay=0.1),
    "rmsprop": lambda rate: optimizers.RMSprop(0.01 * rate),
    "adagrad": lambda rate: optimizers.Adagrad(0.01 * rate),
    "adadelta": lambda rate: optimizers.Adadelta(1.0 * rate),
    "adam": lambda rate: optimizers.Adam(0.01 * rate, decay=0.1),
    "adamax": lambda rate: optimizers.Adamax(0.01 * rate),
    "nadam": lambda rate: optimizers.Nadam(0.01 * rate),
}


@pytest.mark.parametrize("rule", RULES)
def test_each_layer_at_a_rate_of_its_own(rule):
    model = compiled(RULES[rule](1.0), lr_multipliers={"base": 0.5, "*_b": 0.25, "norm": 0})
    reference: Any = build()
    layers = {name: reference.layers[0].get_layer(name) for name in ("block1_a", "block1_b")}
    layers |= {name: reference.get_layer(name) for name in ("norm", "head")}
    # A method for each layer, whose rate is what the factor makes of it.
    methods = []
    for name, factor in (("block1_a", 0.5), ("block1_b", 0.25), ("norm", 0.0), ("head", 1.0)):
        methods.append(RULES[rule](factor))
        methods[-1].bind(layers[name].trainable_weights)
    reference.train()
    for _ in range(10):
        reference.zero_grad()
        (reference(torch.from_numpy(X)) - torch.from_numpy(Y)).square().mean().backward()
        for method in methods:
            method.step()
        model.train_on_batch(X, Y)
    for ours, theirs in zip(model.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6)


def test_wrapped_layers_have_rates_too():
    model: Any = Sequential([Bidirectional(SimpleRNN(2, name="inner"), input_shape=(3, 2), name="both")])
    model.compile("sgd", "mse", lr_multipliers={"both": 0.0})
    start = model.get_weights()
    model.fit(np.ones((4, 3, 2)), np.ones((4, 4)), nb_epoch=2, verbose=0)
    assert not any(changed(model, start))


def test_rates_change_without_loss_of_the_optimizers_memory():
    once, again = compiled("adam"), compiled("adam")
    for model in (once, again):
        model.train_on_batch(X, Y)
    again.compile(again.optimizer, "mse", lr_multipliers={"norm": 1.0})
    for model in (once, again):
        model.train_on_batch(X, Y)
    assert not any(changed(again, once.get_weights()))
    again.compile(again.optimizer, "mse", lr_multipliers={"*": 0.0})
    before = again.trainable_weights[0].numpy()
    again.train_on_batch(X, Y)
    np.testing.assert_array_equal(again.trainable_weights[0].numpy(), before)


def test_files_keep_rates_where_they_can(tmp_path, caplog):
    model = compiled("adam", lr_multipliers={"block1_*": 0.5})
    model.train_on_batch(X, Y)
    model.save(tmp_path / "net.bigdl")
    again: Any = Model.load(tmp_path / "net.bigdl")
    assert again.compiled.lr_multipliers == {"block1_*": 0.5}
    for each in (model, again):
        each.train_on_batch(X, Y)
    assert not any(changed(again, model.get_weights()))
    model.save(tmp_path / "net.h5")
    assert "is written as not compiled, as Keras 1.2.2 has no lr_multipliers" in caplog.text
    assert Model.load(tmp_path / "net.h5")._compiled is None


# BigDL's face.


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)])
def test_a_rate_and_a_decay_for_each_value(momentum, nesterov):
    torch.manual_seed(1)
    model: Any = Sequential([Dense(2, input_dim=4, name="only")])
    rng = np.random.RandomState(2)
    rates, decays = rng.rand(10), rng.rand(10)
    method = bigdl.SGD(
        0.5,
        momentum=momentum,
        nesterov=nesterov,
        dampening=0.0,
        learningrates=rates,
        weightdecays=JTensor.from_ndarray(decays),
    )
    w, b = (weight.astype("float64") for weight in model.get_weights())
    p, v = np.concatenate([w.ravel(), b]), np.zeros(10)
    for step in range(4):
        error = (X @ p[:8].reshape(4, 2) + p[8:] - Y) * 2 / Y.size
        g = np.concatenate([(X.T @ error).ravel(), error.sum(0)]) + decays * p
        v = g if step == 0 else momentum * v + g
        p = p - 0.5 * rates * (g + momentum * v if nesterov else v)
    bigdl.Optimizer(model, (X, Y), MSECriterion(), bigdl.MaxIteration(4), 20, method).optimize(verbose=0)
    np.testing.assert_allclose(np.concatenate([a.ravel() for a in model.get_weights()]), p, rtol=1e-4, atol=1e-6)


def test_as_many_rates_as_values():
    model: Any = Sequential([Dense(2, input_dim=4)])
    method = bigdl.SGD(learningrates=np.ones(9))
    with pytest.raises(
        DataError, match=r"rates must hold a number for each of the 10 values that are trained. Received: 9"
    ):
        bigdl.Optimizer(model, (X, Y), MSECriterion(), bigdl.MaxIteration(1), 20, method).optimize(verbose=0)


def test_the_example_runs(tmp_path, monkeypatch, capsys):
    (x_train, y_train), (x_test, y_test) = made_data.mnist()
    parts = {"train": (x_train[..., None], y_train), "test": (x_test[..., None], y_test)}
    monkeypatch.setattr(mnist, "read_data_sets", lambda folder, part: parts[part])
    monkeypatch.setattr(sys, "argv", ["fine_tuning.py", "--output", str(tmp_path), "--epochs", "1"])
    runpy.run_path(str(Path(__file__).parents[2] / "examples" / "fine_tuning.py"), run_name="__main__")
    lines = [line for line in capsys.readouterr().out.splitlines() if "accuracy" in line]
    assert [line.split(":")[0] for line in lines] == [
        "digits 0 to 4, as Keras 1.2.2 left it",
        "digits 5 to 9, with a new head",
        "digits 5 to 9, the head trained",
        "digits 5 to 9, all of it trained",
    ]
    assert (tmp_path / "digits_5_to_9.h5").exists()
