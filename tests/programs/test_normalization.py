"""Batch normalization in training by the kernels: what the layer computes, whatever the instruction set and threads."""

from typing import Any

import numpy as np
import pytest
import torch

from bigdl.keras.layers import Activation, BatchNormalization
from bigdl.keras.models import Sequential
from bigdl.native import LIBRARY, Library, kernels
from bigdl.programs import normalization, program_for

SETS = found.instruction_sets if (found := kernels()) else []

pytestmark = pytest.mark.skipif(not SETS, reason="the kernels were not built")


@pytest.fixture(params=SETS)
def instructions(request, monkeypatch):
    library = Library(LIBRARY, request.param)
    monkeypatch.setattr(normalization, "kernels", lambda: library)
    return request.param


def net(shape: tuple[int, ...], relu: bool, dtype: torch.dtype = torch.float32, **options: Any) -> Any:
    layers = [BatchNormalization(input_shape=shape, **options), Activation("relu" if relu else "linear")]
    model: Any = Sequential(layers)
    random = np.random.RandomState(0)
    weights = [random.normal(size=w.shape) for w in model.get_weights()[:2]]
    model.set_weights([*weights, *model.get_weights()[2:]])
    return model.to(dtype).train()


def trained(model: Any, x: torch.Tensor, by_layers: bool = False) -> list[torch.Tensor]:
    """Returns what a model makes of a batch, its gradients, and the running values afterwards."""
    x = x.detach().requires_grad_()
    program = program_for(model, training=True)
    assert program is not None
    y = model.run(x)[0] if by_layers else program.run([x])[0]
    weights = torch.linspace(-1, 2, y.numel(), dtype=y.dtype).reshape(y.shape)
    layer = model.layers[0]
    gradients = torch.autograd.grad((y * weights).sum(), [x, layer.gamma, layer.beta])
    return [y.detach(), *gradients, layer.running_mean.clone(), layer.running_variance.clone()]


@pytest.mark.parametrize("relu", [False, True])
@pytest.mark.parametrize(
    ("rows", "shape"), [(1, (7,)), (50, (33,)), (3000, (1,)), (7, (5, 3, 40)), (20, (19, 17, 96)), (9, (11, 130))]
)
def test_it_computes_what_the_layer_does(instructions, relu, rows, shape):
    x = torch.randn(rows, *shape, generator=torch.Generator().manual_seed(1)) * 3 + 5
    found = trained(net(shape, relu), x)
    exact = trained(net(shape, relu, torch.float64), x.double(), by_layers=True)
    for ours, theirs in zip(found, exact, strict=True):
        scale = max(1.0, float(theirs.abs().max()))
        torch.testing.assert_close(ours.double() / scale, theirs / scale, rtol=1e-5, atol=4e-6)


@pytest.mark.parametrize("options", [{"mode": 2}, {"momentum": 0.5, "epsilon": 0.1}, {"axis": 1}])
def test_options_are_the_layers(instructions, options):
    x = torch.randn(8, 6, 5, 4)
    if "axis" in options:  # channels last in memory
        x = x.permute(0, 3, 1, 2)
    shape = tuple(x.shape[1:])
    results = [trained(net(shape, True, **options), x, by_layers) for by_layers in (False, True)]
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=2e-6)


def test_values_far_from_zero_keep_their_digits(instructions):
    x = torch.randn(6, 30, 30, 20, generator=torch.Generator().manual_seed(2)) + 3000
    found = trained(net((30, 30, 20), False), x)
    exact = trained(net((30, 30, 20), False, torch.float64), x.double(), by_layers=True)
    torch.testing.assert_close(found[0].double(), exact[0], rtol=1e-4, atol=2e-3)  # x itself has an error of 1e-4
    torch.testing.assert_close(found[5].double(), exact[5], rtol=1e-5, atol=1e-6)


def test_threads_change_nothing(instructions, threads):
    x = torch.randn(16, 40, 40, 48, generator=torch.Generator().manual_seed(3))
    results = []
    for count in (1, 2, 3):
        threads(count)
        results.append(trained(net((40, 40, 48), True), x))
    for one, *others in zip(*results, strict=True):
        assert all(torch.equal(one, other) for other in others)


def test_a_layer_in_another_mode_than_its_model_uses_its_running_values(instructions):
    model = net((6,), True)
    model.layers[0].eval()
    x = torch.randn(5, 6)
    program = program_for(model, training=True)
    assert program is not None
    torch.testing.assert_close(program.run([x])[0], model.run(x)[0])
    assert torch.equal(model.layers[0].running_mean, torch.zeros(6))


def test_values_without_gaps_in_another_order_are_the_layers(instructions):
    x = torch.randn(4, 6, 5, 7)
    results = [trained(net((6, 5, 7), True, axis=1), x, by_layers) for by_layers in (False, True)]
    for ours, theirs in zip(*results, strict=True):
        torch.testing.assert_close(ours, theirs)
