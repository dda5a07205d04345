"""Functions that users wrote for Keras: TensorFlow's tensors never change, and stand beside NumPy's arrays."""

from typing import Any

import numpy as np
import pytest
import torch

from bigdl.keras import backend as K
from bigdl.keras.engine.topology import Layer
from bigdl.keras.layers import Dense, Input, Lambda, merge
from bigdl.keras.models import Model, Sequential
from bigdl.keras.regularizers import Regularizer

MEAN = np.array([123.68, 116.779, 103.939])
X = np.arange(12, dtype=np.float32).reshape(4, 3)


def in_place(x: Any) -> Any:
    x -= 100.0
    x /= 2.0
    return x


def test_a_function_that_computes_in_place_leaves_its_input_alone() -> None:
    image = Input((3,))
    model = Model(image, [Lambda(in_place)(image), Lambda(lambda x: x * 1)(image)])
    given = X.copy()
    for _ in range(2):
        halved, same = model.predict(given)
        np.testing.assert_array_equal(halved, (X - 100) / 2)
        np.testing.assert_array_equal(same, X)
    np.testing.assert_array_equal(given, X)


def test_a_loss_that_computes_in_place_leaves_the_output_for_the_metrics() -> None:
    def weighted_crossentropy(y_true: Any, y_pred: Any) -> Any:
        y_pred /= K.sum(y_pred, axis=-1, keepdims=True)
        y_pred = K.clip(y_pred, K.epsilon(), 1 - K.epsilon())
        return -K.sum(y_true * K.log(y_pred) * np.array([1.0, 2.0]), -1)

    model = Sequential([Dense(2, input_dim=3, weights=[np.full((3, 2), 0.5), np.ones(2)])])
    model.compile("sgd", weighted_crossentropy, metrics=["mse"])
    x, y = np.ones((4, 3)), np.tile([0.0, 1.0], (4, 1))
    # By hand: the output is 2.5 twice, so the loss is -2 log(1/2) and the error (2.5^2 + 1.5^2) / 2.
    np.testing.assert_allclose(model.train_on_batch(x, y), [-2 * np.log(0.5), 4.25], rtol=1e-6)


@pytest.mark.parametrize("sign", [1, -1])
def test_arrays_stand_on_either_side_and_slices_run_backwards(sign: int) -> None:
    def vgg_preprocess(x: Any) -> Any:
        x = x - MEAN if sign == 1 else -(MEAN - x)
        return x[:, ::-1]

    first = Dense(3, input_dim=3, weights=[np.eye(3), np.zeros(3)])
    model = Sequential([first, Lambda(vgg_preprocess)])
    np.testing.assert_allclose(model.predict(X), (X - MEAN)[:, ::-1], rtol=1e-6)
    model.compile("sgd", "mse")
    model.train_on_batch(X, X)


def test_a_layer_computes_with_its_weights_in_place() -> None:
    class Shares(Layer):
        def build(self, input_shape: Any) -> None:
            self.w = self.add_weight((input_shape[-1],), "one", name="w")
            self.built = True

        def call(self, x: Any, mask: Any = None) -> Any:
            shares = K.exp(self.w)
            shares /= K.sum(shares)
            x *= shares
            assert x.get_shape().as_list() == [4, 3]
            return x

    model = Sequential([Shares(input_shape=(3,))])
    np.testing.assert_allclose(model.predict(X), X / 3, rtol=1e-6)
    model.compile("sgd", "mse")
    model.train_on_batch(X, X)


def test_an_activation_and_a_merge_compute_in_place() -> None:
    def swish(x: Any) -> Any:
        gate = K.sigmoid(x)
        gate *= x
        return gate

    def total(xs: Any) -> Any:
        first = xs[0]
        first += xs[1]
        return first

    a, b = Input((3,)), Input((3,))
    hidden = Dense(3, weights=[np.eye(3), np.zeros(3)], activation=swish)
    model = Model([a, b], merge([hidden(a), b], mode=total, output_shape=(3,)))
    swished = X / (1 + np.exp(-X))
    np.testing.assert_allclose(model.predict([X, X]), swished + X, rtol=1e-6)
    model.compile("sgd", "mse")
    model.train_on_batch([X, X], X)
    assert hidden.get_config()["activation"] == "swish"


def test_a_penalty_multiplies_by_an_array_of_one_value_as_those_of_keras_do() -> None:
    class Quartic(Regularizer):
        def __init__(self, k: float) -> None:
            self.k = K.cast_to_floatx(k)

        def __call__(self, x: Any) -> Any:
            return self.k * K.sum(K.pow(x, 4))

    layer = Dense(2, input_dim=3, weights=[np.full((3, 2), 2.0), np.zeros(2)], W_regularizer=Quartic(0.5))
    model = Sequential([layer])
    model.compile("sgd", "mse")
    np.testing.assert_allclose(model.test_on_batch(X, model.predict(X)), 0.5 * 6 * 16, rtol=1e-6)


def test_what_comes_out_is_an_ordinary_tensor() -> None:
    model = Sequential([Lambda(lambda x: x + MEAN, input_shape=(3,))])
    assert type(model(torch.ones(1, 3))) is torch.Tensor


def test_tensors_of_a_graph_slice_backwards_too() -> None:
    image = Input((3,))
    (turned,) = K.function([image], [image[:, ::-1]])([X])
    np.testing.assert_array_equal(turned, X[:, ::-1])
