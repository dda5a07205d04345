"""The kernels' gradients of weights: as exact as products and sums of float32 are, by every instruction set."""

import math

import pytest
import torch
from torch import Tensor

from bigdl.layers.recurrent.kernels.native import NativeKernel, native_kernel
from bigdl.native import LIBRARY, Library

SETS = found.library.instruction_sets if (found := native_kernel()) else []
EPS = torch.finfo(torch.float32).eps

# Tiles, panels and blocks of rows that are full, and such that are not; more columns than are done at once.
SHAPES = [
    (1, 16, 32),
    (2, 3, 2),
    (31, 16, 31),
    (64, 64, 64),
    (65, 37, 33),
    (40, 20, 48),
    (131, 96, 130),
    (70, 530, 600),
]


def gradient(instruction_set: str, sums: Tensor, inputs: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients of the weight and of the bias, of (rows, columns)."""
    weight, bias = torch.full((sums.shape[1], inputs.shape[1]), math.nan), torch.full((sums.shape[1],), math.nan)
    kernel = NativeKernel(Library(LIBRARY, instruction_set))
    kernel.weight_gradient(sums.unsqueeze(1), inputs.unsqueeze(1), weight, bias)
    return weight, bias


def numbers_of_many_sizes(rows: int, columns: int) -> Tensor:
    """Columns of a wider matrix."""
    exponents = torch.linspace(-12, 12, rows * (columns + 5))[torch.randperm(rows * (columns + 5))]
    return (torch.randn(rows * (columns + 5)) * 10**exponents).view(rows, -1)[:, 5:]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("instruction_set", SETS)
def test_it_is_exact_to_the_last_bits(instruction_set, shape):
    rows, outputs, inputs = shape
    for numbers in (torch.randn, numbers_of_many_sizes):
        out, x = numbers(rows, outputs), numbers(rows, inputs)
        weight, bias = gradient(instruction_set, out, x)
        exact, sizes = out.double().t() @ x.double(), out.double().abs().t() @ x.double().abs()
        assert ((weight - exact).abs() <= 4 * EPS * sizes).all()
        assert ((bias - out.double().sum(0)).abs() <= 4 * EPS * out.double().abs().sum(0)).all()


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("instruction_set", SETS)
def test_what_is_not_finite_stays_where_it_is(instruction_set, value):
    out, x = torch.randn(70, 40), torch.randn(70, 50)
    out[3, 7], x[5, 11] = value, value
    weight, bias = gradient(instruction_set, out, x)
    expected = torch.ones(40, 50, dtype=torch.bool)
    expected[7], expected[:, 11] = False, False
    assert torch.equal(weight.isfinite(), expected)
    assert torch.equal(bias.isfinite(), expected[:, 0])


@pytest.mark.parametrize("instruction_set", SETS)
def test_large_and_small_numbers(instruction_set):
    """Numbers of 1e-33 and more have all their digits."""
    for size in (1e30, 1e-30):
        out, x = torch.rand(64, 64).add_(1).mul_(size / 2), torch.rand(64, 64).add_(1).div_(128 * size)
        weight, _ = gradient(instruction_set, out, x)
        torch.testing.assert_close(weight.double(), out.double().t() @ x.double(), rtol=1e-6, atol=0)
