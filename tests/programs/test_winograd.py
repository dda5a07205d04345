"""Convolutions by kernels of 3 x 3 with fewer products, and their gradients, beside torch's in double precision."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from bigdl.keras.layers import Activation, Convolution2D, Flatten, Input, MaxPooling2D, merge
from bigdl.models import Model, Sequential
from bigdl.native import LIBRARY, Library, kernels
from bigdl.programs import winograd
from tests.programs.drawn import RNG, assert_close, random

pytestmark = pytest.mark.skipif(kernels() is None, reason="the kernels were not built")


@pytest.fixture(autouse=True)
def same_numbers():
    """Begins each test's random numbers anew."""
    RNG.seed(0)


def sets() -> list[str]:
    found = kernels()
    return [] if found is None else found.instruction_sets


# Images, channels, filters, rows, columns, zeros around rows and columns.
SHAPES = [
    (2, 3, 5, 7, 9, 1, 1),
    (1, 16, 16, 6, 6, 0, 0),
    (2, 37, 41, 11, 8, 1, 0),
    (3, 130, 70, 5, 6, 2, 1),
    (1, 600, 20, 7, 7, 1, 1),  # deeper than a panel
    (5, 64, 96, 22, 21, 1, 1),  # more tiles than are computed at once
    (2, 32, 32, 1, 1, 1, 1),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("instructions", sets())
@pytest.mark.parametrize("form", [torch.channels_last, torch.contiguous_format], ids=["last", "first"])
def test_sums_and_gradients(shape, instructions, form):
    images, channels, filters, rows, columns, *padding = shape
    library = Library(LIBRARY, instructions)
    x, weight = random(images, channels, rows, columns), random(filters, channels, 3, 3)
    x, weight, bias = x.contiguous(memory_format=form), weight.contiguous(memory_format=form), random(filters)
    exact = [tensor.double().requires_grad_() for tensor in (x, weight)]
    expected = F.conv2d(exact[0], exact[1], bias.double(), padding=padding)
    assert_close(winograd.convolve(library, x, weight, padding, bias), expected.detach())
    assert_close(winograd.convolve(library, x, weight, padding, bias, relu=True), expected.detach().relu())
    gradient = random(*expected.shape)
    expected.backward(gradient.double())
    found = winograd.gradients(library, gradient, x, weight, padding, [True, True])
    for ours, of in zip(found, exact, strict=True):
        assert of.grad is not None
        assert_close(ours, of.grad)
    assert winograd.gradients(library, gradient, x, weight, padding, [False, False]) == (None, None)


def test_no_result_depends_on_threads_or_other_images():
    library = kernels()
    assert library is not None
    x, weight, gradient = random(9, 48, 31, 30), random(64, 48, 3, 3), random(9, 64, 31, 30)
    alone = Library(LIBRARY)
    alone.parallel_for = None
    y = winograd.convolve(library, x, weight, [1, 1])
    assert torch.equal(y, winograd.convolve(alone, x, weight, [1, 1]))
    assert torch.equal(y[4:6], winograd.convolve(library, x[4:6], weight, [1, 1]))
    for ours, expected in zip(
        winograd.gradients(library, gradient, x, weight, [1, 1], [True, True]),
        winograd.gradients(alone, gradient, x, weight, [1, 1], [True, True]),
        strict=True,
    ):
        assert ours is not None
        assert expected is not None
        assert torch.equal(ours, expected)


def test_what_is_not_finite_stays_so():
    library = kernels()
    assert library is not None
    x, weight = random(1, 32, 8, 8), random(32, 32, 3, 3)
    x[0, 3, 4, 4] = np.nan
    y = winograd.convolve(library, x, weight, [1, 1], relu=True)
    assert y[0, :, 3:6, 3:6].isnan().all()
    assert y[0, :, :2].isfinite().all()


@pytest.mark.parametrize(
    ("shape", "stride", "dilation", "positions", "window", "suited"),
    [
        ((32, 32, 3, 3), (1, 1), (1, 1), (8, 8), (1, 1), True),
        ((64, 48, 3, 3), (1, 1), (1, 1), (5, 7), (2, 2), True),
        ((64, 48, 3, 3), (1, 1), (1, 1), (8, 8), (3, 3), False),
        ((64, 48, 3, 3), (1, 1), (1, 1), (3, 3), (1, 1), False),  # as many products
        ((64, 48, 3, 3), (2, 1), (1, 1), (8, 8), (1, 1), False),
        ((64, 48, 3, 3), (1, 1), (1, 2), (8, 8), (1, 1), False),
        ((64, 48, 3, 1), (1, 1), (1, 1), (8, 8), (1, 1), False),
        ((64, 3, 3, 3), (1, 1), (1, 1), (8, 8), (1, 1), False),
        ((64, 40, 3, 3), (1, 1), (1, 1), (8, 8), (1, 1), False),
    ],
)
def test_which_convolutions_it_suits(shape, stride, dilation, positions, window, suited):
    assert winograd.suits(torch.empty(shape), stride, dilation, positions, window) == suited
    assert not winograd.suits(torch.empty(shape, dtype=torch.float64), stride, dilation, positions, window)


def block(ordering: str) -> Any:
    """A network of convolutions that it suits: with windows, a sum, odd lengths, shared by two branches."""
    torch.manual_seed(0)
    shape = (13, 11, 32) if ordering == "tf" else (32, 13, 11)
    axis = 3 if ordering == "tf" else 1

    def convolution(filters: int, mode: str = "same", activation: str = "linear") -> Any:
        return Convolution2D(filters, 3, 3, border_mode=mode, activation=activation, dim_ordering=ordering)

    x = Input(shape)
    shared = convolution(32)
    a, b = shared(x), shared(Activation("tanh")(x))
    y = Activation("relu")(merge([a, b], mode="sum"))
    y = merge([convolution(32, activation="relu")(y), y], mode="concat", concat_axis=axis)
    y = MaxPooling2D((2, 2), dim_ordering=ordering)(convolution(48, "valid", "relu")(y))
    return Model(x, Flatten()(convolution(32, "valid")(y)))


@pytest.mark.parametrize("ordering", ["tf", "th"])
def test_networks_compute_what_plain_sums_give(ordering, monkeypatch):
    model = block(ordering)
    x = RNG.rand(5, *model.input_shape[1:]).astype("float32")
    y = RNG.rand(5, model.output_shape[1]).astype("float32")
    start, results = model.get_weights(), []
    for plain in (False, True):
        if plain:
            monkeypatch.setattr(winograd, "suits", lambda *_: False)
        again = Model.from_config(model.get_config())
        again.set_weights(start)
        again.compile("sgd", "mse")
        predicted = again.predict(x)
        losses = [again.train_on_batch(x, y) for _ in range(3)]
        results.append((predicted, losses, again.get_weights()))
    (ours, losses, weights), (expected, plain_losses, plain_weights) = results
    assert not np.array_equal(ours, expected)  # another sum was computed
    assert_close(ours, expected)
    np.testing.assert_allclose(losses, plain_losses, rtol=1e-5)
    for weight, plain_weight in zip(weights, plain_weights, strict=True):
        assert_close(weight, plain_weight)


def test_a_single_image_and_many():
    model: Any = Sequential([Convolution2D(32, 3, 3, input_shape=(9, 10, 64), dim_ordering="tf"), Flatten()])
    x = RNG.rand(70, 9, 10, 64).astype("float32")
    np.testing.assert_array_equal(model.predict(x, batch_size=70)[:1], model.predict(x[:1]))
