"""Validation by workers that each hold some of the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bigdl.graph import Container
from bigdl.spark.group import ProcessGroup
from bigdl.spark.shard import ShardSource
from bigdl.training.inference import in_mode, run_on
from bigdl.training.labelled import tallied
from bigdl.training.validation import EvaluatedResult, Tally, ValidationMethod

_MOST_AXES = 8


def validate(
    model: Container,
    held_out: ShardSource,
    methods: Sequence[ValidationMethod],
    group: ProcessGroup,
    rows: int | None = None,
) -> list[EvaluatedResult]:
    """Validates a model on the rows of all workers.

    Args:
        model: The model.
        held_out: The batches; this worker gives its part of each.
        methods: What is computed. To those that do not go row by row each batch is given as a whole.
        group: The workers.
        rows: How many of the first rows at least, all by default.

    Returns:
        The result of each method, the same on every worker.
    """
    by_row = [method for method in methods if method.by_row]
    together = [method for method in methods if not method.by_row]
    sums = [Tally(0.0, 0.0) for _ in by_row]
    of_whole: list[Any] = []
    seen = 0
    with in_mode(model, training=False), torch.no_grad():
        for batch in held_out.batches(1):
            pair = (run_on(model, batch)[0], batch.targets) if batch.held else ([], [])
            if batch.held:
                sums = [total + new for total, new in zip(sums, tallied(by_row, [pair]), strict=True)]
            if together:
                here = held_out.held(seen, seen + batch.rows)
                whole = _gathered(pair, here, batch.rows, len(model.outputs), len(batch.targets), group)
                new = tallied(together, [whole])
                of_whole = [a + b for a, b in zip(of_whole, new, strict=True)] if of_whole else new
            seen += batch.rows
            if rows is not None and seen >= rows:
                break
    (summed,) = group.all_reduce([torch.tensor([astuple(tally) for tally in sums], dtype=torch.float64)])
    tallies = dict(zip(by_row, (Tally(*pair) for pair in summed.tolist()), strict=True))
    tallies |= dict(zip(together, of_whole, strict=True))
    return [method.evaluated(tallies[method]) for method in methods]


def _gathered(
    pair: tuple[list[Tensor], list[Tensor]],
    here: NDArray[np.int64],
    rows: int,
    outputs: int,
    targets: int,
    group: ProcessGroup,
) -> tuple[list[Tensor], list[Tensor]]:
    """Returns outputs and targets of a whole batch, given those of this worker's rows."""
    parts: list[Tensor | None] = [*pair[0], *pair[1]] if len(here) else [None] * (outputs + targets)
    shapes = torch.zeros(len(parts), 2 + _MOST_AXES, dtype=torch.float64)  # a worker without rows does not know them
    for row, part in zip(shapes, parts, strict=True):
        if part is not None:
            row[: part.dim() + 1] = torch.tensor([1.0, part.dim(), *part.shape[1:]])
    (summed,) = group.all_reduce([shapes])
    wholes = []
    for (known, *axes), part in zip(summed.tolist(), parts, strict=True):
        shape = [round(n / known) for n in axes]
        whole = torch.zeros(rows, *shape[1 : shape[0]], dtype=torch.float64)
        if part is not None:
            whole[here] = part.cpu().double()
        wholes.append(group.all_reduce([whole])[0].clone())
    return [whole.float() for whole in wholes[:outputs]], wholes[outputs:]
