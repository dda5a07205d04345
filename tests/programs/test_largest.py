"""The largest values over all positions, and the gradients behind them, beside torch's own."""

from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.keras.layers import Convolution1D, Dense, Embedding, GlobalMaxPooling1D
from bigdl.keras.models import Sequential
from bigdl.native import LIBRARY, Library, kernels
from bigdl.programs import largest, program_for
from bigdl.programs.operations import Convolve

SETS = found.instruction_sets if (found := kernels()) else []

pytestmark = pytest.mark.skipif(not SETS, reason="the kernels were not built")


def images(*shape: int) -> Tensor:
    return torch.randn(*shape).contiguous(memory_format=torch.channels_last)


@pytest.fixture(autouse=True)
def same_numbers():
    torch.manual_seed(0)


@pytest.fixture(params=SETS)
def library(request):
    return Library(LIBRARY, request.param)


def with_ties(x: Tensor) -> Tensor:
    """Returns a tensor in which several positions are equally large, in some channels."""
    x = x.clone(memory_format=torch.preserve_format)
    x[:, ::3, -2:] = x.amax((2, 3))[:, ::3, None, None] + 1
    return x


@pytest.mark.parametrize("shape", [(3, 5, 16, 1), (2, 40, 7, 9), (4, 16, 5, 5), (1, 1, 4, 4)], ids=str)
def test_values_and_gradients(library, shape):
    for x in (images(*shape), with_ties(images(*shape))):
        y, places = largest.found(library, x)
        exact = x.double().requires_grad_()
        expected = exact.amax((2, 3))
        assert torch.equal(y.double(), expected)
        gradient = torch.randn_like(y)
        expected.backward(gradient.double())
        for of_x in (largest.spread(library, gradient, x, y, places), largest.spread_by_torch(gradient, x, y)):
            torch.testing.assert_close(of_x, exact.grad, rtol=1e-6, atol=0, check_dtype=False)


def test_so_many_ties_that_there_is_no_room(library):
    x = images(2, 20, 8, 8)
    x[1] = 3.0
    y, places = largest.found(library, x)
    assert not places.are_few()
    gradient = torch.randn_like(y)
    of_x = largest.spread(library, gradient, x, y, places)
    torch.testing.assert_close(of_x[1], (gradient[1] / 64)[:, None, None].expand(20, 8, 8))
    assert (of_x[0] != 0).sum() == 20


def test_nan_is_the_largest(library):
    x = images(2, 20, 8, 8)
    x[0, 4, 2, 3] = np.nan
    x[1, 7, 0, 0] = x[1, 7, 5, 5] = np.nan
    y, places = largest.found(library, x)
    assert y.isnan().nonzero().tolist() == [[0, 4], [1, 7]]
    gradient = torch.ones_like(y)
    of_x = largest.spread(library, gradient, x, y, places)
    assert of_x[0, 4].nonzero().tolist() == [[2, 3]]
    assert of_x[1, 7, 0, 0] == of_x[1, 7, 5, 5] == 0.5
    assert torch.equal(of_x, largest.spread_by_torch(gradient, x, y))


# Images, channels, filters, rows, columns, the kernel's rows and columns, zeros, strides, dilations.
SHAPES: Any = [
    (3, 50, 40, (30, 1), (3, 1), (0, 0), (1, 1), (1, 1)),
    (2, 17, 20, (30, 1), (4, 1), (2, 0), (1, 1), (1, 1)),
    (2, 7, 33, (30, 1), (2, 1), (1, 0), (1, 1), (3, 1)),
    (2, 7, 33, (60, 1), (3, 1), (1, 0), (3, 1), (1, 1)),
    (4, 3, 5, (9, 8), (2, 3), (1, 2), (1, 1), (1, 1)),
    (2, 35, 36, (9, 12), (3, 3), (2, 1), (1, 2), (2, 1)),
    (2, 5, 6, (9, 12), (2, 2), (0, 1), (2, 1), (1, 3)),
    (2, 32, 32, (8, 8), (3, 3), (1, 1), (1, 1), (1, 1)),
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_gradients_of_a_convolution(library, shape, threads):
    count, channels, filters, lengths, size, padding, stride, dilation = shape
    x, weight = images(count, channels, *lengths), images(filters, channels, *size)
    exact = [tensor.double().requires_grad_() for tensor in (x, weight)]
    y = F.conv2d(exact[0], exact[1], None, stride, padding, dilation)
    assert largest.pays(x, weight, padding, stride, dilation) == (y[0, 0].numel() >= 16)
    _, places = largest.found(library, y.detach().float())
    gradient = torch.randn(count, filters)
    y.amax((2, 3)).backward(gradient.double())
    sizes = (list(padding), list(stride), list(dilation))
    found: list[list[Tensor]] = []
    for threads_at_work in (1, 2, 3):
        threads(threads_at_work)
        ours = largest.convolution_gradients(library, gradient, places, x, weight, sizes, (True, True))
        found.append([one for one in ours if one is not None])
        for one, of in zip(found[-1], exact, strict=True):
            torch.testing.assert_close(one, of.grad, rtol=1e-5, atol=1e-5, check_dtype=False)
        assert all(torch.equal(one, other) for one, other in zip(found[0], found[-1], strict=True))
    assert largest.convolution_gradients(library, gradient, places, x, weight, sizes, (False, False)) == (None, None)


def text(words: int) -> Any:
    model = Sequential(
        [
            Embedding(words, 20, input_length=60),
            Convolution1D(24, 3, activation="relu"),
            GlobalMaxPooling1D(),
            Dense(1, activation="sigmoid"),
        ]
    )
    model.compile("sgd", "binary_crossentropy")
    return model


@pytest.mark.parametrize("padded", [30, 56, 60], ids="{} of 60 words are the same".format)
def test_sequences_with_many_equal_windows(padded, monkeypatch):
    """As in texts that are padded; the largest of the windows share the gradient."""
    torch.manual_seed(0)
    model = text(30)
    x = np.random.RandomState(0).randint(1, 30, (16, 60))
    x[:, :padded] = 0
    given = torch.from_numpy(x)
    program = program_for(model, training=True)
    assert program is not None
    assert [operation.over_all for operation in program.operations if isinstance(operation, Convolve)] == [True]
    dense = Mock(wraps=largest.spread_by_torch)
    monkeypatch.setattr(largest, "spread_by_torch", dense)
    parameters = list(model.parameters())
    ours = torch.autograd.grad(program.run([given])[0].sum(), parameters)
    expected = torch.autograd.grad(model.run(given)[0].sum(), parameters)
    assert dense.called == (padded >= 56)
    for one, other in zip(ours, expected, strict=True):
        torch.testing.assert_close(one.to_dense(), other.to_dense(), rtol=1e-4, atol=1e-5)


def test_without_the_library(monkeypatch):
    monkeypatch.setattr(largest, "kernels", lambda: None)
    monkeypatch.setattr(largest, "found", None)
    x = images(2, 5, 6, 6).requires_grad_()
    y = largest.largest_values(x)
    assert torch.equal(y, x.amax((2, 3)))
