"""Products of two matrices, by the kernels and by torch."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bigdl.native import LIBRARY, Library, kernels
from bigdl.programs.products import product, suits

SETS = found.instruction_sets if (found := kernels()) else []

pytestmark = pytest.mark.skipif(not SETS, reason="the kernels were not built")

# Rows, columns and depth: a few values; edges of tiles; several blocks of depth, and panels in a group; few rows, few
# columns or a small depth, and as many of the others as make blocks and panels with ends.
SIZES = [(1, 1, 1), (3, 17, 5), (120, 10, 700), (128, 512, 70), (97, 131, 600), (515, 100, 1100), (130, 1030, 33)]
SIZES += [
    (32, 300, 784),
    (200, 116, 60),
    (1100, 52, 600),
    (7, 1004, 1100),
    (60, 20, 2000),
    (61, 250, 99),
    (150, 1030, 600),
]


def as_it_is(matrix: Tensor) -> Tensor:
    return matrix


def transposed(matrix: Tensor) -> Tensor:
    return matrix.t().contiguous().t()


def with_gaps(matrix: Tensor) -> Tensor:
    wide = torch.full((len(matrix), matrix.shape[1] + 3), torch.nan)
    wide[:, : matrix.shape[1]] = matrix
    return wide[:, : matrix.shape[1]]


@pytest.mark.parametrize("right_as", [as_it_is, transposed, with_gaps])
@pytest.mark.parametrize("left_as", [as_it_is, transposed, with_gaps])
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("instruction_set", SETS)
def test_it_is_the_product_with_the_rounding_of_float32(
    instruction_set: str,
    sizes: tuple[int, int, int],
    left_as: Callable[[Tensor], Tensor],
    right_as: Callable[[Tensor], Tensor],
) -> None:
    rows, columns, depth = sizes
    left, right = left_as(torch.randn(rows, depth)), right_as(torch.randn(depth, columns))
    result = product(Library(LIBRARY, instruction_set), left, right)
    exact, size = left.double() @ right.double(), left.double().abs() @ right.double().abs()
    assert result.shape == (rows, columns)
    assert ((result - exact).abs() <= 4e-7 * size).all()


@pytest.mark.parametrize(
    ("instruction_set", "sizes"),
    [(name, sizes) for name in SETS for sizes in SIZES[2:] if suits(Library(LIBRARY, name), *sizes)],
)
def test_any_number_of_threads_gives_the_same_numbers(threads, instruction_set, sizes):
    rows, columns, depth = sizes
    library, left, right = Library(LIBRARY, instruction_set), torch.randn(rows, depth), torch.randn(depth, columns)
    alone = product(library, left, right)
    for count in (2, 3):
        threads(count)
        for _ in range(20):
            assert torch.equal(product(library, left, right), alone)


@pytest.mark.parametrize("instruction_set", SETS)
def test_a_value_that_is_not_finite_is_seen(instruction_set):
    left, right = torch.randn(128, 300), torch.randn(300, 128)
    left[5, 7], right[20, 9] = torch.nan, torch.inf
    result = product(Library(LIBRARY, instruction_set), left, right)
    finite = torch.isfinite(result)
    assert not finite[5].any()
    assert not finite[:, 9].any()
    finite[5], finite[:, 9] = True, True
    assert finite.all()


@pytest.mark.parametrize("instruction_set", SETS)
def test_no_rows(instruction_set):
    assert product(Library(LIBRARY, instruction_set), torch.randn(0, 5), torch.randn(5, 3)).shape == (0, 3)
