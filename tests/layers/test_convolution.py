"""Convolutions of all kinds, beyond the goldens."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from bigdl import layers
from bigdl.errors import LayerError
from bigdl.formats.spec import LayerArrays, StoredArray, WeightsSpec
from bigdl.graph import Layer
from bigdl.layers import (
    AtrousConvolution1D,
    AtrousConvolution2D,
    Convolution1D,
    Convolution2D,
    Convolution3D,
    Deconvolution2D,
    LocallyConnected1D,
    LocallyConnected2D,
    SeparableConvolution2D,
)
from bigdl.models import Sequential
from bigdl.registry import load_by_name, load_by_position
from tests.layers.checks import FORMATS, assert_channels_last_stays, assert_gradients, assert_round_trip, built

# A layer with arguments that are not the defaults, and the shape of a sample.
Case = tuple[Callable[..., Layer], tuple[int, ...]]
COMMON: dict[str, Any] = {"W_regularizer": "l2", "b_constraint": "nonneg", "activation": "tanh", "init": "he_normal"}
CASES: dict[str, Case] = {
    "conv1d": (partial(Convolution1D, 3, 2, subsample_length=2, border_mode="same", **COMMON), (5, 2)),
    "conv1d_input": (partial(Convolution1D, 2, 3, input_dim=2, input_length=5, bias=False), (5, 2)),
    "conv2d_tf": (partial(Convolution2D, 2, 2, 3, subsample=(1, 2), border_mode="same", **COMMON), (4, 3, 2)),
    "conv2d_th": (partial(Convolution2D, 2, 2, 3, dim_ordering="th", activity_regularizer="l1"), (2, 4, 3)),
    "conv3d_tf": (partial(Convolution3D, 2, 2, 1, 2, subsample=(2, 1, 1), **COMMON), (3, 2, 3, 2)),
    "conv3d_th": (partial(Convolution3D, 2, 2, 2, 2, border_mode="same", dim_ordering="th"), (2, 2, 3, 2)),
    "atrous1d": (partial(AtrousConvolution1D, 2, 2, atrous_rate=2, **COMMON), (5, 2)),
    "atrous2d_tf": (partial(AtrousConvolution2D, 2, 2, 2, atrous_rate=(2, 2), border_mode="same"), (4, 3, 2)),
    "atrous2d_th": (partial(AtrousConvolution2D, 2, 2, 2, atrous_rate=(2, 2), dim_ordering="th"), (2, 4, 3)),
    "deconv_tf": (partial(Deconvolution2D, 2, 3, 2, (None, 6, 3, 2), subsample=(2, 1), **COMMON), (2, 2, 2)),
    "deconv_th": (
        partial(Deconvolution2D, 2, 3, 3, (4, 2, 3, 5), subsample=(2, 2), border_mode="same", dim_ordering="th"),
        (2, 2, 3),
    ),
    "separable_tf": (
        partial(
            SeparableConvolution2D,
            3,
            2,
            2,
            depth_multiplier=2,
            depthwise_regularizer="l1",
            pointwise_regularizer="l2",
            depthwise_constraint="nonneg",
            pointwise_constraint="maxnorm",
        ),
        (3, 3, 2),
    ),
    "separable_th": (
        partial(SeparableConvolution2D, 2, 2, 3, border_mode="same", subsample=(2, 2), dim_ordering="th"),
        (2, 3, 4),
    ),
    "local1d": (partial(LocallyConnected1D, 3, 2, subsample_length=2, **COMMON), (5, 2)),
    "local1d_input": (partial(LocallyConnected1D, 2, 2, input_dim=2, input_length=3, bias=False), (3, 2)),
    "local2d_tf": (partial(LocallyConnected2D, 2, 2, 1, subsample=(1, 2), **COMMON), (3, 3, 2)),
    "local2d_th": (partial(LocallyConnected2D, 2, 2, 2, dim_ordering="th"), (2, 3, 3)),
}
LAST = [name for name in CASES if not name.endswith("_th") and not name.startswith("local")]
FIRST = ["conv2d_th", "conv3d_th", "atrous2d_th", "deconv_th"]


@pytest.mark.parametrize("name", CASES)
def test_gradients(name):
    make, shape = CASES[name]
    assert_gradients(make(), *shape)


@pytest.mark.parametrize("name", CASES)
def test_config_round_trip(name):
    make, shape = CASES[name]
    assert_round_trip(make(), *shape)


@pytest.mark.parametrize("name", LAST)
def test_channels_last_stays(name):
    make, shape = CASES[name]
    assert_channels_last_stays(make(), *shape)


@pytest.mark.parametrize("name", FIRST)
def test_channels_first_becomes_channels_last_in_memory(name):
    make, shape = CASES[name]
    y = built(make(), *shape)(torch.randn(2, *shape))
    assert y.is_contiguous(memory_format=FORMATS[y.dim()])


@pytest.mark.parametrize(
    ("make", "shape", "kernel", "ordering"),
    [
        (partial(Convolution1D, 4, 3), (7, 2), (3, 1, 2, 4), "th"),
        (partial(AtrousConvolution1D, 4, 3), (7, 2), (3, 1, 2, 4), "th"),
        (partial(Convolution2D, 4, 3, 2), (7, 6, 5), (3, 2, 5, 4), "tf"),
        (partial(Convolution2D, 4, 3, 2, dim_ordering="th"), (5, 7, 6), (4, 5, 3, 2), "th"),
        (partial(Convolution3D, 4, 3, 2, 1), (7, 6, 5, 3), (3, 2, 1, 3, 4), "tf"),
        (partial(Deconvolution2D, 4, 3, 2, (None, 9, 7, 4)), (7, 6, 5), (3, 2, 5, 4), "tf"),
        (partial(LocallyConnected1D, 4, 3), (7, 2), (5, 6, 4), "th"),
        (partial(LocallyConnected2D, 4, 3, 2), (7, 6, 5), (25, 30, 4), "tf"),
    ],
)
def test_initialization_sees_what_it_saw_in_keras(make, shape, kernel, ordering):
    seen = []

    def init(shape, dim_ordering):
        seen.append((shape, dim_ordering))
        return torch.zeros(shape)

    built(make(init=init), *shape)
    assert seen == [(kernel, ordering)]


def test_both_kernels_of_a_separable_convolution_are_initialized():
    seen = []

    def init(shape, dim_ordering):
        seen.append((shape, dim_ordering))
        return torch.zeros(shape)

    built(SeparableConvolution2D(3, 2, 2, init=init, depth_multiplier=2, dim_ordering="th"), 4, 5, 5)
    assert seen == [((2, 4, 2, 2), "th"), ((3, 8, 1, 1), "th")]


def test_names_of_weights():
    names = {name: [weight.name for weight in built(make(), *shape).weights] for name, (make, shape) in CASES.items()}
    assert names.pop("separable_tf") == names.pop("separable_th") == ["depthwise_kernel", "pointwise_kernel", "b"]
    assert names.pop("conv1d_input") == names.pop("local1d_input") == ["W"]
    assert all(expected == ["W", "b"] for expected in names.values())


@pytest.mark.parametrize("border_mode", ["valid", "same"])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_deconvolution_is_the_gradient_of_convolution(border_mode, kernel, stride):
    for length in range(kernel, 9):
        forward = built(
            Convolution2D(2, kernel, kernel, subsample=(stride, stride), border_mode=border_mode, bias=False),
            *(length, length, 3),
        )
        image = torch.zeros(2, length, length, 3, requires_grad=True)
        small = forward(image)
        x = torch.randn_like(small)
        (expected,) = torch.autograd.grad(small, image, x)

        back = Deconvolution2D(
            3, kernel, kernel, tuple(image.shape), subsample=(stride, stride), border_mode=border_mode, bias=False
        )
        built(back, *small.shape[1:]).set_weights([forward.get_weights()[0].transpose(0, 1, 3, 2)])
        torch.testing.assert_close(back(x), expected)


def test_old_sequence_kernels():
    """Older Keras stored a sequence's kernel as an image's, channels first."""
    kernel, bias = np.random.default_rng(0).normal(size=(4, 2, 3, 1)), np.zeros(4)
    stored = [StoredArray.of("W", kernel), StoredArray.of("b", bias)]
    for cls in (Convolution1D, AtrousConvolution1D):
        model = Sequential([cls(4, 3, name="c", input_shape=(7, 2))])
        for load in (load_by_position, load_by_name):
            model.set_weights([array * 0 for array in model.get_weights()])
            load(model, WeightsSpec((LayerArrays("c", tuple(stored)),)))
            np.testing.assert_array_equal(model.get_weights()[0], kernel.transpose(2, 3, 1, 0).astype("float32"))


def test_open_lengths():
    layer = built(Convolution2D(3, 2, 2, border_mode="same", subsample=(2, 1)), None, None, 2)
    assert layer.get_output_shape_for((None, None, 5, 2)) == (None, None, 5, 3)
    assert layer(torch.zeros(1, 5, 4, 2)).shape == (1, 3, 4, 3)


def test_given_weights():
    arrays = [np.arange(12.0).reshape(3, 1, 2, 2), np.array([1.0, 2.0])]
    layer = Convolution1D(2, 3, weights=arrays)
    layer.ensure_built((None, 4, 2))
    for ours, theirs in zip(layer.get_weights(), arrays, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_numpy_numbers():
    three: Any = np.int64(3)
    config = Convolution1D(three, three, subsample_length=three).get_config()
    assert (
        json.loads(json.dumps([config[key] for key in ("nb_filter", "filter_length", "subsample_length")])) == [3] * 3
    )


def test_short_names():
    assert layers.Conv1D is Convolution1D
    assert layers.Conv2D is Convolution2D
    assert layers.Conv3D is Convolution3D
    assert layers.Deconv2D is Deconvolution2D
    assert layers.AtrousConv1D is AtrousConvolution1D
    assert layers.AtrousConv2D is AtrousConvolution2D
    assert layers.SeparableConv2D is SeparableConvolution2D


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Convolution2D(3, 3, 3, border_mode="full"), "border_mode must be one of valid, same"),
        (lambda: Convolution2D(3, 3, 3, dim_ordering="thx"), "dim_ordering must be"),
        (lambda: Convolution2D(3, 3, 3, subsample=(1, 1, 1)), "subsample must be 2 integers of at least 1"),
        (lambda: Convolution2D(3, 0, 3), r"the kernel must be 2 integers of at least 1. Received: \(0, 3\)"),
        (lambda: Convolution3D(3, 3, 3, 3, kernel_dim4=3), "argument not understood: kernel_dim4"),
        (lambda: AtrousConvolution2D(3, 3, 3, atrous_rate=(1, 2)), "the rates must be equal"),
        (lambda: AtrousConvolution2D(3, 3, 3, atrous_rate=(2, 2), subsample=(2, 2)), "with strides"),
        (lambda: AtrousConvolution1D(3, 3, atrous_rate=2, subsample_length=2), "with strides"),
        (lambda: Deconvolution2D(3, 3, 3, (None, None, 7, 3)), "three known lengths"),
        (lambda: Deconvolution2D(3, 3, 3, (7, 7, 3)), "three known lengths"),
        (lambda: Deconvolution2D(3, 3, 3, (None, 7, 7, 4)), "must have nb_filter=3 channels"),
        (lambda: SeparableConvolution2D(3, 3, 3, subsample=(1, 2)), "the strides must be equal"),
        (lambda: SeparableConvolution2D(3, 3, 3, border_mode="full"), "border_mode"),
        (lambda: LocallyConnected1D(3, 3, border_mode="same"), "border_mode must be one of valid. Received: 'same'"),
        (lambda: LocallyConnected2D(3, 3, 3, border_mode="same"), "border_mode must be one of valid"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(LayerError, match=message):
        make()


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (Convolution2D(3, 4, 4), (3, 9, 2), "too small"),
        (Convolution2D(3, 2, 2), (9, 9), "expects an input of rank 4"),
        (Convolution2D(3, 2, 2), (9, 9, None), "must know the number of channels"),
        (AtrousConvolution1D(3, 3, atrous_rate=4), (8, 2), "too small"),
        (Deconvolution2D(3, 3, 3, (None, 7, 7, 3)), (4, 5, 2), r"needs an input with rows and columns \(5, 5\)"),
        (LocallyConnected1D(3, 2), (None, 2), "needs an input of fixed size"),
        (LocallyConnected2D(3, 5, 2), (4, 4, 2), "too small"),
    ],
)
def test_bad_inputs(layer, shape, message):
    with pytest.raises(LayerError, match=message):
        built(layer, *shape).get_output_shape_for((None, *shape))


def test_deconvolution_of_an_open_input_checks_the_data():
    layer = built(Deconvolution2D(3, 3, 3, (None, 7, 7, 3)), None, None, 2)
    with pytest.raises(LayerError, match="needs an input with rows and columns"):
        layer(torch.zeros(1, 4, 5, 2))


def test_locally_connected_keeps_its_size():
    layer = built(LocallyConnected2D(3, 2, 2), 4, 4, 2)
    with pytest.raises(LayerError, match="was built for"):
        layer.get_output_shape_for((None, 5, 4, 2))


def test_locally_connected_with_equal_kernels_is_a_convolution():
    local, convolution = LocallyConnected2D(3, 2, 2, bias=False), Convolution2D(3, 2, 2, bias=False)
    built(local, 4, 5, 2)
    (kernel,) = built(convolution, 4, 5, 2).get_weights()
    local.set_weights([np.broadcast_to(kernel.reshape(1, 8, 3), (12, 8, 3))])
    x = torch.randn(2, 4, 5, 2)
    torch.testing.assert_close(local(x), convolution(x))
    reference = F.conv2d(x.movedim(-1, 1), torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()))
    torch.testing.assert_close(convolution(x), reference.movedim(1, -1))
