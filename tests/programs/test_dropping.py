"""Dropping in one pass is what torch's operations compute."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bigdl.native import LIBRARY, Library, kernels
from bigdl.programs import dropping
from bigdl.programs.dropping import dropped, random_numbers

SETS = found.instruction_sets if (found := kernels()) else []
TENSORS: dict[str, Callable[[], Tensor]] = {
    "rows": lambda: torch.randn(37, 45),
    "long rows": lambda: torch.randn(3, 2501),
    "images": lambda: torch.randn(3, 5, 4, 7).contiguous(memory_format=torch.channels_last),
    "transposed": lambda: torch.randn(9, 20).t(),
    "with gaps": lambda: torch.randn(6, 10)[:, ::2],
    "a number": lambda: torch.randn(()),
    "nothing": lambda: torch.randn(0, 4),
    "float64": lambda: torch.randn(8, 9, dtype=torch.float64),
}


@pytest.mark.parametrize("instruction_set", SETS)
@pytest.mark.parametrize("kind", TENSORS)
def test_it_drops_the_same(monkeypatch, kind, instruction_set):
    library = Library(LIBRARY, instruction_set)
    x = TENSORS[kind]().requires_grad_()
    factor = torch.randn(x.shape, dtype=x.dtype)
    results = []
    for found in (library, None):
        monkeypatch.setattr(dropping, "kernels", lambda found=found: found)
        torch.manual_seed(4)
        y = dropped(x, 0.3)
        (gradient,) = torch.autograd.grad((y * factor).square().sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(gradient.sum(), x)
        results.append((y, gradient, second))
        assert y.stride() == x.stride() or kind == "with gaps"
    for ours, theirs in zip(*results, strict=True):
        assert torch.equal(ours, theirs)


def test_random_numbers_are_split_mix_64():
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert [n % 2**64 for n in random_numbers(1234567, 5).tolist()] == published


def test_the_mean_stays():
    y = dropped(torch.ones(400, 500), 0.25)
    assert y.mean().item() == pytest.approx(1.0, abs=5e-3)
    assert y.unique().tolist() == [0.0, pytest.approx(4 / 3)]
