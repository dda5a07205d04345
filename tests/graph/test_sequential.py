"""Chains of layers: built, shortened, nested."""

import json
from typing import Any

import pytest
import torch

from bigdl.errors import LayerError
from bigdl.graph import Container, Input, InputLayer
from bigdl.layers import LSTM, Activation, Dense, Dropout, Flatten, Masking, Merge, Permute
from bigdl.models import Sequential


def names(model: Any) -> list[str]:
    return [layer.name for layer in model.layers]


@pytest.mark.parametrize(
    "first",
    [
        lambda: Dense(3, input_dim=2),
        lambda: Dense(3, input_shape=(2,)),
        lambda: Dense(3, batch_input_shape=(None, 2)),
        lambda: InputLayer(input_shape=(2,)),
        lambda: Sequential([Dense(3, input_dim=2)]),
        lambda: Container(*two_ends()),
        lambda: Merge([Sequential([Dense(3, input_dim=2)]), Sequential([Dense(3, input_dim=2)])], mode="sum"),
    ],
)
def test_first_layers(first):
    model = Sequential([first(), Dense(1)])
    inputs = [torch.ones(4, 2) for _ in model.inputs]
    assert model.output_shape == (None, 1)
    assert model(inputs).shape == (4, 1)


def two_ends() -> tuple[Any, Any]:
    x = Input((2,))
    return x, Dense(3)(x)


def test_layers_computed_one_after_the_other():
    model = Sequential([Dense(3, input_dim=2), Activation("tanh"), Dense(1)])
    x = torch.randn(4, 2)
    expected = model.layers[2](torch.tanh(model.layers[0](x)))
    assert torch.equal(model(x), expected)


def test_pop():
    model = Sequential([Dense(3, input_dim=2, name="a"), Dense(4, name="b"), Dense(5, name="c")])
    model.pop()
    assert (names(model), model.output_shape) == (["a", "b"], (None, 4))
    assert len(list(model.parameters())) == 4
    assert model(torch.ones(1, 2)).shape == (1, 4)
    model.add(Dense(2, name="c"))
    assert model(torch.ones(1, 2)).shape == (1, 2)
    for _ in range(3):
        model.pop()
    assert (names(model), model.inputs, model.outputs, model.weights) == ([], [], [], [])
    with pytest.raises(LayerError, match="has no layers to remove"):
        model.pop()
    model.add(Dense(7, input_dim=3))
    assert model.output_shape == (None, 7)


def test_a_new_head_on_a_popped_model_leaves_the_old_layer_alone():
    head = Dense(5)
    model = Sequential([Dense(3, input_dim=2), head])
    model.pop()
    assert head.inbound_nodes == []
    model.add(Dense(4))
    assert [w.shape for w in model.weights] == [(2, 3), (3,), (3, 4), (4,)]


def test_a_changed_inner_model_is_not_what_was_applied():
    inner = Sequential([Dense(3, input_dim=2), Dense(4)])
    assert inner(Input((2,))).shape == (None, 4)
    inner.pop()
    assert inner(Input((2,))).shape == (None, 3)


def test_a_layer_applied_twice_in_a_row():
    shared = Dense(2, input_dim=2, name="shared")
    model = Sequential([shared, shared])
    x = torch.randn(3, 2)
    assert torch.equal(model(x), shared(shared(x)))
    assert len(model.weights) == 2


@pytest.mark.parametrize(
    ("layers", "reason"),
    [
        (lambda: [Dense(3, name="a")], "its first layer, 'a' .Dense., must be given input_shape or batch_input_shape"),
        (lambda: ["Dense"], "only layers can be added. Received: 'Dense'"),
        (lambda: [Container(Input((2,), name="x"), [Input((2,)), Input((2,))])], "which is not among its inputs"),
        (lambda: [Dense(3, input_dim=2), two_outputs()], "has 2 outputs; the layers of a Sequential have one"),
    ],
)
def test_layers_that_cannot_be_added(layers, reason):
    with pytest.raises(LayerError, match=reason):
        Sequential(layers())


def two_outputs() -> Any:
    x = Input((3,))
    return Container(x, [Dense(2)(x), Dense(2)(x)])


@pytest.mark.parametrize("wrong", [two_outputs, lambda: Flatten(), lambda: Permute((2, 1))])
def test_nothing_is_left_of_a_layer_that_does_not_fit(wrong):
    model = Sequential([Dense(3, input_dim=2)])
    with pytest.raises(LayerError):
        model.add(wrong())
    assert len(model.layers) == 1
    assert len(list(model.parameters())) == 2
    assert model(torch.ones(1, 2)).shape == (1, 3)


def test_configuration():
    model = Sequential([Dense(3, input_dim=2, name="a"), Sequential([Dropout(0.5, input_shape=(3,), name="b")])])
    config = json.loads(json.dumps(model.get_config()))
    assert [entry["class_name"] for entry in config] == ["Dense", "Sequential"]
    assert config[0]["config"]["batch_input_shape"] == [None, 2]
    again = Sequential.from_config(config)
    assert json.loads(json.dumps(again.get_config())) == config


def test_masks_come_out_of_a_chain_but_do_not_go_in():
    inner = Sequential([Masking(input_shape=(3, 2)), LSTM(4, return_sequences=True)])
    assert inner(Input((3, 2))).mask == "uint8"
    with pytest.raises(LayerError, match=f"Model '{inner.name}' does not support masking"):
        inner(Masking()(Input((3, 2))))


def test_a_long_chain():
    model = Sequential([Activation("tanh", input_shape=(2,)), *(Activation("tanh") for _ in range(2000))])
    assert model(torch.zeros(1, 2)).tolist() == [[0, 0]]
    assert len(Sequential.from_config(model.get_config()).layers) == 2001
