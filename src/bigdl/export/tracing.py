"""Functions of torch tensors as programs: what a format has no form for is followed by torch, operator by operator."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from bigdl.graph import Shape

# Lengths that stand for open ones; torch takes 1 for a fixed one.
_ROWS, _LENGTH = 2, 24


class _Function(nn.Module):
    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        made = self.function(*inputs)
        return tuple(made) if isinstance(made, list | tuple) else (made,)


def followed(function: Callable[..., Any], inputs: Sequence[tuple[Shape, torch.dtype]]) -> ExportedProgram:
    """Returns a function as a program whose outputs are those of the function, one or several.

    Args:
        function: A function of tensors.
        inputs: The shape and dtype of each; None where a length is open.

    Raises:
        ValueError: The function changes an input in place, or can be followed for one length of an open axis only.
        Exception: Whatever else torch or the function raises.
    """
    sizes = [[(_LENGTH if i else _ROWS) if n is None else n for i, n in enumerate(shape)] for shape, _ in inputs]
    examples = tuple(torch.zeros(size, dtype=dtype) for size, (_, dtype) in zip(sizes, inputs, strict=True))
    dims = tuple({i: Dim.AUTO for i, n in enumerate(shape) if n is None} for shape, _ in inputs)
    with torch.no_grad():
        made = torch.export.export(_Function(function), examples, dynamic_shapes=(dims,), strict=False)
        program: ExportedProgram = made.run_decompositions({})  # without steps that change a tensor in place
    if program.graph_signature.user_inputs_to_mutate:
        raise ValueError("it changes its input in place")
    if any(fixed_axes(program, [shape for shape, _ in inputs])):
        raise ValueError("it can be followed for one length only, so give the model's first layer a full input_shape")
    return program


def fixed_axes(program: ExportedProgram, shapes: Sequence[Shape]) -> list[list[int]]:
    """Returns, for each input of a program, the axes that should be open and are not.

    Args:
        program: The program.
        shapes: The shape of each input; None where it should be open.
    """
    made = {node.name: node.meta["val"].shape for node in program.graph.nodes if node.op == "placeholder"}
    sizes = [made[str(name)] for name in program.graph_signature.user_inputs]
    return [
        [i for i, n in enumerate(shape) if n is None and str(size[i]).isdigit()]
        for shape, size in zip(shapes, sizes, strict=True)
    ]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps torch from telling of packages that are not needed, and of what it will change one day."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def reason(error: BaseException) -> str:
    """Returns why torch could not follow a function: what raised first, cut where it is long."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = " ".join(str(error).partition("Caused by")[0].split())
    return f"{type(error).__name__}: {text[:200]}".rstrip(". ")


def results(program: ExportedProgram) -> list[Tensor]:
    """Returns what stands for the outputs of a program: tensors without values."""
    (nodes,) = program.graph.output_node().args
    assert isinstance(nodes, tuple | list)
    return [node.meta["val"] for node in nodes if isinstance(node, torch.fx.Node)]


def shape_of(result: Tensor) -> Shape:
    """Returns the shape of what stands for a tensor; None where a length is open."""
    return tuple(n if isinstance(n, int) else None for n in result.shape)
