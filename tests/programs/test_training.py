"""Programs for training compute what the layers do, and so do their gradients."""

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from bigdl.graph.tensor import as_list
from bigdl.keras.layers import Activation, Convolution2D, Dense, Dropout, Flatten, MaxPooling2D
from bigdl.keras.models import Sequential
from bigdl.native import LIBRARY, Library, kernels
from bigdl.programs import chains, dropping, endings, fused, largest, normalization, program_for, sequences, winograd
from bigdl.programs.operations import Chain, Convolve, Multiply
from tests.programs.nets import NETS, made, rows_for, without_dropout

SETS = found.instruction_sets if (found := kernels()) else []


@pytest.fixture(params=[*SETS, "oneDNN", "torch"])
def path(request, monkeypatch):
    """By what is computed: the library with one of its instruction sets, oneDNN's kernels, or torch alone."""
    library = Library(LIBRARY, request.param) if request.param in SETS else None
    for module in (chains, endings, largest, normalization, sequences, winograd):
        monkeypatch.setattr(module, "kernels", lambda: library)
    if request.param == "torch":
        monkeypatch.setattr(fused, "kernels", lambda: None)


def gradients(model: Any, outputs: list[Tensor], given: list[Tensor]) -> list[Tensor]:
    torch.manual_seed(3)
    loss = sum(((y - torch.rand(y.shape)) ** 2).mean() for y in outputs)
    assert isinstance(loss, Tensor)
    wanted = [*model.parameters(), *(x for x in given if x.requires_grad)]
    return list(torch.autograd.grad(loss, wanted))


def in_double(model: Any, given: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """Returns the outputs and the gradients of the layers in double precision."""
    exact = copy.deepcopy(model).double()
    rows = [x.detach().double() if x.is_floating_point() else x for x in given]
    for x, like in zip(rows, given, strict=True):
        x.requires_grad_(like.requires_grad)
    outputs = as_list(exact.run(rows)[0])
    return outputs, gradients(exact, outputs, rows)


def close(found: list[Tensor], expected: list[Tensor], exact: list[Tensor], rtol: float) -> None:
    """Compares tensors; where much cancels out, as about normalization, what is expected is no nearer to the truth."""
    for ours, theirs, true in zip(found, expected, exact, strict=True):
        rounding = float((theirs - true).detach().abs().max())
        torch.testing.assert_close(ours, theirs, rtol=rtol, atol=2e-6 + 2 * rounding)


@pytest.mark.parametrize("name", NETS)
def test_gradients_are_those_of_the_layers(path, name):
    model = made(name)
    without_dropout(model)
    model.train()
    given = [torch.from_numpy(x) for x in as_list(rows_for(model, 6))]
    for x in given:
        x.requires_grad_(x.is_floating_point())
    expected = as_list(model.run(given)[0])
    expected_gradients = gradients(model, expected, given)
    program = program_for(model, training=True)
    assert program is not None
    outputs = program.run(given)
    exact, exact_gradients = in_double(model, given)
    close(outputs, expected, exact, rtol=1e-5)
    close(gradients(model, outputs, given), expected_gradients, exact_gradients, rtol=1e-4)


def test_weights_that_are_not_trained_get_no_gradient():
    model = made("lenet")
    model.layers[0].trainable = False
    model.layers[0].weight.requires_grad_(False)
    model.train()
    program = program_for(model, training=True)
    assert program is not None
    program.run([torch.from_numpy(rows_for(model, 2))])[0].sum().backward()
    assert model.layers[0].weight.grad is None
    assert model.layers[1].weight.grad is not None


def test_all_that_follows_a_product_goes_into_it():
    model = made("lenet")
    program = program_for(model, training=True)
    assert program is not None
    kinds = [type(operation).__name__ for operation in program.operations]
    assert kinds == ["Convolve", "Convolve", "Apply", "Chain"]  # flatten before it
    _, pooled, _, chain = program.operations
    assert isinstance(pooled, Convolve)
    assert isinstance(chain, Chain)
    assert [type(part).__name__ for part in chain.parts] == ["Multiply", "Multiply", "Apply"]  # softmax
    hidden = chain.parts[0]
    assert isinstance(hidden, Multiply)
    assert pooled.drop is not None
    assert hidden.drop is not None
    assert (pooled.window, pooled.relu, hidden.relu) == ((2, 2), True, True)
    assert (pooled.drop.share(), hidden.drop.share()) == (0.25, 0.5)
    model.eval()
    assert (pooled.drop.share(), hidden.drop.share()) == (0.0, 0.0)


def dropping_net() -> Any:
    """Dropping after what has a ``relu``, pooled or not, and after what has none; windows that leave a rest."""
    return Sequential(
        [
            Convolution2D(20, 2, 2, activation="relu", input_shape=(9, 10, 3)),
            Dropout(0.2),
            Convolution2D(35, 2, 2),
            MaxPooling2D((3, 2)),
            Activation("relu"),
            Dropout(0.3),
            Convolution2D(4, 2, 2),
            MaxPooling2D((1, 2)),
            Flatten(),
            Dense(50, activation="tanh"),
            Dropout(0.4),
            Dense(40, activation="relu"),
            Dropout(0.5),
            Dense(30, activation="relu", bias=False),
            Dense(3),
        ]
    )


def test_the_same_is_dropped_as_by_the_layers(path, monkeypatch):
    model = dropping_net()
    model.train()
    x = torch.from_numpy(rows_for(model, 50)).requires_grad_()
    program = program_for(model, training=True)
    assert program is not None
    torch.manual_seed(1)
    (y,) = program.run([x])
    found = gradients(model, [y], [x])
    monkeypatch.setattr(dropping, "kernels", lambda: None)
    torch.manual_seed(1)
    expected = model.run(x)[0]
    torch.testing.assert_close(y, expected, rtol=1e-5, atol=2e-6)
    for ours, theirs in zip(found, gradients(model, [expected], [x]), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=2e-6)


@pytest.mark.skipif(not SETS, reason="the kernels were not built")
def test_numbers_that_are_none_stay_so_and_the_first_of_the_largest_counts():
    model = Sequential([Convolution2D(1, 1, 1, input_shape=(2, 4, 1)), MaxPooling2D(), Activation("relu")])
    model.set_weights([np.ones((1, 1, 1, 1)), np.zeros(1)])
    program = program_for(model, training=True)
    assert program is not None
    x = torch.tensor([[7.0, 7.0, 1.0, torch.nan], [7.0, 2.0, 9.0, 3.0]]).reshape(1, 2, 4, 1).requires_grad_()
    (y,) = program.run([x])
    assert y[0, 0, 0, 0] == 7.0
    assert y[0, 0, 1, 0].isnan()
    y[0, 0, 0, 0].backward()
    assert x.grad is not None
    assert x.grad.flatten().tolist() == [1.0, 0, 0, 0, 0, 0, 0, 0]


@pytest.mark.skipif(not SETS, reason="the kernels were not built")
def test_threads_change_nothing():
    model = made("lenet")
    without_dropout(model)
    model.train()
    program = program_for(model, training=True)
    assert program is not None
    results = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        y = torch.randn(200, 70, generator=torch.Generator().manual_seed(0))
        chain = program.operations[3]
        assert isinstance(chain, Chain)
        hidden = chain.parts[0]
        assert isinstance(hidden, Multiply)
        ending = endings.native_ending(hidden)
        assert ending is not None
        finished, kept = ending.finish(y.clone(), torch.ones(70))
        results.append([finished, *ending.gradient(y, finished, kept)])
    torch.set_num_threads(1)
    for one, two in zip(*results, strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize(("size", "stride"), [(5, 1), (3, 2), (3, 1), (1, 1)])
@pytest.mark.parametrize("channels", [3, 16])
@pytest.mark.parametrize("pooled", [False, True])
def test_numbers_that_are_none_stay_so(path, size, stride, channels, pooled):
    layer = Convolution2D(
        16, size, size, activation="relu", subsample=(stride, stride), input_shape=(14, 14, channels), dim_ordering="tf"
    )
    model = Sequential([layer, MaxPooling2D((2, 2), dim_ordering="tf"), Flatten()] if pooled else [layer, Flatten()])
    model.train()
    x = torch.randn(2, 14, 14, channels)
    x[1, 4, 4, 0] = torch.nan
    program = program_for(model, training=True)
    assert program is not None
    for mode in (program, program_for(model, training=False)):
        assert mode is not None
        y = mode.run([x])[0]
        assert y[1][model.run(x)[0][1].isnan()].isnan().all()
        assert y[1].isnan().any()
        assert y[0].isfinite().all()
