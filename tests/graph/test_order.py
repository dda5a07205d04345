"""In which order layers and their weights come: what decides how files are read by position."""

import json
from pathlib import Path

import numpy as np
import pytest

from bigdl.graph import Container, Input, SequentialContainer
from bigdl.layers import BatchNormalization, Dense, Merge, merge, settings
from bigdl.models import Model
from tests.golden_cases import CASES, Case

# Made by make_weight_orders.py with the real Keras 1.2.2.
ORDERS: dict[str, list[int]] = json.loads((Path(__file__).parent / "weight_orders.json").read_text())


@pytest.mark.parametrize("case", [case for case in CASES if case.name in ORDERS], ids=lambda case: case.name)
def test_get_weights_is_in_the_order_of_keras(case: Case):
    settings.set_image_dim_ordering(case.ordering)
    model = Model.load_keras(case.definition, case.weights)
    stored = [array for arrays in case.stored_weights() for array in arrays]
    expected = [stored[place] for place in ORDERS[case.name]]
    received = model.get_weights()
    assert [array.shape for array in received] == [array.shape for array in expected]
    assert all(np.array_equal(ours, theirs) for ours, theirs in zip(received, expected, strict=True))
    model.set_weights([2 * array for array in received])
    assert all(np.array_equal(a, 2 * b) for a, b in zip(model.get_weights(), received, strict=True))


def test_all_orders_are_checked():
    assert set(ORDERS) <= {case.name for case in CASES}


def names(model: Container) -> list[str]:
    return [layer.name for layer in model.layers]


def test_deepest_layers_come_first():
    x = Input((2,), name="x")
    short = Dense(2, name="short")(x)
    long = Dense(2, name="long_2")(Dense(2, name="long_1")(x))
    model = Container(x, merge([short, long], mode="sum", name="sum"))
    # "short" is one step from the sum, as "long_2" is, and is met first.
    assert names(model) == ["x", "long_1", "short", "long_2", "sum"]


def test_inputs_of_one_depth_come_in_the_order_of_the_walk():
    a, b = Input((2,), name="a"), Input((2,), name="b")
    model = Container([b, a], merge([Dense(2, name="of_a")(a), Dense(2, name="of_b")(b)], mode="sum", name="sum"))
    assert names(model) == ["a", "b", "of_a", "of_b", "sum"]
    assert [layer.name for layer in model.input_layers] == ["b", "a"]


def test_a_shared_layer_is_as_deep_as_its_deepest_call():
    x = Input((2,), name="x")
    shared, other = Dense(2, name="shared"), Dense(2, name="other")
    model = Container(x, merge([shared(x), other(shared(x))], mode="sum", name="sum"))
    assert names(model) == ["x", "shared", "other", "sum"]


def test_a_layer_applied_to_its_own_output():
    x = Input((2,), name="x")
    shared = Dense(2, name="shared")
    model = Container(x, shared(shared(x)))
    assert names(model) == ["x", "shared"]
    assert len(model.graph.nodes) == 3


def test_only_the_calls_that_count():
    x, y = Input((2,), name="x"), Input((2,), name="y")
    shared = Dense(2, name="shared")
    first, second = shared(x), shared(y)
    for tensor, source in ((first, x), (second, y)):
        config = Container(source, tensor).get_config()
        assert config["output_layers"] == [["shared", 0, 0]]


def test_weights_of_branches_come_before_the_rest():
    branches = [SequentialContainer([Dense(2, input_dim=3, name=name)]) for name in ("left", "right")]
    model = SequentialContainer([Merge(branches, mode="sum"), Dense(1, name="top")])
    assert [layer.name for layer in model.weight_layers] == ["left", "right", "top"]


def test_a_layer_of_two_branches_counts_once():
    shared = Dense(2, name="shared", input_dim=3)
    branch = SequentialContainer([shared])
    model = SequentialContainer([Merge([branch, branch], mode="sum"), Dense(1, name="top")])
    assert [layer.name for layer in model.weight_layers] == ["shared", "top"]


def test_frozen_weights_come_last_in_a_layer_and_in_a_model():
    x = Input((2,))
    inner = Container(x, BatchNormalization(name="b")(Dense(2, name="a")(x)))
    assert [f"{w.module.name}/{w.name}" for w in inner.weights] == [
        "a/W",
        "a/b",
        "b/gamma",
        "b/beta",
        "b/running_mean",
        "b/running_std",
    ]
    inner.get_layer("a").trainable = False
    assert [w.name for w in inner.weights] == ["gamma", "beta", "W", "b", "running_mean", "running_std"]
    assert [w.name for w in inner.listed_weights] == ["W", "b", "gamma", "beta", "running_mean", "running_std"]
