"""Optimizers' rules in one pass compute what they do by torch's operations."""

from typing import Any

import numpy as np
import pytest
import torch

from bigdl.keras.optimizers import SGD, Adadelta, Adagrad, Adam, RMSprop
from bigdl.native import LIBRARY, Library, kernels
from bigdl.training.optimizers import native
from bigdl.training.optimizers.blocks import Blocks
from bigdl.training.optimizers.sgd import DampedSGD

SETS = found.instruction_sets if (found := kernels()) else []
OPTIMIZERS = {
    "sgd": lambda: SGD(0.1),
    "momentum": lambda: SGD(0.1, momentum=0.9, decay=0.01),
    "nesterov": lambda: SGD(0.1, momentum=0.9, nesterov=True),
    "damped": lambda: DampedSGD(0.1, decay=0.01),
    "damped momentum": lambda: DampedSGD(0.1, momentum=0.9, dampening=0.3, decay=0.01),
    "damped nesterov": lambda: DampedSGD(0.1, momentum=0.9, nesterov=True),
    "rmsprop": lambda: RMSprop(0.01),
    "adagrad": lambda: Adagrad(0.05),
    "adadelta": lambda: Adadelta(1.0),
    "adam": lambda: Adam(0.01, decay=0.1),
}


def after_steps(optimizer: Any, size: int) -> list[torch.Tensor]:
    """Returns parameters and what is kept beside them, after five steps."""
    torch.manual_seed(1)
    p = torch.randn(size)
    rows = [torch.full((size,), optimizer.initial_value(name)) for name in optimizer.kept_rows()]
    for step in range(5):
        optimizer.iterations = step
        optimizer.rule()(p, torch.randn(size) * 10.0 ** (step - 3), *rows)
    return [p, *rows]


@pytest.mark.parametrize("instruction_set", SETS)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_is_what_torchs_operations_compute(monkeypatch, name, instruction_set):
    library = Library(LIBRARY, instruction_set)
    monkeypatch.setattr(native, "kernels", lambda: library)
    ours = after_steps(OPTIMIZERS[name](), 1003)
    monkeypatch.setattr(native, "kernels", lambda: None)
    for one, other in zip(ours, after_steps(OPTIMIZERS[name](), 1003), strict=True):
        torch.testing.assert_close(one, other, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("instruction_set", SETS)
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize(("count", "width"), [(40, 300), (1000, 7), (3, 1)])
def test_rows_of_a_table_are_moved_as_a_whole_gradient_moves_them(monkeypatch, name, instruction_set, count, width):
    library = Library(LIBRARY, instruction_set)
    monkeypatch.setattr(native, "kernels", lambda: library)

    def after_steps(by_rows: bool) -> list[torch.Tensor]:
        torch.manual_seed(1)
        optimizer: Any = OPTIMIZERS[name]()
        p = torch.randn(count * width)
        beside = [torch.full_like(p, optimizer.initial_value(name)) for name in optimizer.kept_rows()]
        for step in range(4):
            optimizer.iterations = step
            rows = torch.randint(0, count, (10 * step,))  # none at first
            used = torch.randn(len(rows), width)
            if by_rows:
                gradient = torch.sparse_coo_tensor(rows[None], used, (count, width), check_invariants=True)
                optimizer.rule().move(native.Pieces([p], [[row] for row in beside]), [gradient])
            else:
                dense = torch.zeros(count, width)
                for row, values in zip(rows, used, strict=True):
                    dense[row] += values
                optimizer.rule()(p, dense.view(-1), *beside)
        return [p, *beside]

    for one, other in zip(after_steps(True), after_steps(False), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_threads_change_nothing(name):
    alone = after_steps(OPTIMIZERS[name](), 100_003)
    torch.set_num_threads(2)
    try:
        together = after_steps(OPTIMIZERS[name](), 100_003)
    finally:
        torch.set_num_threads(1)
    for one, other in zip(alone, together, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_all_parameters_are_moved_in_one_call(monkeypatch, name):
    def after(library: Library | None, threads: int) -> list[torch.Tensor]:
        monkeypatch.setattr(native, "kernels", lambda: library)
        torch.manual_seed(2)
        optimizer: Any = OPTIMIZERS[name]()
        parameters = [torch.randn(300, 151), torch.randn(3), torch.randn(90, 81).t(), torch.randn(2, 70, 3, 70)]
        parameters[3] = parameters[3].contiguous(memory_format=torch.channels_last)
        blocks = Blocks(parameters, {row: optimizer.initial_value(row) for row in optimizer.kept_rows()})
        torch.set_num_threads(threads)
        for _ in range(3):
            blocks.apply(optimizer.rule(), [torch.randn_like(p) for p in parameters])
        torch.set_num_threads(1)
        return [*parameters, *(x for row in blocks.accumulators().values() for x in row)]

    expected = after(None, 1)
    for threads in (1, 2):
        for one, other in zip(after(kernels(), threads), expected, strict=True):
            torch.testing.assert_close(one, other, rtol=2e-6, atol=1e-6)


def test_other_types_are_left_to_torch():
    optimizer = RMSprop(0.01)
    p, a = torch.ones(9, dtype=torch.float64), torch.zeros(9, dtype=torch.float64)
    optimizer.rule()(p, torch.full_like(p, 2.0), a)
    np.testing.assert_allclose(a.numpy(), 0.4, rtol=1e-6)
    np.testing.assert_allclose(p.numpy(), 1 - 0.01 * 2 / np.sqrt(0.4), rtol=1e-6)


@pytest.mark.parametrize("instruction_set", SETS)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_share_of_the_parameters_is_added_to_their_gradients(monkeypatch, name, instruction_set):
    library = Library(LIBRARY, instruction_set)

    def after(found: Library | None) -> list[torch.Tensor]:
        monkeypatch.setattr(native, "kernels", lambda: found)
        torch.manual_seed(4)
        optimizer: Any = OPTIMIZERS[name]()
        optimizer.weight_decay = 0.2
        parameter = torch.nn.Parameter(torch.randn(30, 11))
        blocks = Blocks([parameter], {row: optimizer.initial_value(row) for row in optimizer.kept_rows()})
        optimizer._blocks = blocks
        for optimizer.iterations in range(3):
            with torch.no_grad():
                optimizer.apply([torch.randn(30, 11)])
        return [parameter.detach(), *(x for row in blocks.accumulators().values() for x in row)]

    for one, other in zip(after(library), after(None), strict=True):
        torch.testing.assert_close(one, other, rtol=5e-6, atol=1e-6)
