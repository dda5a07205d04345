"""Dense and the changes of shape beyond the goldens."""

import numpy as np
import pytest
import torch

from bigdl.errors import LayerError
from bigdl.graph import Input
from bigdl.layers import Activation, Dense, Flatten, Permute, RepeatVector, Reshape
from bigdl.layers.activations import ACTIVATIONS
from bigdl.registry import custom_object_scope, make_layer
from tests.layers.checks import assert_gradients, assert_round_trip, built


@pytest.mark.parametrize("name", ["softmax", "softplus", "softsign", "tanh", "sigmoid", "elu", "linear"])
def test_gradients_of_activations(name):
    assert_gradients(Activation(name), 4)


@pytest.mark.parametrize("layer", [Dense(3), Dense(2, activation="tanh", bias=False), Permute((2, 1)), Reshape((4, 3))])
def test_gradients(layer):
    assert_gradients(layer, 3, 4)


@pytest.mark.parametrize(
    "layer",
    [
        Dense(3, "he_normal", "relu", W_regularizer="l2", b_constraint="nonneg", input_dim=4),
        Dense(3, bias=False, trainable=False, input_shape=(3, 4)),
        Activation("hard_sigmoid"),
        Flatten(),
        Reshape((2, -1)),
        Permute((2, 1)),
    ],
)
def test_round_trip(layer):
    assert_round_trip(layer, 3, 4)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("softmax", lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
        ("softplus", lambda x: np.log1p(np.exp(x))),
        ("softsign", lambda x: x / (1 + np.abs(x))),
        ("hard_sigmoid", lambda x: np.clip(0.2 * x + 0.5, 0, 1)),
        ("elu", lambda x: np.where(x > 0, x, np.exp(x) - 1)),
    ],
)
def test_activations(name, function):
    x = np.linspace(-4, 4, 20).reshape(4, 5)
    np.testing.assert_allclose(ACTIVATIONS.get(name)(torch.from_numpy(x)), function(x), atol=1e-12)


def test_dense_over_the_last_axis():
    layer = built(Dense(3), 2, 4)
    W, b = layer.get_weights()
    x = np.random.default_rng(0).normal(size=(5, 2, 4)).astype("float32")
    np.testing.assert_allclose(layer(torch.from_numpy(x)).detach(), x @ W + b, rtol=1e-5)


def test_initial_weights_and_functions_as_arguments():
    W, b = np.eye(2), np.ones(2)
    layer = Dense(2, weights=[W, b], activation=torch.tanh, init=lambda shape: np.zeros(shape), input_dim=2)
    layer(Input((2,)))
    np.testing.assert_array_equal(layer.get_weights()[0], W)
    assert layer.get_config()["activation"] == "tanh"


def test_activations_of_the_user():
    with custom_object_scope({"swish": lambda x: x * x.sigmoid()}):
        layer = make_layer("Activation", {"activation": "swish"})
    assert layer(torch.zeros(1)).item() == 0


@pytest.mark.parametrize(
    ("layer", "shape", "reason"),
    [
        (Dense(3, name="a"), (None,), "whose last axis is known"),
        (Flatten(name="a"), (None, 4), "needs an input of fixed size"),
        (Flatten(name="a"), (4,), "needs an input of rank 3 or more"),
        (Reshape((3, 3), name="a"), (2, 4), r"8 values a sample, which target_shape=\(3, 3\) cannot hold"),
        (Reshape((-1, -1), name="a"), (2, 4), "cannot hold"),
        (Reshape((-1, 3), name="a"), (2, 4), "cannot hold"),
        (Permute((1,), name="a"), (2, 4), "is no order of the axes 1 to 2"),
        (Permute((0, 1), name="a"), (2, 4), "is no order of the axes 1 to 2"),
        (RepeatVector(2, name="a"), (2, 4), "expects an input of rank 2"),
        (Activation("softmax", name="a"), (2, 3, 4), "softmax is defined for tensors of rank 2 or 3"),
        (Dense(3, activation="softmax", name="a"), (2, 3, 4), "softmax is defined for tensors of rank 2 or 3"),
    ],
)
def test_inputs_that_do_not_fit(layer, shape, reason):
    with pytest.raises(LayerError, match=f"Layer 'a' .*{reason}"):
        layer(Input(shape))


def test_dense_keeps_the_length_that_it_was_built_for():
    layer = Dense(3, name="a")
    layer(Input((4,)))
    with pytest.raises(LayerError, match=r"Layer 'a' .* was built for inputs of length 4"):
        layer(Input((5,)))
