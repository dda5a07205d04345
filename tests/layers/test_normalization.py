"""BatchNormalization in training and prediction, against its formula."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from bigdl.errors import LayerError
from bigdl.graph import Input
from bigdl.layers import BatchNormalization, Convolution2D, Masking
from tests.layers.checks import assert_gradients, assert_round_trip, built

Array = NDArray[Any]
PLACES = [
    ((5,), -1),
    ((4, 3), -1),
    ((4, 3), 1),
    ((3, 4, 2), -1),
    ((3, 4, 2), 1),
    ((3, 4, 2), -2),
    ((2, 3, 2, 3), 4),
    ((2, 3, 2, 3), 1),
    ((2, 3, 2, 3), 2),
    ((2, 1, 3, 2, 2), -1),
]


def normalized(x: Array, axis: int, mean: Array, variance: Array, gamma: Array, beta: Array, epsilon: float) -> Array:
    """``gamma (x - mean) / sqrt(variance + epsilon) + beta`` over the features of an axis."""
    x = np.moveaxis(x.astype("float64"), axis, -1)
    y: Array = gamma * (x - mean) / np.sqrt(variance + epsilon) + beta
    return np.moveaxis(y, -1, axis)


def moments(x: Array, axis: int) -> tuple[Array, Array]:
    """Mean and biased variance of each feature."""
    rows = np.moveaxis(x.astype("float64"), axis, -1).reshape(-1, x.shape[axis])
    return rows.mean(0), rows.var(0)


def batches(shape: tuple[int, ...], count: int = 3) -> list[Array]:
    rng = np.random.default_rng(0)
    return [rng.normal(i, 1 + i, (6, *shape)).astype("float32") for i in range(count)]


@pytest.mark.parametrize(("shape", "axis"), PLACES)
def test_training_and_running_values(shape, axis):
    layer = built(BatchNormalization(axis=axis, momentum=0.8, epsilon=0.01), *shape)
    gamma, beta, mean, variance = layer.get_weights()
    layer.train()
    for x in batches(shape):
        batch_mean, batch_variance = moments(x, axis)
        expected = normalized(x, axis, batch_mean, batch_variance, gamma, beta, 0.01)
        np.testing.assert_allclose(layer(torch.from_numpy(x)).detach(), expected, atol=1e-5)
        mean = 0.8 * mean + 0.2 * batch_mean
        variance = 0.8 * variance + 0.2 * batch_variance
    np.testing.assert_allclose(layer.get_weights()[2], mean, rtol=1e-5)
    np.testing.assert_allclose(layer.get_weights()[3], variance, rtol=1e-5)

    layer.eval()
    (x,) = batches(shape, 1)
    expected = normalized(x, axis, mean, variance, gamma, beta, 0.01)
    np.testing.assert_allclose(layer(torch.from_numpy(x)).detach(), expected, atol=1e-5)
    np.testing.assert_allclose(layer.get_weights()[2], mean, rtol=1e-5)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("shape", "axis"), PLACES)
def test_mode_2_takes_the_batch_always(shape, axis, training):
    layer = built(BatchNormalization(mode=2, axis=axis), *shape).train(training)
    gamma, beta, *running = layer.get_weights()
    (x,) = batches(shape, 1)
    expected = normalized(x, axis, *moments(x, axis), gamma, beta, 1e-3)
    np.testing.assert_allclose(layer(torch.from_numpy(x)).detach(), expected, atol=1e-5)
    assert all(np.array_equal(a, b) for a, b in zip(layer.get_weights()[2:], running, strict=True))


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(5,), (4, 3), (3, 4, 2)])
def test_mode_1_takes_each_sample_alone(shape, training):
    layer = built(BatchNormalization(mode=1, epsilon=0.3), *shape).train(training)
    gamma, beta, *running = layer.get_weights()
    (x,) = batches(shape, 1)
    wide = x.astype("float64")
    deviation = np.sqrt(wide.var(-1, keepdims=True) + 0.3)
    expected = gamma * (wide - wide.mean(-1, keepdims=True)) / (deviation + 0.3) + beta
    np.testing.assert_allclose(layer(torch.from_numpy(x)).detach(), expected, atol=1e-5)
    assert all(np.array_equal(a, b) for a, b in zip(layer.get_weights()[2:], running, strict=True))


def test_a_single_value_is_its_own_mean():
    layer = built(BatchNormalization(momentum=0.9), 3).train()
    _, beta, mean, variance = layer.get_weights()
    x = torch.tensor([[1.0, -2.0, 3.0]])
    np.testing.assert_allclose(layer(x).detach()[0], beta, atol=1e-4)
    np.testing.assert_allclose(layer.get_weights()[2], 0.9 * mean + 0.1 * x[0].numpy(), rtol=1e-6)
    np.testing.assert_allclose(layer.get_weights()[3], 0.9 * variance, rtol=1e-6)


def test_what_is_not_trainable_still_follows_the_batches():
    layer = built(BatchNormalization(trainable=False), 3).train()
    mean = layer.running_mean.clone()
    (x,) = batches((3,), 1)
    y = layer(torch.from_numpy(x)).detach()
    assert not layer.trainable_weights
    assert not layer.gamma.requires_grad
    assert not torch.equal(layer.running_mean, mean)
    np.testing.assert_allclose(((y - layer.beta) / layer.gamma).mean(0), 0, atol=1e-5)


def test_two_calls_move_the_running_values_twice():
    layer = built(BatchNormalization(momentum=0.5), 2).train()
    mean = layer.get_weights()[2]
    one, two = batches((2,), 2)
    layer(torch.from_numpy(one))
    layer(torch.from_numpy(two))
    np.testing.assert_allclose(layer.get_weights()[2], (mean / 2 + one.mean(0) / 2) / 2 + two.mean(0) / 2, rtol=1e-5)


@pytest.mark.parametrize("mode", [0, 1, 2])
@pytest.mark.parametrize("training", [True, False])
def test_gradients(mode, training):
    assert_gradients(BatchNormalization(mode=mode).train(training), 4, 3, samples=4)
    if mode != 1:
        assert_gradients(BatchNormalization(mode=mode, axis=1).train(training), 2, 3, 3, samples=3)


@pytest.mark.parametrize(("shape", "axis"), PLACES)
def test_config_round_trip(shape, axis):
    layer = BatchNormalization(0.02, 0, axis, 0.7, gamma_regularizer="l2", beta_regularizer="l1")
    assert_round_trip(layer, *shape)


def test_start():
    layer = BatchNormalization(beta_init="one", gamma_init="zero")
    layer.ensure_built((None, 2))
    assert [array.tolist() for array in layer.get_weights()] == [[0, 0], [1, 1], [0, 0], [1, 1]]
    assert [weight.name for weight in layer.weights] == ["gamma", "beta", "running_mean", "running_std"]


@pytest.mark.parametrize("training", [True, False])
def test_the_memory_format_stays(training):
    x = torch.randn(2, 5, 4, 3)
    assert built(BatchNormalization(), 5, 4, 3).train(training)(x).is_contiguous()
    sequences = torch.randn(2, 5, 3)
    assert built(BatchNormalization(), 5, 3).train(training)(sequences).is_contiguous()
    images = built(Convolution2D(4, 2, 2, dim_ordering="th"), 3, 5, 4)(x.movedim(-1, 1).contiguous())
    y = built(BatchNormalization(axis=1), 4, 4, 3).train(training)(images)
    assert y.is_contiguous(memory_format=torch.channels_last)


def test_masks_pass():
    assert BatchNormalization()(Masking()(Input((3, 2)))).mask is not None


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BatchNormalization(mode=3), "mode must be 0, 1 or 2. Received: 3"),
        (lambda: built(BatchNormalization(axis=0), 3), "not the batch's. Received: axis=0"),
        (lambda: built(BatchNormalization(axis=-2), 3), "not the batch's. Received: axis=-2"),
        (lambda: built(BatchNormalization(axis=2), 3), "axis must be an axis of known length"),
        (lambda: built(BatchNormalization(axis=1), None, 3), "axis must be an axis of known length"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(LayerError, match=message):
        make()
