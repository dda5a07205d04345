"""How many threads small work is given."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Generator, Iterator

import torch

from bigdl.graph import Container, Shape
from bigdl.native import among_others, own_threads
from bigdl.programs import program_for
from bigdl.training.batches import Batch
from bigdl.training.engine import computing_threads

_LITTLE = 1 << 22
"""Products that one core computes in the time in which other threads wake up, and longer where these have no core."""


def on_few_threads(model: Container, batches: Iterator[Batch], in_bf16: bool = False) -> Generator[Batch]:
    """Gives batches, and computes with one thread until it is closed if waking others costs more than they do.

    Many of torch's operations divide whatever work they get. Where other processes want the cores, each then waits for
    a thread that is not running. Where the kernels in C++ compute all products, which have threads of their own, torch
    has one too: its own would wake up for what is left, and take the cores from them. Where both have work, those of
    the kernels give way. The first batch decides: torch forgets what it has prepared when the number changes.

    Args:
        model: The model that is run on the batches.
        batches: The batches.
        in_bf16: Whether products are of bfloat16, which are torch's.
    """
    with contextlib.ExitStack() as stack:
        for i, batch in enumerate(batches):
            if i == 0 and (threads := torch.get_num_threads()) > 1:
                for rule in _rules(model, batch.held, threads, in_bf16):
                    stack.enter_context(rule)
            yield batch


def _rules(model: Container, rows: int, threads: int, in_bf16: bool) -> list[contextlib.AbstractContextManager[None]]:
    if rows * _products_of_row(model) <= _LITTLE:
        return [computing_threads(1)]
    program = program_for(model, bool(model.training), in_bf16)
    if program is not None and program.is_native(rows):
        return [own_threads(threads), computing_threads(1)]
    return [among_others()] if program is None or program.has_work_between else []


def _products_of_row(model: Container) -> float:
    """Returns about how many products a model computes for a row, rather too many; infinity where that is open."""
    plan = model.graph.plan
    total = 0.0
    for step in plan.steps:
        shapes = [plan.tensors[i].shape for i in (*step.inputs, *step.outputs)]
        if isinstance(step.layer, Container):
            total += _products_of_row(step.layer)
            continue
        weights = sum(parameter.numel() for parameter in step.layer.parameters())
        total += weights * max(map(_positions, shapes)) + max(map(_size, shapes))
    return total


def _size(shape: Shape) -> float:
    return math.prod(math.inf if n is None else n for n in shape[1:])


def _positions(shape: Shape) -> float:
    """Returns at how many places a weight may be used: features are one of the axes, if not the shortest."""
    return 1 if len(shape) <= 2 else _size(shape) / max(1, min(n or 1 for n in shape[1:]))
