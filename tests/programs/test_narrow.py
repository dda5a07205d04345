"""Convolutions of few channels or by few filters, and their gradients, beside torch's in double precision."""

from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from bigdl.keras.layers import AtrousConvolution2D, Convolution1D, Convolution2D, Flatten, Input, ZeroPadding2D, merge
from bigdl.models import Model
from bigdl.native import LIBRARY, Library, kernels
from bigdl.programs import narrow
from tests.programs.conftest import SETS
from tests.programs.drawn import RNG, assert_close, random
from tests.programs.nets import plain, rows_for

pytestmark = pytest.mark.skipif(not SETS, reason="the kernels were not built")


@pytest.fixture(autouse=True)
def same_numbers():
    """Begins each test's random numbers anew."""
    RNG.seed(0)


# Images, channels, filters; rows and columns of the images and of the kernel; zeros around rows and columns; steps.
SHAPES = [
    (5, 1, 32, (28, 28), (3, 3), (0, 0), (1, 1)),
    (3, 1, 6, (9, 7), (5, 5), (2, 2), (1, 1)),
    (20, 2, 35, (8, 9), (3, 4), (1, 0), (2, 1)),  # more images than parts
    (2, 3, 48, (40, 31), (7, 7), (3, 3), (2, 2)),
    (1, 3, 17, (5, 700), (3, 1), (1, 0), (1, 3)),  # lines longer than what is summed up at once
    (2, 1, 40, (30, 1), (5, 1), (2, 0), (1, 1)),  # sequences
    (4, 16, 1, (28, 28), (3, 3), (1, 1), (1, 1)),
    (2, 37, 3, (19, 40), (5, 3), (2, 0), (1, 1)),
    (3, 8, 2, (33, 4), (1, 4), (0, 3), (1, 1)),
    (2, 20, 1, (30, 1), (4, 1), (0, 0), (1, 1)),
    (2, 1, 1, (6, 6), (6, 6), (0, 0), (1, 1)),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("instructions", SETS)
@pytest.mark.parametrize("form", [torch.channels_last, torch.contiguous_format], ids=["last", "first"])
def test_sums_and_gradients(shape, instructions, form):
    images, channels, filters, lengths, size, padding, stride = shape
    library = Library(LIBRARY, instructions)
    x, weight = random(images, channels, *lengths), random(filters, channels, *size)
    x, weight, bias = x.contiguous(memory_format=form), weight.contiguous(memory_format=form), random(filters)
    assert narrow.library_for(x, weight, padding, stride, (1, 1)) is not None
    exact = [tensor.double().requires_grad_() for tensor in (x, weight)]
    expected = F.conv2d(exact[0], exact[1], bias.double(), stride, padding)
    assert_close(narrow.convolve(library, x, weight, padding, stride, bias), expected.detach())
    assert_close(narrow.convolve(library, x, weight, padding, stride, bias, relu=True), expected.detach().relu())
    gradient = random(*expected.shape)
    expected.backward(gradient.double())
    found = narrow.gradients(library, gradient, x, weight, padding, stride, [True, True])
    for ours, of in zip(found, exact, strict=True):
        assert of.grad is not None
        assert_close(ours, of.grad)
    assert narrow.gradients(library, gradient, x, weight, padding, stride, [False, False]) == (None, None)


@pytest.mark.parametrize(("channels", "filters"), [(1, 20), (20, 1)])
def test_no_result_depends_on_threads(channels, filters):
    library = kernels()
    assert library is not None
    x, weight, gradient = random(40, channels, 60, 50), random(filters, channels, 3, 3), random(40, filters, 60, 50)
    alone = Library(LIBRARY)
    alone.parallel_for = None
    sizes = ((1, 1), (1, 1))
    y = narrow.convolve(library, x, weight, *sizes)
    assert torch.equal(y, narrow.convolve(alone, x, weight, *sizes))
    assert torch.equal(y[4:6], narrow.convolve(library, x[4:6], weight, *sizes))
    ours = narrow.gradients(library, gradient, x, weight, *sizes, [True, True])
    for one, other in zip(ours, narrow.gradients(alone, gradient, x, weight, *sizes, [True, True]), strict=True):
        assert one is not None
        assert other is not None
        assert torch.equal(one, other)


@pytest.mark.parametrize(("channels", "filters"), [(1, 20), (20, 1)])
def test_what_is_not_finite_stays_so(channels, filters):
    library = kernels()
    assert library is not None
    x, weight = random(1, channels, 8, 8), random(filters, channels, 3, 3)
    x[0, 0, 4, 4] = np.nan
    y = narrow.convolve(library, x, weight, (1, 1), (1, 1), relu=True)
    assert y[0, :, 3:6, 3:6].isnan().all()
    assert y[0, :, :2].isfinite().all()


@pytest.mark.parametrize(
    ("shape", "padding", "stride", "dilation", "suited"),
    [
        ((16, 1, 3, 3), (1, 1), (2, 2), (1, 1), True),
        ((1, 16, 3, 3), (1, 1), (1, 1), (1, 1), True),
        ((1, 16, 3, 3), (1, 1), (2, 1), (1, 1), False),
        ((16, 1, 3, 3), (1, 1), (1, 1), (2, 1), False),
        ((16, 1, 1, 1), (0, 0), (1, 1), (1, 1), False),
        ((16, 4, 3, 3), (1, 1), (1, 1), (1, 1), False),
        ((16, 1, 3, 3), (3, 1), (1, 1), (1, 1), False),
        ((16, 1, 9, 3), (0, 1), (1, 1), (1, 1), False),  # of which none fits into the images
    ],
)
def test_which_convolutions_it_suits(shape, padding, stride, dilation, suited):
    x, weight = torch.empty(2, shape[1], 8, 8), torch.empty(shape)
    assert (narrow.library_for(x, weight, padding, stride, dilation) is not None) == suited
    assert narrow.library_for(x.double(), weight.double(), padding, stride, dilation) is None
    assert narrow.library_for(x[:0], weight, padding, stride, dilation) is None


def drawn(ordering: str) -> Any:
    """A network whose images have few channels in the beginning and in the end, some with gaps and steps."""

    def convolution(filters: int, size: int, **more: Any) -> Any:
        return Convolution2D(filters, size, size, dim_ordering=ordering, **more)

    x = Input((17, 20, 1) if ordering == "tf" else (1, 17, 20))
    y = convolution(12, 5, border_mode="same", activation="relu")(x)
    same = convolution(1, 3, border_mode="same", activation="sigmoid")(y)
    ends = [same, merge([same, x], mode="sum")]
    ends.append(convolution(3, 3, subsample=(2, 3), activation="relu")(y))
    ends.append(AtrousConvolution2D(2, 3, 3, atrous_rate=(2, 2), border_mode="same", dim_ordering=ordering)(y))
    ends.append(convolution(1, 2)(ZeroPadding2D((4, 3), dim_ordering=ordering)(y)))
    ends.append(convolution(40, 3, border_mode="same")(same))
    return Model(x, [Flatten()(end) for end in ends])


@pytest.mark.usefixtures("instructions")
@pytest.mark.parametrize("ordering", ["tf", "th"])
def test_predictions_are_those_of_the_layers(ordering):
    model = drawn(ordering)
    x = rows_for(model, 3)
    for y, expected in zip(model.predict(x), plain(model, x), strict=True):
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=2e-6)


@pytest.mark.usefixtures("instructions")
@pytest.mark.parametrize("channels", [1, 20])
def test_rows_that_see_nothing_but_zeros_are_left_out(channels):
    """Windows of which whole rows, or all, are outside of the images."""
    x = Input((3, 9, channels))
    y = Convolution2D(33, 5, 5, border_mode="same", activation="relu")(ZeroPadding2D((6, 2))(x))
    model = Model(x, Flatten()(y))
    given = rows_for(model, 2)
    np.testing.assert_allclose(model.predict(given), plain(model, given)[0], rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("ordering", ["tf", "th"])
def test_training_moves_weights_as_without(monkeypatch, ordering):
    moved = []
    for own in (kernels, lambda: None):
        monkeypatch.setattr(narrow, "kernels", own)
        torch.manual_seed(0)
        shape, series = ((12, 11, 1) if ordering == "tf" else (1, 12, 11)), Input((40, 1))
        image = Input(shape)
        y = Convolution2D(9, 3, 3, subsample=(2, 1), activation="relu", dim_ordering=ordering)(image)
        y = Convolution2D(1, 3, 3, border_mode="same", dim_ordering=ordering)(y)
        z = Convolution1D(1, 4)(Convolution1D(24, 5, activation="relu", border_mode="same")(series))
        model = Model([image, series], [Flatten()(y), Flatten()(z)])
        model.compile("sgd", "mse")
        RNG.seed(0)
        given = [random(8, *shape).numpy(), random(8, 40, 1).numpy()]
        wanted = [random(*output.shape).numpy() for output in model.predict(given)]
        for _ in range(3):
            model.train_on_batch(given, wanted)
        moved.append(model.get_weights())
    for ours, expected in zip(*moved, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)
