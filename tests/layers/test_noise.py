"""Dropout and noise: what they do in training, on average and one by one."""

import copy
import pickle

import pytest
import torch
from torch import Tensor

from bigdl.errors import LayerError
from bigdl.graph import Input, Layer
from bigdl.layers import (
    Dropout,
    GaussianDropout,
    GaussianNoise,
    Masking,
    SpatialDropout1D,
    SpatialDropout2D,
    SpatialDropout3D,
)
from tests.layers.checks import assert_round_trip, built

LAYERS = [
    Dropout(0.3),
    SpatialDropout1D(0.3),
    GaussianNoise(0.5),
    GaussianDropout(0.3),
]


def train(layer: Layer, x: Tensor) -> Tensor:
    y: Tensor = built(layer, *x.shape[1:]).train()(x)
    return y


def test_dropout_drops_its_share_and_scales_the_rest():
    y = train(Dropout(0.3), torch.ones(400, 500))
    zeros = y == 0
    assert zeros.float().mean().item() == pytest.approx(0.3, abs=0.01)
    torch.testing.assert_close(y[~zeros], torch.full_like(y[~zeros], 1 / 0.7))


@pytest.mark.parametrize("p", [0.0, 1.0, -0.5, 1.5])
@pytest.mark.parametrize("cls", [Dropout, GaussianDropout, SpatialDropout1D])
def test_nothing_is_dropped_outside_of_0_to_1(cls, p):
    x = torch.randn(4, 3, 2)
    assert train(cls(p), x) is x


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_prediction_is_the_identity(layer):
    x = torch.randn(4, 3, 2)
    assert built(layer, 3, 2).eval()(x) is x


def test_noise_shape_is_broadcast():
    y = train(Dropout(0.5, noise_shape=(8, 1, 50)), torch.ones(8, 6, 50))
    assert torch.equal(y, y[:, :1].expand_as(y))
    assert set(y.flatten().tolist()) == {0.0, 2.0}
    assert not torch.equal(y[0], y[1])


def test_a_seed_gives_the_same_patterns_again():
    x = torch.ones(20, 30)
    first, second = Dropout(0.5, seed=7), Dropout(0.5, seed=7)
    patterns = [train(first, x) for _ in range(3)]
    torch.manual_seed(123)
    assert all(torch.equal(train(second, x), pattern) for pattern in patterns)
    assert not torch.equal(patterns[0], patterns[1])
    assert not torch.equal(train(Dropout(0.5, seed=8), x), patterns[0])
    for again in (copy.deepcopy(first), pickle.loads(pickle.dumps(first))):
        assert torch.equal(train(again, x), train(second, x))
        second = copy.deepcopy(first)


@pytest.mark.parametrize(
    ("layer", "shape", "axes"),
    [
        (SpatialDropout1D(0.3), (7, 50), (1,)),
        (SpatialDropout2D(0.3), (5, 4, 50), (1, 2)),
        (SpatialDropout2D(0.3, dim_ordering="th"), (50, 5, 4), (2, 3)),
        (SpatialDropout3D(0.3), (3, 2, 4, 50), (1, 2, 3)),
        (SpatialDropout3D(0.3, dim_ordering="th"), (50, 3, 2, 4), (2, 3, 4)),
    ],
)
def test_spatial_dropout_drops_whole_maps(layer, shape, axes):
    y = train(layer, torch.ones(200, *shape))
    maps = y.amax(axes)
    assert torch.equal(maps, y.amin(axes))
    assert (maps == 0).float().mean().item() == pytest.approx(0.3, abs=0.02)
    torch.testing.assert_close(maps[maps != 0], torch.full_like(maps[maps != 0], 1 / 0.7))
    assert not torch.equal(maps[0], maps[1])


def test_gaussian_noise():
    x = torch.full((400, 500), 3.0)
    y = train(GaussianNoise(0.5), x) - x
    assert y.mean().item() == pytest.approx(0, abs=0.01)
    assert y.std().item() == pytest.approx(0.5, abs=0.01)


def test_gaussian_dropout():
    y = train(GaussianDropout(0.2), torch.full((400, 500), 3.0)) / 3
    assert y.mean().item() == pytest.approx(1, abs=0.01)
    assert y.std().item() == pytest.approx((0.2 / 0.8) ** 0.5, abs=0.01)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (Dropout(0.25), (5,)),
        (SpatialDropout1D(0.25), (5, 2)),
        (SpatialDropout2D(0.25, dim_ordering="th"), (2, 3, 2)),
        (SpatialDropout3D(0.25), (2, 3, 2, 2)),
        (GaussianNoise(0.25), (5,)),
        (GaussianDropout(0.25), (5,)),
    ],
)
def test_config_round_trip(layer, shape):
    assert_round_trip(layer, *shape)


def test_keras_writes_neither_shape_nor_seed():
    assert Dropout(0.5, noise_shape=(1, 5), seed=3, name="d").get_config() == {"name": "d", "trainable": True, "p": 0.5}


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_masks_pass(layer):
    assert layer(Masking()(Input((3, 2)))).mask is not None


def test_bad_rank():
    with pytest.raises(LayerError, match="expects an input of rank 4"):
        SpatialDropout2D(0.5)(Input((3, 2)))
