"""Graphs of layers: built, asked, applied again, run, copied."""

import copy
import json
import pickle
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from bigdl.errors import DataError, LayerError, WeightMismatchError
from bigdl.graph import Container, Input, InputLayer
from bigdl.layers import Activation, Dense, Lambda, Merge, merge
from bigdl.models import Model, Sequential


def chain(length: int) -> Any:
    x = y = Input((2,))
    for _ in range(length):
        y = Activation("tanh")(y)
    return Model(x, y)


def two_to_two() -> Any:
    """(a, b) -> (a W, a W + b)"""
    a, b = Input((2,), name="a"), Input((3,), name="b")
    hidden = Dense(3, name="hidden")(a)
    return Model([a, b], [hidden, merge([hidden, b], mode="sum", name="sum")])


def test_shapes_and_names():
    model = two_to_two()
    assert model.input_shape == [(None, 2), (None, 3)]
    assert model.output_shape == [(None, 3), (None, 3)]
    assert (model.input_names, model.output_names) == (["a", "b"], ["hidden", "sum"])


def test_inputs_one_by_one_or_as_a_list():
    model = two_to_two()
    a, b = torch.ones(4, 2), torch.ones(4, 3)
    assert all(torch.equal(x, y) for x, y in zip(model(a, b), model([a, b]), strict=True))
    with pytest.raises(DataError, match=r"takes 2 inputs \(a, b\). Received: 1"):
        model(a)


def test_layers_by_name_and_place():
    model = two_to_two()
    assert model.get_layer("sum") is model.get_layer(index=-1)
    with pytest.raises(LayerError, match=r"has no layer named 'other'\. Its layers: a, .*sum\."):
        model.get_layer("other")
    with pytest.raises(LayerError, match=r"has 4 layers\. Received: index=4"):
        model.get_layer(index=4)


def test_an_input_may_be_an_output():
    x = Input((2,))
    y = Dense(2)(x)
    model = Container(x, [x, y, y])
    data = torch.randn(3, 2)
    same, first, second = model(data)
    assert same is data
    assert first is second


def test_a_model_may_start_inside_a_graph_only_at_inputs():
    x = Input((2,))
    y = Dense(2)(x)
    with pytest.raises(LayerError, match="its inputs must come from Input"):
        Container(y, Dense(2)(y))
    with pytest.raises(LayerError, match="an input is given more than once"):
        Container([x, x], y)


def test_outputs_that_cannot_be_computed():
    x, other = Input((2,), name="x"), Input((2,), name="other")
    with pytest.raises(LayerError, match=r"depend on 'other' \(InputLayer\), which is not among its inputs"):
        Container(x, merge([x, other], mode="sum"))


def test_two_layers_of_one_name():
    x = Input((2,))
    with pytest.raises(LayerError, match="the layer name 'twin' is used more than once"):
        Container(x, Dense(2, name="twin")(Dense(2, name="twin")(x)))


def test_the_same_weights_wherever_a_layer_is_applied():
    a, b = Input((2,)), Input((2,))
    shared = Dense(3)
    model = Container([a, b], [shared(a), shared(b)])
    assert len(model.weights) == 2
    data = torch.randn(4, 2)
    first, second = model(data, data)
    assert torch.equal(first, second)


def test_a_layer_keeps_the_shape_that_it_was_built_for():
    shared = Dense(3, name="shared")
    shared(Input((2,)))
    with pytest.raises(LayerError, match=r"'shared' .* built for inputs of length 2"):
        shared(Input((5,)))


def test_an_inner_model_applied_twice():
    x = Input((2,))
    inner = two_to_two()
    b = Input((3,))
    first, second = inner([x, b])
    again, _ = inner([x, second])
    model = Model([x, b], [first, again])
    assert len(model.weights) == 2
    config = model.get_config()
    calls = next(layer["inbound_nodes"] for layer in config["layers"] if layer["name"] == inner.name)
    assert [[ref[1] for ref in call] for call in calls] == [[0, 0], [0, 1]]
    assert [ref[1] for ref in config["output_layers"]] == [1, 2]
    data = torch.randn(4, 2), torch.randn(4, 3)
    hidden, _ = inner(*data)
    torch.testing.assert_close(model(*data), [hidden, hidden])


@pytest.mark.parametrize("shapes", [[(2,)], [(2,), (3,), (3,)]])
def test_an_inner_model_needs_all_its_inputs(shapes):
    with pytest.raises(LayerError, match=r"takes 2 inputs\. Received"):
        two_to_two()([Input(shape) for shape in shapes])


def test_an_inner_model_of_other_sizes():
    x = Input((None, 2))
    inner = Container(x, Lambda(lambda t: t * 2)(Dense(3)(x)))
    assert inner(Input((5, 2))).shape == (None, 5, 3)
    with pytest.raises(LayerError, match="built for inputs of length 2"):
        inner(Input((5, 4)))


def test_thousands_of_layers():
    model = chain(2000)
    x = torch.zeros(1, 2)
    assert torch.equal(model(x), x)
    again = Model.from_config(json.loads(model.to_json())["config"])
    assert len(again.layers) == 2001
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), again):
        assert torch.equal(twin(x), x)


def test_exponentially_many_paths():
    x = y = Input((2,))
    for _ in range(200):
        y = merge([Activation("tanh")(y), y], mode="ave")
    assert len(Container(x, y).layers) == 401


def test_a_copy_shares_nothing():
    model = two_to_two()
    twin = copy.deepcopy(model)
    twin.set_weights([array + 1 for array in model.get_weights()])
    assert not any((a == b).any() for a, b in zip(model.get_weights(), twin.get_weights(), strict=True))


def test_weights_of_another_number_or_shape():
    model = two_to_two()
    W, b = model.get_weights()
    with pytest.raises(WeightMismatchError, match=r"expects 2 arrays \(W\(2, 3\), b\(3,\)\). Received: 1"):
        model.set_weights([W])
    with pytest.raises(WeightMismatchError, match=r"array 'hidden_b' must have shape \(3,\). Received: \(2,\)"):
        model.set_weights([W + 1, b[:2]])
    assert (model.get_weights()[0] == W).all()


def test_a_module_of_torch():
    model = two_to_two()
    assert [name for name, _ in model.named_parameters()] == ["hidden.weight", "hidden.bias"]
    twin = two_to_two()
    twin.load_state_dict(model.state_dict())
    assert all((a == b).all() for a, b in zip(model.get_weights(), twin.get_weights(), strict=True))
    assert model.double()(torch.ones(1, 2).double(), torch.ones(1, 3).double())[0].dtype == torch.float64


@pytest.mark.parametrize("name", ["training", "layers", "weight", "a.b", "a/b", "graph"])
def test_any_name_of_a_layer(name):
    x = Input((2,))
    model = Model(x, Dense(2, name=name)(x))
    assert model.get_layer(name).name == name
    assert len(list(model.parameters())) == 2
    assert len(model.layers) == 2
    assert model(torch.ones(1, 2)).shape == (1, 2)


def test_values_that_nobody_needs_are_dropped():
    assert [step.done for step in chain(5).graph.plan.steps] == [(i,) for i in range(5)]
    x = Input((2,))
    kept = Activation("tanh")(x)
    model = Container(x, [kept, Activation("tanh")(merge([kept, x], mode="sum"))])
    assert [step.done for step in model.graph.plan.steps] == [(), (0,), (2,)]


def test_frozen_models_have_no_weights_to_train():
    inner = Sequential([Dense(2, input_dim=2)])
    outer = Sequential([inner, Dense(1)])
    inner.trainable = False
    assert len(outer.trainable_weights) == 2
    assert [p.requires_grad for p in outer.parameters()] == [False, False, True, True]
    outer.trainable = False
    assert outer.trainable_weights == []
    assert not any(p.requires_grad for p in outer.parameters())
    outer.trainable = True
    assert [p.requires_grad for p in outer.parameters()] == [False, False, True, True]


def test_an_entry_needs_a_shape():
    with pytest.raises(LayerError, match="needs input_shape or batch_input_shape"):
        InputLayer(name="x")
    assert Input(batch_shape=(4, None, 2), dtype="int32").dtype == "int32"


# Random graphs


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Any, list[Any]]:
    """A model of vectors of three with shared layers, and its steps as (layer, places of its inputs)."""
    shared = [Dense(3), Activation("tanh"), Sequential([Dense(3, input_dim=3), Activation("sigmoid")])]
    tensors: list[Any] = [Input((3,)) for _ in range(draw(st.integers(1, 3)))]
    entries = list(tensors)
    steps: list[Any] = []
    for _ in range(draw(st.integers(1, 12))):
        places = draw(st.lists(st.integers(0, len(tensors) - 1), min_size=1, max_size=3))
        layer = draw(st.sampled_from(shared)) if len(places) == 1 else Merge(mode=draw(st.sampled_from(["sum", "max"])))
        tensors.append(layer([tensors[i] for i in places] if len(places) > 1 else tensors[places[0]]))
        steps.append((layer, places))
    outputs = draw(st.lists(st.integers(0, len(tensors) - 1), min_size=1, max_size=3))
    wanted = {*outputs}
    for i in reversed(range(len(steps))):
        if len(entries) + i in wanted:
            wanted |= {*steps[i][1]}
    used = [i for i in range(len(entries)) if i in wanted]
    return Model([entries[i] for i in used], [tensors[i] for i in outputs]), [len(entries), used, steps, outputs]


@given(graphs())
@hypothesis_settings(max_examples=60, deadline=None)
def test_random_graphs(drawn):
    model, (count, used, steps, outputs) = drawn
    data = [torch.randn(2, 3) for _ in range(count)]
    with torch.no_grad():
        values = list(data)
        for layer, places in steps:
            values.append(layer([values[i] for i in places] if len(places) > 1 else values[places[0]]))
        expected = [values[i] for i in outputs]
        received = model([data[i] for i in used])
        received = received if isinstance(received, list) else [received]
        assert all(torch.equal(a, b) for a, b in zip(received, expected, strict=True))
        again = Model.from_config(json.loads(model.to_json())["config"])
        again.set_weights(model.get_weights())
        repeated = again([data[i] for i in used])
        repeated = repeated if isinstance(repeated, list) else [repeated]
        assert all(torch.equal(a, b) for a, b in zip(repeated, expected, strict=True))
        assert json.loads(again.to_json()) == json.loads(model.to_json())
