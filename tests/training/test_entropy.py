"""The cross-entropy in one pass is what torch's operations compute."""

import pytest
import torch
from torch import Tensor

from bigdl.native import LIBRARY, Library, kernels
from bigdl.training import entropy
from bigdl.training.entropy import cross_entropy, graded_cross_entropy, plain

SETS = found.instruction_sets if (found := kernels()) else []


def shares(*shape: int) -> Tensor:
    return torch.rand(shape) / shape[-1]


def one_hot(rows: int, classes: int) -> Tensor:
    return torch.nn.functional.one_hot(torch.arange(rows) % classes, classes).float()


def clipped() -> Tensor:
    """Probabilities that are 0 and 1."""
    x = shares(6, 9)
    x[0] = 0.0
    x[0, 3] = 1.0
    x[1, :5] = 0.0
    return x


def not_a_number() -> Tensor:
    x = shares(3, 20)
    x[1, 7] = torch.nan
    return x


CASES = {
    "classes": lambda: (one_hot(37, 10), shares(37, 10)),
    "many": lambda: (one_hot(5, 1003), shares(5, 1003)),
    "steps": lambda: (shares(4, 6, 17), shares(4, 6, 17)),
    "one": lambda: (torch.ones(5, 1), shares(5, 1)),
    "a vector": lambda: (one_hot(8, 8)[3], shares(8)),
    "clipped": lambda: (one_hot(6, 9), clipped()),
    "not a number": lambda: (shares(3, 20), not_a_number()),
    "nothing": lambda: (torch.ones(0, 4), shares(0, 4)),
}


@pytest.mark.parametrize("instruction_set", SETS)
@pytest.mark.parametrize("case", CASES)
def test_scores_and_gradients(monkeypatch, case, instruction_set):
    library = Library(LIBRARY, instruction_set)
    monkeypatch.setattr(entropy, "kernels", lambda: library)
    y_true, y_pred = CASES[case]()
    y_pred.requires_grad_()
    ours, theirs = cross_entropy(y_true, y_pred), plain(y_true, y_pred)
    assert type(ours.grad_fn).__name__ == "_OnePassBackward"
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6, equal_nan=True)
    factor = torch.rand(ours.shape)
    (first,), (second,) = (torch.autograd.grad((y * factor).sum(), y_pred) for y in (ours, theirs))
    torch.testing.assert_close(first, second, rtol=1e-5, atol=1e-6, equal_nan=True)


def test_a_gradients_gradient():
    y_true, y_pred = CASES["classes"]()
    y_pred.requires_grad_()
    results = []
    for function in (cross_entropy, plain):
        (gradient,) = torch.autograd.grad(function(y_true, y_pred).sum(), y_pred, create_graph=True)
        results.append(torch.autograd.grad(gradient.square().sum(), y_pred)[0])
    torch.testing.assert_close(*results)


@pytest.mark.parametrize(
    "change",
    [Tensor.double, lambda x: x.t().contiguous().t(), lambda x: x.clone().requires_grad_(), lambda x: x[:1]],
    ids=["float64", "transposed", "of the model", "one for all"],
)
def test_other_targets_are_taken_by_torch(change):
    y_true, y_pred = CASES["classes"]()
    y_true = change(y_true)
    assert torch.equal(cross_entropy(y_true, y_pred), plain(y_true, y_pred))


@pytest.mark.parametrize("instruction_set", SETS)
@pytest.mark.parametrize("case", CASES)
def test_scores_beside_the_gradient_of_their_sum(monkeypatch, case, instruction_set):
    library = Library(LIBRARY, instruction_set)
    monkeypatch.setattr(entropy, "kernels", lambda: library)
    y_true, y_pred = CASES[case]()
    y_pred.requires_grad_()
    found = graded_cross_entropy(y_true, y_pred.detach(), 0.25)
    assert found is not None
    scores = plain(y_true, y_pred)
    expected = torch.autograd.grad(0.25 * scores.sum(), y_pred)[0]
    torch.testing.assert_close(found[0], scores.detach(), rtol=1e-6, atol=1e-6, equal_nan=True)
    torch.testing.assert_close(found[1], expected, rtol=1e-5, atol=1e-6, equal_nan=True)
    assert not any(x.requires_grad for x in found)


def test_scores_beside_the_gradient_of_others():
    y_true, y_pred = CASES["classes"]()
    assert graded_cross_entropy(y_true.double(), y_pred.double(), 1.0) is None
