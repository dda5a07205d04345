from typing import Any

import numpy as np
import pytest
import torch

from bigdl.errors import DataError
from bigdl.graph import Container, Input, SequentialContainer
from bigdl.layers import LSTM, Activation, Dense, Dropout, Flatten, LocallyConnected1D
from bigdl.training import predict, predict_class, predict_on_batch


@pytest.fixture
def model():
    return SequentialContainer([Dense(3, input_dim=4, name="first"), Dropout(0.5), Activation("softmax")])


def expected(model: SequentialContainer, x: Any) -> Any:
    """The formula of the model above, in NumPy."""
    w, b = model.get_weights()
    e = np.exp(x @ w + b)
    return e / e.sum(-1, keepdims=True)


@pytest.fixture
def x():
    return np.random.RandomState(0).rand(10, 4).astype(np.float32)


@pytest.mark.parametrize("batch_size", [1, 3, 10, 32, None, -1])
def test_batches_do_not_matter(model, x, batch_size):
    y = predict(model, x, batch_size)
    np.testing.assert_allclose(y, expected(model, x), rtol=1e-5)
    assert y.dtype == np.float32


def test_one_batch_is_predicted_as_any(model, x):
    np.testing.assert_allclose(predict_on_batch(model, x), expected(model, x), rtol=1e-5)


def test_each_module_gets_its_mode_back(model, x):
    model.train()
    model.layers[1].eval()
    predict(model, x)
    assert [bool(module.training) for module in (model, *model.layers)] == [True, True, False, True]


def test_the_mode_comes_back_after_an_error(model, x, monkeypatch):
    model.train()
    monkeypatch.setattr(model, "run", lambda inputs: torch.zeros(2) @ torch.zeros(3))
    with pytest.raises(RuntimeError):
        predict(model, x)
    assert model.training


def test_outputs_are_arrays_of_their_own(x):
    identity = SequentialContainer([Activation("linear", input_shape=(4,))])
    y = predict(identity, x)
    y[:] = 0
    assert x.any()


def test_several_inputs_and_outputs(x):
    a, b = Input((4,), name="a"), Input((2, 2), name="b")
    model = Container([a, b], [Dense(2, name="out_a")(a), Flatten(name="out_b")(b)])
    given = {"b": x.reshape(10, 2, 2), "a": x}
    first, second = predict(model, given, batch_size=4)
    w, bias = model.get_weights()
    np.testing.assert_allclose(first, x @ w + bias, rtol=1e-5)
    np.testing.assert_array_equal(second, x)
    for other in ([x, x.reshape(10, 2, 2)], (x, torch.from_numpy(x).reshape(10, 2, 2))):
        np.testing.assert_array_equal(predict(model, other)[0], predict(model, given)[0])


def test_no_rows_give_no_rows(model):
    y = predict(model, np.zeros((0, 4)))
    assert (y.shape, y.dtype) == ((0, 3), np.float32)
    assert predict_class(model, np.zeros((0, 4))).shape == (0,)


def test_no_rows_of_several_outputs():
    a = Input((None, 4))
    model = Container(a, [Dense(2)(a), Activation("relu")(a)])
    assert [y.shape for y in predict(model, np.zeros((0, 5, 4)))] == [(0, 5, 2), (0, 5, 4)]


def test_classes_count_from_1(model, x):
    np.testing.assert_array_equal(predict_class(model, x), expected(model, x).argmax(-1) + 1)


def test_a_single_column_is_class_1(x):
    model = SequentialContainer([Dense(1, input_dim=4)])
    np.testing.assert_array_equal(predict_class(model, x), np.ones(10))


def test_classes_of_several_outputs_are_refused(x):
    a = Input((4,))
    model = Container(a, [Dense(2, name="left")(a), Dense(2, name="right")(a)], name="two")
    with pytest.raises(DataError, match=r"'two' has 2 outputs \(left, right\)"):
        predict_class(model, x)


@pytest.mark.parametrize("batch_size", [0, -2, 1.5, True])
def test_a_batch_size_must_be_a_number_of_rows(model, x, batch_size):
    with pytest.raises(DataError, match="batch_size must be a positive whole number"):
        predict(model, x, batch_size)


def test_weights_in_double_precision(model, x):
    model.double()
    y = predict(model, x)
    assert y.dtype == np.float64
    np.testing.assert_allclose(y, expected(model, x.astype(np.float64)), rtol=1e-12)


def test_layers_that_are_called_are_in_evaluation_mode():
    recurrent = LSTM(5, dropout_W=0.5, dropout_U=0.5, input_shape=(4, 3))
    model = SequentialContainer([recurrent, Dense(2)])
    x = np.random.RandomState(0).rand(3, 4, 3).astype("float32")
    expected = predict(model, x, batch_size=2)
    for training in (True, False):
        recurrent.training = training
        np.testing.assert_allclose(predict(model, x), expected, rtol=1e-6)
        assert recurrent.training is training


def test_layers_that_are_called_get_their_mode_back_after_an_error(monkeypatch):
    called = LocallyConnected1D(2, 3, input_shape=(5, 3))
    model = SequentialContainer([called, Flatten(), Dense(2)])
    x = np.random.RandomState(0).rand(4, 5, 3).astype("float32")
    predict(model, x)
    monkeypatch.setattr(type(called), "forward", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        predict(model, x)
    assert called.training


def test_what_layers_owe_for_predictions_is_forgotten():
    model = SequentialContainer([LSTM(5, input_shape=(4, 3)), Dense(2, activity_regularizer="activity_l2")])
    predict(model, np.random.RandomState(0).rand(3, 4, 3).astype("float32"))
    assert not any(layer.activity_losses for layer in model.layers)
