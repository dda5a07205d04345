"""Gradients of BigDL's criterions that are written by hand are those that torch finds."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bigdl.errors import DataError
from bigdl.keras.layers import Dense
from bigdl.keras.models import Sequential
from bigdl.nn.criterion import (
    AbsCriterion,
    BCECriterion,
    CategoricalCrossEntropy,
    ClassNLLCriterion,
    ClassSimplexCriterion,
    CosineProximityCriterion,
    CrossEntropyCriterion,
    MSECriterion,
)
from bigdl.optim.optimizer import SGD, MaxEpoch, Optimizer
from bigdl.training import criterion_goal
from bigdl.training.graded_criterions import graded

Case = tuple[Any, Callable[..., Tensor], Callable[..., Tensor]]


@pytest.fixture(autouse=True)
def same_numbers():
    """Begins each test's random numbers anew."""
    torch.manual_seed(0)


def numbers(*shape: int) -> Tensor:
    return torch.randn(shape)


def shares(*shape: int) -> Tensor:
    """Probabilities, some of them 0 and 1 and next to these."""
    x = torch.rand(shape)
    x[0], x[1], x[2] = 0.0, 1.0, 3e-9
    return x


def log_shares(*shape: int) -> Tensor:
    return torch.randn(shape).log_softmax(-1)


def ones_and_zeros(*shape: int) -> Tensor:
    return (torch.rand(shape) < 0.5).float()


def from_one(*shape: int) -> Tensor:
    return torch.randint(1, shape[-1] + 1, (*shape[:-1], 1)).float()


def from_zero(*shape: int) -> Tensor:
    return torch.randint(0, shape[-1], shape[:-1])


CASES: list[Case] = [
    (MSECriterion(), numbers, numbers),
    (AbsCriterion(), numbers, numbers),
    (AbsCriterion(size_average=False), numbers, numbers),
    (BCECriterion(), shares, ones_and_zeros),
    (BCECriterion(size_average=False), shares, ones_and_zeros),
    (ClassNLLCriterion(), log_shares, from_one),
    (ClassNLLCriterion(logProbAsInput=False), shares, from_one),
    (ClassNLLCriterion(logProbAsInput=False, size_average=False), shares, from_one),
    (ClassNLLCriterion(zero_based_label=True), log_shares, from_zero),
    (CrossEntropyCriterion(), numbers, from_one),
    (CrossEntropyCriterion(size_average=False), numbers, from_one),
    (CategoricalCrossEntropy(), shares, ones_and_zeros),
]


@pytest.mark.parametrize("shape", [(40, 7), (9, 1), (6, 5, 4)], ids=str)
@pytest.mark.parametrize("case", CASES, ids=lambda case: type(case[0]).__name__)
def test_losses_and_gradients(case, shape):
    criterion, make_output, make_target = case
    output, target = make_output(*shape).requires_grad_(), make_target(*shape)
    found = graded(criterion, output, target)
    if found is None:
        assert isinstance(criterion, CategoricalCrossEntropy)  # the kernels were not built
        return
    term, gradient = found
    expected = criterion.terms(output, target)
    assert not term.numerator.requires_grad
    torch.testing.assert_close(term.numerator, expected.numerator.detach(), rtol=1e-5, atol=1e-6, equal_nan=True)
    assert term.counted() == expected.counted()
    (slopes,) = torch.autograd.grad(expected.value, output)
    assert gradient.shape == output.shape
    torch.testing.assert_close(gradient, slopes, rtol=1e-5, atol=1e-7, equal_nan=True)


def test_what_it_leaves_to_torch():
    output, labels = torch.rand(4, 3), torch.tensor([1.0, 2.0, -1.0, 3.0])
    assert graded(ClassNLLCriterion(), output, labels) is None  # padding
    labels = labels.abs()
    assert graded(ClassNLLCriterion(), output, labels) is not None
    assert graded(ClassNLLCriterion(weights=np.ones(3)), output, labels) is None
    assert graded(BCECriterion(weights=np.ones(3)), output, output) is None
    assert graded(CosineProximityCriterion(), output, output) is None
    assert graded(ClassSimplexCriterion(3), output, labels) is None  # derived from MSECriterion
    assert graded(lambda output, target: output.sum(), output, labels) is None
    assert graded(MSECriterion(), output[:0], output[:0]) is None
    assert graded(MSECriterion(), output, output.clone().requires_grad_()) is None


@pytest.mark.parametrize("labels", [[0.0, 1.0], [1.0, 4.0], [1.5, 1.0], [1.0, 1.0, 1.0]])
def test_labels_are_checked(labels):
    output = torch.rand(2, 3)
    with pytest.raises(DataError):
        graded(ClassNLLCriterion(), output, torch.tensor(labels)) or ClassNLLCriterion()(output, torch.tensor(labels))


@pytest.mark.parametrize(
    "criterion", [ClassNLLCriterion(logProbAsInput=False), MSECriterion(), CrossEntropyCriterion()]
)
def test_training_moves_weights_as_without(monkeypatch, criterion):
    random = np.random.RandomState(0)
    x = random.randn(24, 5).astype("float32")
    y = random.randint(1, 4, 24) if isinstance(criterion, ClassNLLCriterion) else random.randn(24, 3)
    moved = []
    for way in (graded, lambda *_: None):
        monkeypatch.setattr(criterion_goal, "graded", way)
        torch.manual_seed(0)
        model = Sequential([Dense(8, input_dim=5, activation="tanh"), Dense(3, activation="softmax")])
        optimizer = Optimizer(model, (x, y.astype("float32")), criterion, MaxEpoch(3), 8, SGD(0.1))
        moved.append(optimizer.optimize().get_weights())
    for ours, expected in zip(*moved, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)
