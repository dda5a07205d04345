"""Padding, cropping and upsampling, against NumPy."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

from bigdl.errors import LayerError
from bigdl.graph import Layer
from bigdl.layers import (
    Cropping1D,
    Cropping2D,
    Cropping3D,
    UpSampling1D,
    UpSampling2D,
    UpSampling3D,
    ZeroPadding1D,
    ZeroPadding2D,
    ZeroPadding3D,
    settings,
)
from tests.layers.checks import assert_channels_last_stays, assert_gradients, assert_round_trip, built

Case = tuple[Callable[..., Layer], tuple[int, ...]]
CASES: dict[str, Case] = {
    "zero1d": (partial(ZeroPadding1D, {"left_pad": 2}), (3, 2)),
    "zero2d": (partial(ZeroPadding2D, (1, 0, 2, 3)), (2, 3, 2)),
    "zero2d_th": (partial(ZeroPadding2D, {"top_pad": 1, "right_pad": 2}, dim_ordering="th"), (2, 2, 3)),
    "zero3d_th": (partial(ZeroPadding3D, (1, 0, 2), dim_ordering="th"), (2, 2, 1, 3)),
    "crop1d": (partial(Cropping1D, (2, 1)), (5, 2)),
    "crop2d": (partial(Cropping2D, ((1, 0), (0, 2))), (3, 4, 2)),
    "crop2d_th": (partial(Cropping2D, ((1, 0), (0, 2)), dim_ordering="th"), (2, 3, 4)),
    "crop3d": (Cropping3D, (3, 4, 3, 2)),
    "up1d": (partial(UpSampling1D, 3), (3, 2)),
    "up2d": (partial(UpSampling2D, (3, 1)), (2, 3, 2)),
    "up2d_th": (partial(UpSampling2D, (1, 3), dim_ordering="th"), (2, 2, 3)),
    "up3d_th": (partial(UpSampling3D, (1, 2, 3), dim_ordering="th"), (2, 2, 1, 3)),
}


@pytest.mark.parametrize("name", CASES)
def test_gradients(name):
    make, shape = CASES[name]
    assert_gradients(make(), *shape)


@pytest.mark.parametrize("name", CASES)
def test_config_round_trip(name):
    make, shape = CASES[name]
    assert_round_trip(make(), *shape)


@pytest.mark.parametrize("name", ["zero1d", "zero2d", "up1d", "up2d"])
def test_channels_last_stays(name):
    make, shape = CASES[name]
    assert_channels_last_stays(make(), *shape)


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("crop")])
def test_cropping_copies_nothing(name):
    make, shape = CASES[name]
    x = torch.randn(2, *shape)
    assert built(make(), *shape)(x).untyped_storage().data_ptr() == x.untyped_storage().data_ptr()


@pytest.mark.parametrize("times", [1, 2, 3, 7, 49])
@pytest.mark.parametrize("length", [1, 3, 11, 101])
def test_upsampling_repeats(times, length):
    x = np.arange(2 * length * 2, dtype="float32").reshape(2, length, 2)
    y = built(UpSampling1D(times), length, 2)(torch.from_numpy(x))
    np.testing.assert_array_equal(y, x.repeat(times, 1))


@pytest.mark.parametrize(
    "cls", [ZeroPadding2D, ZeroPadding3D, Cropping2D, Cropping3D, UpSampling2D, UpSampling3D], ids=lambda c: c.__name__
)
def test_the_ordering_is_written_though_keras_leaves_it_out(cls):
    assert cls().get_config()["dim_ordering"] == "tf"
    settings.set_image_dim_ordering("th")
    assert cls().get_config()["dim_ordering"] == "th"


@pytest.mark.parametrize("cls", [ZeroPadding1D, Cropping1D, UpSampling1D])
def test_sequences_have_no_ordering(cls):
    assert "dim_ordering" not in cls().get_config()


def test_padding_is_written_as_it_was_given():
    paddings: list[Any] = [2, (1, 2), {"right_pad": 2}]
    assert [ZeroPadding1D(padding).get_config()["padding"] for padding in paddings] == paddings


@pytest.mark.parametrize("make", [ZeroPadding2D, Cropping2D, UpSampling2D])
def test_open_lengths(make):
    layer = built(make(), None, None, 2)
    assert layer.get_output_shape_for((None, None, None, 2)) == (None, None, None, 2)


BAD: Any = 1  # what the annotations do not allow


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ZeroPadding1D((1, 2, 3)), "padding must be 2 integers of at least 0"),
        (lambda: ZeroPadding1D(-1), "padding must be 2 integers"),
        (lambda: ZeroPadding1D({"top_pad": 1}), "takes the keys left_pad, right_pad. Received: top_pad"),
        (lambda: ZeroPadding2D(BAD), "padding must be 4 integers"),
        (lambda: ZeroPadding2D((1, 2, 3)), "padding must be 4 integers"),
        (lambda: ZeroPadding2D({"lower_pad": 1}), "Received: lower_pad"),
        (lambda: ZeroPadding3D((1, 2)), "padding must be 3 integers"),
        (lambda: Cropping1D(BAD), "cropping must be 2 integers"),
        (lambda: Cropping2D((BAD, BAD)), r"cropping\[0\] must be 2 integers"),
        (lambda: Cropping2D(((1, 1),)), "one pair for each of 2 axes"),
        (lambda: Cropping3D(((1, 1), (1, -1), (0, 0))), r"cropping\[1\] must be 2 integers of at least 0"),
        (lambda: UpSampling1D(0), "size must be an integer of at least 1"),
        (lambda: UpSampling2D((2, 2, 2)), "size must be 2 integers of at least 1"),
        (lambda: built(Cropping1D((2, 4)), 5, 2).get_output_shape_for((None, 5, 2)), "too small"),
        (lambda: ZeroPadding2D(dim_ordering="last"), "dim_ordering must be"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(LayerError, match=message):
        make()
