"""Convolutions over sequences as products, and their gradients, beside torch's in double precision."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from bigdl.native import LIBRARY, Library, kernels
from bigdl.programs import sequences

SETS = found.instruction_sets if (found := kernels()) else []

pytestmark = pytest.mark.skipif(not SETS, reason="the kernels were not built")

# Sequences, channels, filters, length, the kernel's length, zeros on either side.
SHAPES = [
    (1, 16, 16, 2, 2, 0),
    (3, 16, 35, 7, 3, 1),
    (5, 50, 70, 40, 3, 0),
    (2, 130, 17, 21, 5, 2),  # deeper than a panel
    (40, 33, 64, 9, 4, 3),
    (7, 64, 100, 90, 2, 0),
]


def as_images(*shape: int) -> Tensor:
    """Random sequences (sequences, channels, length), as images of one column with the channels last."""
    return torch.randn(*shape).movedim(1, 2).contiguous().movedim(2, 1)[..., None]


def assert_close(ours: Tensor | None, expected: Tensor | None) -> None:
    assert ours is not None
    assert expected is not None
    assert ours.shape == expected.shape
    assert (ours - expected).abs().max() <= 3e-6 * expected.abs().max()


@pytest.fixture(autouse=True)
def same_numbers():
    torch.manual_seed(0)


# Images, channels, filters, rows, columns; the kernel has one cell.
IMAGES = [(2, 16, 40, 1, 7), (3, 70, 33, 8, 5), (1, 150, 64, 30, 31), (2, 64, 260, 12, 1)]


@pytest.mark.parametrize("form", [torch.channels_last, torch.contiguous_format], ids=["last", "first"])
@pytest.mark.parametrize("shape", IMAGES, ids=str)
@pytest.mark.parametrize("instruction_set", SETS)
def test_images_by_kernels_of_one_cell(instruction_set, shape, form):
    images, channels, filters, rows, columns = shape
    x, weight = torch.randn(images, channels, rows, columns), torch.randn(filters, channels, 1, 1)
    gradient = torch.randn(images, filters, rows, columns).contiguous(memory_format=form)
    check(Library(LIBRARY, instruction_set), x.contiguous(memory_format=form), weight, gradient, 0)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("instruction_set", SETS)
def test_sums_and_gradients(instruction_set, shape):
    count, channels, filters, length, size, zeros = shape
    x, weight = as_images(count, channels, length), torch.randn(filters, channels, size, 1)
    gradient = as_images(count, filters, length + 2 * zeros - size + 1)
    check(Library(LIBRARY, instruction_set), x, weight, gradient, zeros)


def check(library: Library, x: Tensor, weight: Tensor, gradient: Tensor, zeros: int) -> None:
    """Compares sums and gradients with torch's."""
    bias = torch.randn(len(weight))
    exact = [tensor.double().requires_grad_() for tensor in (x, weight)]
    expected = F.conv2d(exact[0], exact[1], bias.double(), padding=(zeros, 0))
    assert_close(sequences.convolve(library, x, weight, [zeros, 0], bias), expected.detach())
    assert_close(sequences.convolve(library, x, weight, [zeros, 0], bias, relu=True), expected.detach().relu())
    expected.backward(gradient.double())
    of_x, of_weight = sequences.gradients(library, gradient, x, weight, [zeros, 0], [True, True])
    assert_close(of_x, exact[0].grad)
    assert_close(of_weight, exact[1].grad)
    assert sequences.gradients(library, gradient, x, weight, [zeros, 0], [False, False]) == (None, None)


@pytest.mark.parametrize("instruction_set", SETS)
def test_any_number_of_threads_and_any_other_sequences_give_the_same_numbers(threads, instruction_set):
    library = Library(LIBRARY, instruction_set)
    x, weight = as_images(20, 50, 100), torch.randn(90, 50, 3, 1)
    gradient = as_images(20, 90, 98)
    results: list[Any] = []
    for count in (1, 2, 3):
        threads(count)
        y = sequences.convolve(library, x, weight, [0, 0])
        assert torch.equal(sequences.convolve(library, x[3:9], weight, [0, 0]), y[3:9])
        results.append([y, *sequences.gradients(library, gradient, x, weight, [0, 0], [True, True])])
    for others in results[1:]:
        assert all(torch.equal(one, other) for one, other in zip(results[0], others, strict=True))


@pytest.mark.parametrize("instruction_set", SETS)
def test_the_same_windows_give_the_same_numbers(instruction_set):
    x = as_images(2, 50, 60)
    x[:, :, 10:] = x[:, :, 10:11]
    y = sequences.convolve(Library(LIBRARY, instruction_set), x, torch.randn(40, 50, 3, 1), [0, 0], torch.randn(40))
    assert torch.equal(y[:, :, 10:], y[:, :, 10:11].expand(-1, -1, 48, -1))


@pytest.mark.parametrize("instruction_set", SETS)
def test_what_is_not_finite_is_seen(instruction_set):
    x = as_images(4, 50, 60)
    x[1, 7, 30] = np.nan
    y = sequences.convolve(Library(LIBRARY, instruction_set), x, torch.randn(40, 50, 3, 1), [0, 0], relu=True)
    assert y[1, :, 28:31].isnan().all()
    assert int(y.isnan().sum()) == 3 * 40


@pytest.mark.parametrize(
    ("shape", "weight", "padding", "stride", "dilation", "suited"),
    [
        ((2, 16, 9, 1), (16, 16, 3, 1), (0, 0), (1, 1), (1, 1), True),
        ((2, 16, 1, 1), (16, 16, 3, 1), (1, 0), (1, 1), (1, 1), True),
        ((2, 16, 2, 1), (16, 16, 3, 1), (0, 0), (1, 1), (1, 1), False),
        ((0, 16, 9, 1), (16, 16, 3, 1), (0, 0), (1, 1), (1, 1), False),
        ((2, 16, 9, 1), (16, 16, 1, 1), (0, 1), (1, 1), (1, 1), False),
        ((2, 16, 9, 1), (16, 16, 3, 1), (0, 0), (2, 1), (1, 1), False),
        ((2, 16, 9, 1), (16, 16, 3, 1), (0, 0), (1, 1), (2, 1), False),
        ((2, 16, 9, 2), (16, 16, 3, 1), (0, 0), (1, 1), (1, 1), False),
        ((2, 8, 9, 1), (16, 8, 3, 1), (0, 0), (1, 1), (1, 1), False),
        ((2, 16, 9, 8), (16, 16, 1, 1), (0, 0), (1, 1), (1, 1), True),  # few products
        ((2, 16, 9, 8), (16, 16, 1, 1), (1, 1), (1, 1), (1, 1), False),
        ((2, 16, 9, 8), (16, 16, 1, 1), (0, 0), (2, 2), (1, 1), False),
    ],
)
def test_which_convolutions_it_suits(shape, weight, padding, stride, dilation, suited):
    x, kernel = torch.randn(shape), torch.randn(weight)
    assert (sequences.library_for(x, kernel, padding, stride, dilation) is not None) == suited
    assert sequences.library_for(x.double(), kernel.double(), padding, stride, dilation) is None
