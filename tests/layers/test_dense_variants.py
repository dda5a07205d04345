"""MaxoutDense, Highway and ActivityRegularization beyond the goldens."""

import numpy as np
import pytest
import torch

from bigdl.errors import LayerError
from bigdl.graph import Container, Input
from bigdl.layers import ActivityRegularization, Highway, Masking, MaxoutDense
from tests.layers.checks import assert_gradients, assert_round_trip, built


@pytest.mark.parametrize(
    "layer", [MaxoutDense(3), MaxoutDense(2, 5, bias=False), Highway(activation="tanh"), Highway()]
)
def test_gradients(layer):
    assert_gradients(layer, 4)


@pytest.mark.parametrize(
    "layer",
    [
        MaxoutDense(3, 2, init="normal", W_regularizer="l2", b_constraint="nonneg", activity_regularizer="l1"),
        MaxoutDense(3, input_dim=4),
        Highway("he_normal", "relu", W_constraint="maxnorm", b_regularizer="l1l2"),
        Highway(bias=False, input_dim=4),
        ActivityRegularization(0.1, 0.2),
    ],
)
def test_round_trip(layer):
    assert_round_trip(layer, 4)


def test_maxout():
    layer = built(MaxoutDense(3, 2), 4)
    W, b = layer.get_weights()
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    np.testing.assert_allclose(
        layer(torch.from_numpy(x)).detach(), (np.einsum("bi,kio->bko", x, W) + b).max(1), rtol=1e-5
    )
    assert "activation" not in layer.get_config()


def test_highway():
    layer = built(Highway(activation="relu"), 4)
    W, W_carry, b, b_carry = layer.get_weights()
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    gate = 1 / (1 + np.exp(-(x @ W_carry + b_carry)))
    expected = gate * np.maximum(x @ W + b, 0) + (1 - gate) * x
    np.testing.assert_allclose(layer(torch.from_numpy(x)).detach(), expected, rtol=1e-5)


def test_the_gate_of_a_highway_is_open_at_first():
    layer = Highway(input_dim=3)
    layer.ensure_built((None, 3))
    _, _, b, b_carry = layer.get_weights()
    assert b.tolist() == [0, 0, 0]
    assert b_carry.tolist() == [1, 1, 1]


def test_the_bias_that_older_files_give_a_highway_is_ignored():
    assert "transform_bias" not in Highway(transform_bias=-2).get_config()


@pytest.mark.parametrize("layer", [MaxoutDense(3, name="a"), Highway(name="a")])
def test_only_vectors(layer):
    with pytest.raises(LayerError, match=r"Layer 'a' .* expects an input of rank 2"):
        layer(Input((3, 4)))
    with pytest.raises(LayerError, match=r"Layer 'a' .* whose last axis is known"):
        layer(Input((None,)))


def test_penalty_of_activity_is_that_of_the_whole_batch():
    layer = ActivityRegularization(l1=0.1, l2=0.01)
    x = Input((4, 2))
    model = Container(x, layer(Masking()(x)))
    data = torch.randn(3, 4, 2)
    torch.testing.assert_close(model(data), data)
    expected = 0.1 * data.abs().sum() + 0.01 * data.square().sum()
    torch.testing.assert_close(layer.activity_losses, [expected])
