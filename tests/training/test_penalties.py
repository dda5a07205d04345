"""Penalties of weights: their gradients by hand are those of torch's record."""

import pickle
from collections.abc import Sequence
from typing import Any

import pytest
import torch

from bigdl.keras.layers import LSTM, Convolution2D, Dense, Flatten, Reshape
from bigdl.keras.models import Sequential
from bigdl.keras.regularizers import l1, l1l2, l2
from bigdl.layers.regularizers import EigenvalueRegularizer, L1L2Regularizer
from bigdl.training.penalties import WeightPenalties
from bigdl.training.regularization import Regularization


class Halved(L1L2Regularizer):
    """One of the user's, of which nothing is known."""

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        return 0.5 * super().__call__(x)


def net() -> Any:
    return Sequential(
        [
            Convolution2D(4, 3, 2, input_shape=(6, 5, 3), W_regularizer=l1l2(0.1, 0.02), b_regularizer=l1(0.3)),
            Convolution2D(4, 2, 2, W_regularizer=Halved(l1=0.1, l2=0.2)),
            Flatten(),
            Reshape((6, 6)),
            LSTM(3, W_regularizer=l2(0.03), U_regularizer=l1(0.01), b_regularizer=l2(0.5)),
            Dense(3, W_regularizer=EigenvalueRegularizer(0.1), b_regularizer=l2(0.1)),
        ]
    )


def recorded(model: Any, parameters: Sequence[torch.Tensor]) -> tuple[float, list[Any]]:
    total = Regularization(model).weights()
    assert isinstance(total, torch.Tensor)
    return total.item(), list(torch.autograd.grad(total, parameters, allow_unused=True))


@pytest.mark.parametrize("frozen", [False, True])
def test_they_are_those_of_the_record(frozen):
    model = net()
    torch.manual_seed(0)
    for parameter in model.parameters():
        parameter.data.normal_()
    parameters = list(model.parameters())[2 if frozen else 0 :]
    penalties = WeightPenalties(Regularization(model).penalties, parameters)
    expected, theirs = recorded(model, parameters)
    value, ours = penalties.value_and_gradients()
    assert value == pytest.approx(expected, rel=1e-6)
    assert penalties.value() == pytest.approx(expected, rel=1e-6)
    for one, other in zip(ours, theirs, strict=True):
        assert (one is None) == (other is None)
        if one is not None:
            torch.testing.assert_close(one, other)
    assert penalties.value_and_gradients(wanted=False)[1] == []


def test_one_that_is_called_twice_counts_twice():
    inner = Sequential([Dense(4, input_dim=4, W_regularizer=l2(0.1))])
    model = Sequential([Dense(4, input_dim=4), inner])
    inner(model.layers[0].output)
    parameters = list(model.parameters())
    expected, theirs = recorded(model, parameters)
    value, ours = WeightPenalties(Regularization(model).penalties, parameters).value_and_gradients()
    assert value == pytest.approx(expected, rel=1e-6)
    for one, other in zip(ours, theirs, strict=True):
        assert one is other or torch.allclose(one, other)  # type: ignore[arg-type]


def test_without_any_there_is_nothing():
    model = Sequential([Dense(4, input_dim=4)])
    penalties = WeightPenalties(Regularization(model).penalties, list(model.parameters()))
    assert penalties.value_and_gradients() == (0.0, [])
    assert penalties.value() == 0.0


def test_they_are_found_again_where_a_model_is_sent():
    model = net()
    sent = pickle.loads(pickle.dumps(WeightPenalties(Regularization(model).penalties, list(model.parameters()))))
    expected, theirs = recorded(model, list(model.parameters()))
    value, ours = sent.value_and_gradients()
    assert value == pytest.approx(expected, rel=1e-6)
    for one, other in zip(ours, theirs, strict=True):
        assert one is other is None or torch.allclose(one, other)
