"""What layers and models tell of their calls, and what scripts change of it."""

import gc

import numpy as np
import pytest

from bigdl.errors import LayerError
from bigdl.graph import Input
from bigdl.layers import Dense, merge
from bigdl.models import Model, Sequential

X = np.random.default_rng(0).random((5, 4))


def test_one_call():
    a = Input(shape=(4,))
    layer = Dense(2)
    b = layer(a)
    assert layer.input is a
    assert layer.output is b
    assert (layer.input_shape, layer.output_shape) == ((None, 4), (None, 2))
    assert (layer.input_mask, layer.output_mask) == (None, None)
    (node,) = layer.inbound_nodes
    assert (node.outbound_layer, node.inbound_layers) == (layer, [a.layer])
    assert (node.node_indices, node.tensor_indices) == ([0], [0])
    assert (node.input_tensors, node.output_tensors) == ([a], [b])
    assert (node.input_shapes, node.output_shapes) == ([(None, 4)], [(None, 2)])
    assert (node.input_masks, node.output_masks) == ([None], [None])
    assert a.layer.inbound_nodes[0].input_tensors == [a]


def test_two_calls():
    a, b = Input(shape=(4,)), Input(shape=(4,))
    layer = Dense(2)
    c, d = layer(a), layer(b)
    assert layer.get_input_at(1) is b
    assert layer.get_output_at(0) is c
    assert layer.get_output_at(-1) is d
    assert layer.get_input_shape_at(0) == layer.input_shape == (None, 4)
    assert layer.get_output_shape_at(1) == (None, 2)
    assert layer.get_input_mask_at(0) is layer.get_output_mask_at(0) is None
    for name in ("input", "output", "input_mask", "output_mask"):
        with pytest.raises(LayerError, match=f"called 2 times, so that its {name} is not defined"):
            getattr(layer, name)
    with pytest.raises(LayerError, match=r"called 2 times\. Received: the output of call 2"):
        layer.get_output_at(2)


def test_calls_of_other_shapes():
    layer = Dense(2)
    layer(Input(shape=(4,)))
    layer(Input(shape=(3, 4)))
    with pytest.raises(LayerError, match="output_shape is not defined"):
        layer.output_shape  # noqa: B018
    with pytest.raises(LayerError, match="called 0 times"):
        Dense(2).input  # noqa: B018


def test_several_inputs():
    a, b = Input(shape=(4,)), Input(shape=(4,))
    joined = merge([a, b], mode="sum")
    layer = joined.layer
    assert layer.input == [a, b]
    assert layer.input_shape == [(None, 4), (None, 4)]


def test_followers():
    a = Input(shape=(4,))
    layer = Dense(2)
    b = layer(a)
    assert layer.outbound_nodes == []
    c = Dense(3)(b)
    assert layer.outbound_nodes == [c.node]
    layer.outbound_nodes = []
    assert layer.outbound_nodes == []
    d = Dense(3)(b)
    assert layer.outbound_nodes == [d.node]
    del d
    gc.collect()
    assert layer.outbound_nodes == []


def test_models_tell_of_inputs_and_outputs():
    a, b = Input(shape=(4,), name="a"), Input(shape=(4,), name="b")
    dense = Dense(2, name="c")
    dense(a)
    model = Model([a, b], [dense(b), merge([a, b], mode="sum", name="d")])
    assert model.input_names == ["a", "b"]
    assert model.output_names == ["c", "d"]
    assert [layer.name for layer in model.output_layers] == ["c", "d"]
    assert model.output_layers_node_indices == [1, 0]
    assert model.output_layers_tensor_indices == model.input_layers_tensor_indices == [0, 0]
    assert model.input_layers_node_indices == [0, 0]
    assert model.input_shape == [(None, 4), (None, 4)]
    assert model.output_shape == [(None, 2), (None, 4)]
    assert model.input == [a, b]
    assert model.compute_mask([a, b], [None, None]) == [None, None]
    assert model.compute_mask([a, b]) == [None, None]


def test_outputs_can_be_cut_off():
    a = Input(shape=(4,))
    hidden = Dense(3)(a)
    model = Model(a, Dense(2)(hidden))
    kernel, bias = model.get_weights()[:2]
    model.outputs = [hidden]
    assert len(model.layers) == 2
    assert model.output_shape == (None, 3)
    assert model.output is hidden
    np.testing.assert_allclose(model.predict(X), X @ kernel + bias, rtol=1e-5)


def test_a_chain_is_its_own_model():
    model = Sequential([Dense(2, input_dim=4)])
    assert model.model is model
    model.build()
    assert model.count_params() == 10
    assert Sequential([model]).layers[0].input_shape == (None, 4)
