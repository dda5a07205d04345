"""Gradients written by hand are those that torch finds."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bigdl.errors import DataError
from bigdl.layers.settings import epsilon
from bigdl.native import LIBRARY, Library, kernels
from bigdl.training import entropy, losses, objectives
from bigdl.training.entropy import graded_binary_cross_entropy
from bigdl.training.graded import GRADED, graded
from bigdl.training.objectives import Objective

SETS = found.instruction_sets if (found := kernels()) else []


def shares(columns: int) -> Tensor:
    """Probabilities, some of them 0 and 1 and next to these."""
    x = torch.rand(40, columns)
    x[3], x[4], x[5], x[6] = 0.0, 1.0, 3e-8, 1 - 6e-8
    x[7:9] = 1e-7
    return x


def numbers(columns: int) -> Tensor:
    x = torch.randn(40, columns) * 3
    x[2] = torch.nan
    return x


def ones_and_zeros(columns: int) -> Tensor:
    return (torch.rand(40, columns) < 0.5).float()


def class_numbers(columns: int) -> Tensor:
    return torch.randint(0, columns, (40, 1))


CASES: list[tuple[Objective, Callable[[int], Tensor], Callable[[int], Tensor]]] = [
    (objectives.categorical_crossentropy, ones_and_zeros, shares),
    (objectives.mean_squared_error, lambda n: torch.randn(40, n), numbers),
    (objectives.mean_absolute_error, lambda n: torch.randn(40, n), numbers),
    (objectives.binary_crossentropy, ones_and_zeros, shares),
    (objectives.binary_crossentropy, lambda n: torch.rand(40, n), shares),
    (objectives.sparse_categorical_crossentropy, class_numbers, shares),
]


@pytest.mark.parametrize("columns", [1, 7])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].__name__)
def test_scores_and_gradients(case, columns):
    objective, make_targets, make_outputs = case
    y_true, y_pred = make_targets(columns), make_outputs(columns).requires_grad_()
    found = graded(objective, y_true, y_pred, 0.25)
    if found is None:
        assert objective is objectives.categorical_crossentropy  # the kernels were not built
        return
    scores = objective(y_true, y_pred)
    expected = torch.autograd.grad(0.25 * scores.sum(), y_pred)[0]
    torch.testing.assert_close(found[0], scores.detach(), rtol=1e-5, atol=1e-6, equal_nan=True)
    torch.testing.assert_close(found[1], expected, rtol=1e-4, atol=1e-6, equal_nan=True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].__name__)
def test_steps(case):
    objective, make_targets, make_outputs = case
    y_true, y_pred = make_targets(6).view(4, 5, 2, -1), make_outputs(6).view(4, 5, 2, 6)
    y_pred = y_pred.transpose(1, 2).contiguous().transpose(1, 2).requires_grad_()
    found = graded(objective, y_true, y_pred, 0.25)
    if found is None:
        assert objective is objectives.categorical_crossentropy  # the kernels were not built
        return
    expected = losses.terms(objective, y_true, y_pred).numerator
    torch.testing.assert_close(found[0].sum(), expected.detach(), rtol=1e-5, atol=1e-6, equal_nan=True)
    (gradient,) = torch.autograd.grad(0.25 * expected, y_pred)
    torch.testing.assert_close(found[1], gradient, rtol=1e-4, atol=1e-6, equal_nan=True)


@pytest.mark.parametrize("instruction_set", SETS)
@pytest.mark.parametrize("columns", [1, 7, 16, 50])
def test_binary_entropies_by_all_instruction_sets(monkeypatch, instruction_set, columns):
    library = Library(LIBRARY, instruction_set)
    monkeypatch.setattr(entropy, "kernels", lambda: library)
    y_true, y_pred = torch.rand(40, columns), shares(columns)
    y_pred[20, 0] = torch.nan
    found = graded_binary_cross_entropy(y_true, y_pred, 0.25)
    assert found is not None
    exact = y_pred.double().clamp(float(torch.tensor(epsilon())), float(torch.tensor(1.0 - epsilon())))
    scores = objectives.binary_crossentropy(y_true, y_pred.requires_grad_())
    torch.testing.assert_close(found[0], scores.detach(), rtol=2e-6, atol=1e-7, equal_nan=True)
    (gradient,) = torch.autograd.grad(0.25 * scores.sum(), y_pred)
    found[1][20, 0] = gradient[20, 0] = 0.0
    torch.testing.assert_close(found[1], gradient, rtol=1e-4, atol=1e-6)
    inside = (exact > 1e-3) & (exact < 1 - 1e-3)
    slope = 0.25 / columns * (exact - y_true) / exact / (1 - exact)
    torch.testing.assert_close(found[1].double()[inside], slope[inside], rtol=1e-5, atol=1e-6)


def test_all_are_tested():
    assert {case[0] for case in CASES} == set(GRADED)


def test_targets_that_torch_has_to_see():
    y_pred = torch.rand(5, 3)
    for y_true in (torch.rand(5, 1), torch.rand(5, 3).double(), torch.rand(5, 3).requires_grad_()):
        assert graded(objectives.mean_squared_error, y_true, y_pred, 1.0) is None
    assert graded(objectives.mean_squared_error, torch.rand(5, 2, 1), torch.rand(5, 2, 3), 1.0) is None
    assert graded(objectives.sparse_categorical_crossentropy, torch.zeros(5, 1), y_pred, 1.0) is None
    assert graded(objectives.hinge, torch.rand(5, 3), y_pred, 1.0) is None


def test_a_class_number_that_is_out_of_range():
    with pytest.raises(DataError, match="class numbers from 0 to 2"):
        graded(objectives.sparse_categorical_crossentropy, torch.full((5, 1), 3), torch.rand(5, 3), 1.0)
