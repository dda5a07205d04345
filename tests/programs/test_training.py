"""Programs for training compute what the layers do, and so do their gradients."""

from typing import Any

import pytest
import torch
from torch import Tensor

from bigdl.graph.tensor import as_list
from bigdl.programs import fused, program_for
from tests.programs.nets import NETS, made, rows_for, without_dropout


@pytest.fixture(params=["oneDNN", "torch"])
def path(request, monkeypatch):
    """By what convolutions are computed."""
    if request.param == "torch":
        monkeypatch.setattr(fused, "kernels", lambda: None)


def gradients(model: Any, outputs: list[Tensor], given: list[Tensor]) -> list[Tensor]:
    torch.manual_seed(3)
    loss = sum(((y - torch.rand_like(y)) ** 2).mean() for y in outputs)
    assert isinstance(loss, Tensor)
    wanted = [*model.parameters(), *(x for x in given if x.requires_grad)]
    return list(torch.autograd.grad(loss, wanted))


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
    for ours, theirs in zip(outputs, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=2e-6)
    for ours, theirs in zip(gradients(model, outputs, given), expected_gradients, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=2e-6)


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


def test_a_relu_of_pooled_values_is_the_pooled_relu():
    model = made("lenet")
    program = program_for(model, training=True)
    assert program is not None
    kinds = [type(operation).__name__ for operation in program.operations]
    assert kinds.index("MaxPool") == kinds.index("Convolve") + 2  # relu after it
