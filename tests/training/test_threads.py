"""Small work is done by one thread, large work by as many as torch has."""

import ctypes
from typing import Any

import numpy as np
import pytest
import torch

from bigdl.errors import TrainingError
from bigdl.keras.callbacks import LambdaCallback
from bigdl.keras.layers import (
    LSTM,
    Convolution2D,
    Dense,
    Flatten,
    Input,
    LeakyReLU,
    TimeDistributed,
)
from bigdl.keras.models import Model, Sequential
from bigdl.native import kernels, threads
from bigdl.programs.native_chains import NativeChain
from bigdl.training.threads import _products_of_row


@pytest.fixture(autouse=True)
def two_threads():
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


def threads_in_steps(units: int) -> list[int]:
    """Returns how many threads each step of a training has, and an epoch's end."""
    model = Sequential([Dense(units, input_dim=50), LeakyReLU(), Dense(1)])
    model.compile("sgd", "mse")
    seen: list[int] = []
    record = LambdaCallback(
        on_batch_end=lambda batch, logs: seen.append(torch.get_num_threads()),
        on_epoch_end=lambda epoch, logs: seen.append(torch.get_num_threads()),
    )
    model.fit(np.ones((40, 50)), np.ones(40), batch_size=20, nb_epoch=1, verbose=0, callbacks=[record])
    model.evaluate(np.ones((40, 50)), np.ones(40), verbose=0)
    assert torch.get_num_threads() == 2
    return seen


def test_small_steps_have_one_thread():
    assert threads_in_steps(30) == [1, 1, 2]


def test_large_steps_have_all():
    assert threads_in_steps(5000) == [2, 2, 2]


def kernel_threads_in_steps(model: Any, rows: int, precision: str | None = None) -> list[tuple[int, int]]:
    """Returns how many threads torch and the kernels have in each step of a training."""
    model.compile("sgd", "mse", precision=precision)
    seen: list[tuple[int, int]] = []
    record = LambdaCallback(on_batch_end=lambda batch, logs: seen.append((torch.get_num_threads(), threads())))
    x, y = np.ones((2 * rows, *model.input_shape[1:])), np.ones((2 * rows, *model.output_shape[1:]))
    model.fit(x, y, batch_size=rows, nb_epoch=1, verbose=0, callbacks=[record])
    assert (torch.get_num_threads(), threads()) == (2, 2)
    return seen


@pytest.fixture
def kernels_suit(monkeypatch):
    """Lets the kernels compute all chains, as they do where they have tiles."""
    monkeypatch.setattr(NativeChain, "suits", lambda self, rows, weights: True)


@pytest.mark.skipif(kernels() is None, reason="the kernels were not built")
def test_torch_has_one_thread_where_the_kernels_compute_all_products(kernels_suit):
    dense = Sequential([Dense(400, activation="relu", input_dim=300), Dense(5, activation="softmax")])
    assert kernel_threads_in_steps(dense, 100) == [(1, 2)] * 2
    between = Sequential([Dense(400, input_dim=300), LeakyReLU(), Dense(5)])
    assert kernel_threads_in_steps(between, 100) == [(2, 2)] * 2


@pytest.mark.skipif(kernels() is None, reason="the kernels were not built")
@pytest.mark.parametrize("has_others", [False, True])
def test_the_kernels_threads_give_way_where_torch_has_work_too(kernels_suit, monkeypatch, has_others):
    library, told = kernels(), []
    assert library is not None
    monkeypatch.setattr(
        library.functions, "bigdl_use_threads", lambda count, others: told.append((count.value, others))
    )
    monkeypatch.setattr(library, "_threads", (1, False))
    between = [LeakyReLU()] if has_others else []
    kernel_threads_in_steps(Sequential([Dense(400, input_dim=300), *between, Dense(5)]), 100)
    library.run(lambda *_: 0, ctypes.c_int())  # type: ignore[arg-type]
    assert told == ([(2, True), (2, False)] if has_others else [(2, False)])


@pytest.mark.skipif(kernels() is None, reason="the kernels were not built")
def test_torch_keeps_its_threads_for_types_that_the_kernels_do_not_know():
    model = Sequential([Dense(400, activation="relu", input_dim=300), Dense(5, activation="softmax")])
    assert kernel_threads_in_steps(model, 100, "bf16") == [(2, 2)] * 2
    assert kernel_threads_in_steps(model.double(), 100) == [(2, 2)] * 2


def test_a_failure_gives_the_threads_back():
    model = Sequential([Dense(3, input_dim=5)])
    model.compile("sgd", "mse")
    with pytest.raises(TrainingError) as failure:
        model.fit(np.full((8, 5), np.inf), np.ones((8, 3)), verbose=0)
    assert failure.tb is not None
    assert torch.get_num_threads() == 2


def test_products_are_not_counted_too_low():
    convolution = Sequential([Convolution2D(8, 3, 3, input_shape=(12, 10, 4)), Flatten(), Dense(3)])
    assert _products_of_row(convolution) >= 10 * 8 * 9 * 4 * 8 + 10 * 8 * 8 * 3
    assert _products_of_row(Sequential([Dense(7, input_dim=5)])) == pytest.approx(5 * 7, abs=20)
    inputs = Input((9, 6))
    nested = Model(inputs, TimeDistributed(Dense(4))(inputs))
    assert _products_of_row(Sequential([nested, LSTM(5)])) >= 9 * 6 * 4 + 9 * 4 * (4 * 5 + 5 * 5)
    assert _products_of_row(Sequential([LSTM(5, input_shape=(None, 4))])) == np.inf
