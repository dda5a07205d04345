"""Computing with tensors of a graph, and Keras's functions of graphs."""

from typing import Any

import numpy as np
import pytest
import torch

from bigdl.errors import LayerError
from bigdl.graph import Input
from bigdl.keras import backend, objectives
from bigdl.layers import Dense, Dropout, activations, merge
from bigdl.models import Model, Sequential

K: Any = backend  # of torch tensors and of tensors of a graph alike
RNG = np.random.default_rng(1)
X = RNG.random((6, 4)).astype("float32")
OPERATIONS = {
    "sum": (lambda x: 1 + x - 2 * x / 3, lambda x: 1 + x - 2 * x / 3),
    "reflected": (lambda x: 1 - x + 2 / (x + 1) + 2**x, lambda x: 1 - x + 2 / (x + 1) + 2**x),
    "powers": (lambda x: -(x**2) + abs(x - 0.5), lambda x: -(x**2) + abs(x - 0.5)),
    "parts": (lambda x: x[:, 1:3], lambda x: x[:, 1:3]),
    "arrays": (lambda x: np.arange(4.0) * x + np.float32(2), lambda x: np.arange(4.0) * x + 2),
    "tensors": (lambda x: torch.arange(4.0) * x, lambda x: np.arange(4.0) * x),
    "methods": (lambda x: x.exp().sum(1), lambda x: np.exp(x).sum(1)),
    "torch": (lambda x: torch.cat([torch.relu(x - 0.5), x], 1), lambda x: np.hstack([np.maximum(x - 0.5, 0), x])),
    "backend": (lambda x: K.mean(K.square(x), axis=-1, keepdims=True), lambda x: (x**2).mean(-1, keepdims=True)),
    "comparison": (lambda x: K.cast(K.greater(x, 0.5), "float32"), lambda x: (x > 0.5).astype("float32")),
    "floors": (lambda x: (x * 10) // 3 + (x * 10) % 3, lambda x: (x * 10) // 3 + (x * 10) % 3),
    "products": (lambda x: x @ np.ones((4, 2)), lambda x: x @ np.ones((4, 2))),
    "softmax": (activations.softmax, lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True)),
    "whole": (lambda x: K.sum(x), lambda x: x.sum()),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations(name):
    symbolic, numeric = OPERATIONS[name]
    x = K.placeholder(shape=(None, 4))
    y = symbolic(x)
    expected = numeric(X)
    assert len(y.shape) == expected.ndim
    assert all(n is None or n == m for n, m in zip(y.shape, expected.shape, strict=True))
    np.testing.assert_allclose(K.function([x], [y])([X])[0], expected, rtol=1e-5)


def test_what_a_tensor_of_a_graph_tells():
    x = K.placeholder(ndim=3)
    assert (K.ndim(x), K.int_shape(x), K.dtype(x), x.ndim, x.dim()) == (3, (None,) * 3, "float32", 3, 3)
    assert K.is_keras_tensor(x)
    assert not K.is_keras_tensor(torch.zeros(1))
    assert K.dtype(K.equal(x, 0.0)) == "bool"
    assert x != K.placeholder(ndim=3)
    assert x._keras_shape == (None, None, None)
    assert x._keras_history[1:] == (0, 0)
    with pytest.raises(AttributeError, match="no attribute 'colour'"):
        x.colour  # noqa: B018
    with pytest.raises(LayerError, match=r"K\.function"):
        K.eval(x)
    with pytest.raises(LayerError, match="shape or ndim"):
        K.placeholder()


def test_impossible_operations():
    with pytest.raises(LayerError, match="cannot be applied to tensors of the shapes"):
        Input(shape=(3,)) + torch.zeros(5)


def test_operations_inside_a_model_cannot_be_saved():
    x = Input(shape=(4,))
    model = Model(x, Dense(2)(K.square(x)))
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(model.predict(X), X**2 @ kernel + bias, rtol=1e-5)
    with pytest.raises(LayerError, match="Put it into a Lambda layer"):
        model.to_json()


def test_functions_between_layers():
    model = Sequential([Dense(5, input_dim=4), Dropout(0.5), Dense(2)])
    inside = K.function([model.layers[1].input, K.learning_phase()], [model.output, model.layers[1].output])
    hidden = RNG.random((6, 5)).astype("float32")
    kernel, bias = model.layers[2].get_weights()
    np.testing.assert_allclose(inside([hidden, 0])[0], hidden @ kernel + bias, rtol=1e-5)
    dropped = inside([hidden, 1])[1]
    assert ((dropped == 0) | np.isclose(dropped, 2 * hidden)).all()
    assert (dropped == 0).any()
    assert all(bool(layer.training) for layer in model.layers)


def test_function_checks_its_inputs():
    x = K.placeholder(shape=(None, 4))
    with pytest.raises(LayerError, match="as a list"):
        K.function(x, [x])
    with pytest.raises(LayerError, match="takes 1 inputs"):
        K.function([x], [x + 1])([])
    with pytest.raises(LayerError, match="not among its inputs"):
        K.function([x], [x + Input(shape=(4,))])


def test_updates():
    x, total = K.placeholder(shape=(None, 4)), K.zeros((4,))
    count = K.function([x], [K.sum(x)], updates=[(total, total + K.sum(x, axis=0))])
    count([X])
    count([X])
    np.testing.assert_allclose(K.get_value(total), 2 * X.sum(0), rtol=1e-5)


def test_gradients():
    x = K.placeholder(shape=(None, 4))
    loss = K.sum(K.square(x) * 3)
    (gradient,) = K.gradients(loss, x)
    value, found = K.function([x], [loss, gradient])([X])
    np.testing.assert_allclose(found, 6 * X, rtol=1e-5)
    assert value == pytest.approx(3 * (X**2).sum(), rel=1e-5)
    weight = K.variable(np.ones(4))
    found = K.function([x], K.gradients(K.sum(x * weight), [weight, x]))([X])
    np.testing.assert_allclose(found[0], X.sum(0), rtol=1e-5)
    np.testing.assert_allclose(found[1], np.ones_like(X))
    leaf = torch.ones(3, requires_grad=True)
    assert K.gradients((leaf * 2).sum(), leaf)[0].tolist() == [2.0, 2.0, 2.0]


def test_losses_that_use_the_graph():
    x = Input(shape=(4,))
    hidden = Dense(3, activation="tanh")(x)
    output = Dense(4)(hidden)
    model = Model(x, output)

    def loss(y_true, y_pred):
        return objectives.mse(y_true, y_pred) + 0.5 * K.sum(K.square(hidden), axis=-1)

    def spread(y_true, y_pred):
        return K.mean(K.abs(hidden))

    model.compile("sgd", loss, metrics=[spread])
    inside = Model(x, hidden).predict(X)
    expected = ((model.predict(X) - X) ** 2).mean(-1) + 0.5 * (inside**2).sum(-1)
    assert model.evaluate(X, X, verbose=0) == pytest.approx([expected.mean(), np.abs(inside).mean()], rel=1e-5)
    history = model.fit(X, X, nb_epoch=30, verbose=0).history["loss"]
    assert history[-1] < history[0]


def test_dropout_is_the_same_in_loss_and_model():
    x = Input(shape=(4,))
    dropped = Dropout(0.5)(x)
    model = Model(x, Dense(4, weights=[np.eye(4), np.zeros(4)], trainable=False)(dropped))
    model.compile("sgd", lambda y_true, y_pred: K.sum(K.square(dropped - y_pred), axis=-1))
    assert model.train_on_batch(X, X) == 0


def test_losses_of_layers_and_models():
    shared = Dense(2, W_regularizer="l2", activity_regularizer="activity_l1", input_dim=4)
    model = Sequential([shared])
    weight, activity = model.losses
    assert K.eval(weight) == pytest.approx(0.01 * (model.get_weights()[0] ** 2).sum(), rel=1e-5)
    expected = 0.01 * np.abs(model.predict(X)).sum()
    np.testing.assert_allclose(K.function([model.input], [activity])([X])[0], expected, rtol=1e-5)


def test_variables():
    v = K.variable(np.arange(3))
    K.set_value(v, [3, 2, 1])
    assert K.get_value(v).tolist() == [3.0, 2.0, 1.0]
    with pytest.raises(LayerError, match="shape"):
        K.set_value(v, [1, 2])
    model = Sequential([Dense(2, input_dim=4)])
    weights = model.weights
    K.batch_set_value([(weights[0], np.ones((4, 2))), (weights[1], np.ones(2))])
    assert [array.tolist() for array in K.batch_get_value(weights)] == [[[1, 1]] * 4, [1, 1]]
    K.set_value(model.layers[0].W, np.zeros((4, 2)))
    assert not model.get_weights()[0].any()
    model.compile("adam", "mse")
    K.set_value(model.optimizer.lr, 0.5)
    assert float(model.optimizer.lr) == 0.5
    assert isinstance(K.get_value(model.optimizer.lr), np.float32)
    assert isinstance(K.eval(K.sum(v)), np.float32)
    assert (K.count_params(v), K.get_variable_shape(v), K.int_shape(weights[0])) == (3, (3,), (4, 2))
    assert K.update_add(v, 1.0).tolist() == [4.0, 3.0, 2.0]
    assert K.update_sub(v, 1.0).tolist() == [3.0, 2.0, 1.0]
    assert K.cast_to_floatx([1]).dtype == np.float32
    assert K.zeros_like(v, dtype="int32", name="z").dtype == torch.int32
    assert K.ones_like(v).tolist() == [1.0, 1.0, 1.0]


def test_random_values():
    assert K.random_normal((3, 2), seed=1).equal(K.random_normal((3, 2), seed=1))
    assert abs(float(K.random_uniform((1000,), 2.0, 4.0).mean()) - 3) < 0.1
    assert set(K.random_binomial((50,), 0.5).tolist()) == {0.0, 1.0}
    dropped = K.dropout(K.ones((50, 4)), 0.5, noise_shape=(50, 1))
    assert set(dropped.flatten().tolist()) == {0.0, 2.0}
    assert (dropped[:, :1] == dropped).all()


def test_phases_and_branches():
    one, two = K.ones((1,)), K.zeros((1,))
    assert K.in_train_phase(one, two) is two
    assert K.in_test_phase(one, lambda: two) is one
    assert K.learning_phase() == 0
    with pytest.raises(LayerError, match=r"0 \(test\) or 1"):
        K.set_learning_phase(2)
    assert K.switch(torch.tensor(False), lambda: one, lambda: two) is two
    assert not K.stop_gradient(torch.ones(1, requires_grad=True) * 2).requires_grad


def test_ctc_decoding():
    probabilities = torch.full((1, 5, 3), 0.1)
    for step, label in enumerate([0, 0, 2, 1, 1]):
        probabilities[0, step, label] = 0.8
    decoded, scores = K.ctc_decode(probabilities, torch.tensor([5]))
    assert decoded[0].tolist() == [[0, 1]]
    assert float(scores) == pytest.approx(-5 * np.log(0.8), rel=1e-5)
    with pytest.raises(LayerError, match="no beam search"):
        K.ctc_decode(probabilities, torch.tensor([5]), greedy=False)


def test_merged_tensors_stay_tensors_of_a_graph():
    x = Input(shape=(4,))
    assert merge([x, x * 2], mode="concat").shape == (None, 8)
