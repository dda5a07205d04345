"""Recurrent layers that users wrote step by step, beside SimpleRNN, which is compared with Keras's own."""

import json
from typing import Any

import numpy as np
import pytest

from bigdl.errors import LayerError
from bigdl.keras import backend as K
from bigdl.keras.layers import GRU, LSTM, Dense, Flatten, Masking, Recurrent, SimpleRNN
from bigdl.keras.models import Sequential, model_from_json

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 5, 3)).astype("float32")
X[1, 3:] = 0
Y = RNG.normal(size=(4, 2))


class Own(Recurrent):
    """SimpleRNN as a user would write it."""

    def __init__(self, output_dim, **kwargs):
        self.output_dim = output_dim
        super().__init__(**kwargs)

    def build(self, input_shape):
        self.W = self.add_weight((input_shape[2], self.output_dim), "glorot_uniform", name=f"{self.name}_W")
        self.U = self.add_weight((self.output_dim, self.output_dim), "orthogonal", name=f"{self.name}_U")
        self.b = self.add_weight((self.output_dim,), "zero", name=f"{self.name}_b")
        self.rows = input_shape[0]
        self.reset_states()
        self.built = True

    def reset_states(self):
        self.states = [K.zeros((self.rows, self.output_dim))] if self.stateful else [None]

    def preprocess_input(self, x):
        return K.dot(x, self.W)

    def get_constants(self, x):
        return [self.b]

    def step(self, x, states):
        h, b = states
        x += K.dot(h, self.U)
        return K.tanh(x + b), [K.tanh(x + b)]

    def get_config(self):
        return {**super().get_config(), "output_dim": self.output_dim}


def trained(layer: type, masked: bool, **options: Any) -> Any:
    shape: dict[str, Any] = {"batch_input_shape": (4, 5, 3)}
    first: list[Any] = [Masking(**shape)] if masked else []
    model = Sequential([*first, layer(2, **({} if masked else shape), **options)])
    if options.get("return_sequences"):
        model.add(SimpleRNN(2) if masked else Flatten())
        model.add(Dense(2))
    rng = np.random.default_rng(1)
    model.set_weights([rng.normal(0, 0.5, w.shape) for w in model.get_weights()])
    model.compile("adam", "mse")
    return model, [model.train_on_batch(X, Y) for _ in range(4)], model.predict(X)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize(
    "options",
    [{}, {"go_backwards": True}, {"return_sequences": True}, {"stateful": True}, {"unroll": True, "stateful": True}],
)
def test_a_layer_of_steps(options: dict[str, Any], masked: bool) -> None:
    model, losses, outputs = trained(Own, masked, **options)
    other, expected_losses, expected = trained(SimpleRNN, masked, **options)
    np.testing.assert_allclose(losses, expected_losses, rtol=1e-6)
    np.testing.assert_allclose(outputs, expected, rtol=1e-5, atol=1e-6)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    model.reset_states()
    twin = model_from_json(model.to_json(), {"Own": Own})
    twin.set_weights(model.get_weights())
    np.testing.assert_allclose(twin.predict(X), model.predict(X), rtol=1e-6)


def test_configuration_is_keras_s() -> None:
    config = Own(2, input_dim=3, input_length=5, return_sequences=True, name="own").get_config()
    assert json.loads(json.dumps(config)) == {
        "name": "own",
        "trainable": True,
        "batch_input_shape": [None, 5, 3],
        "input_dtype": "float32",
        "return_sequences": True,
        "go_backwards": False,
        "stateful": False,
        "unroll": False,
        "consume_less": "cpu",
        "input_dim": 3,
        "input_length": 5,
        "output_dim": 2,
    }


def test_the_librarys_recurrent_layers_count_as_recurrent() -> None:
    assert isinstance(LSTM(2), Recurrent)
    assert issubclass(GRU, Recurrent)
    assert not isinstance(Dense(2), Recurrent)
    assert not isinstance(LSTM(2), Own)


def test_a_step_that_would_never_be_called_is_refused() -> None:
    with pytest.raises(LayerError, match=r"'Attention' defines step, which LSTM never calls: .*Derive from"):

        class Attention(LSTM):
            def step(self, x: Any, states: Any) -> Any:
                return x, states


def test_a_layer_without_a_step() -> None:
    class Empty(Recurrent):
        output_dim = 2

    with pytest.raises(LayerError, match=r"\(Empty\): a recurrent layer needs step"):
        Sequential([Empty(input_shape=(5, 3))]).predict(X)
