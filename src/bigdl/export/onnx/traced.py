"""Functions and layers of the user's own: followed by torch's exporter, each a function of the ONNX model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from bigdl.errors import BigDLError, ExportError
from bigdl.export.onnx.graph import Graph, Value
from bigdl.export.packages import required
from bigdl.export.tracing import followed, quiet, reason, results, shape_of
from bigdl.graph import Layer

OPSET = 18
"""The version of ONNX's operators."""

DOMAIN = "bigdl"
"""The domain of the functions."""


def traced(graph: Graph, function: Callable[..., Any], inputs: Sequence[Value], where: str) -> list[Value]:
    """Applies a function of torch tensors.

    Args:
        graph: The graph.
        function: The function; it takes a tensor for each input and returns one or several.
        inputs: The tensors.
        where: Whose function it is, for the name and for messages.

    Raises:
        MissingPackageError: torch's exporter needs a package that is not installed.
        ExportError: torch cannot follow the function, or ONNX has no form for what it does.
    """
    purpose = f"{where} computes with a function of its own, and to write that in ONNX"
    required("onnxscript", "onnx", purpose)
    onnx = required("onnx", "onnx", purpose)
    try:
        with quiet():
            program = followed(function, [(value.shape, _dtype(graph, value)) for value in inputs])
            written: Any = torch.onnx.export(program, dynamo=True, opset_version=OPSET, verbose=False)
    except BigDLError:
        raise
    except Exception as error:  # torch raises many kinds
        raise ExportError(
            f"{where} computes with a function of its own, which torch's exporter cannot turn into ONNX: "
            f"{reason(error)}. Write it with torch's operators only, without looking at values."
        ) from error
    body = written.model_proto.graph
    name = graph.function(_as_function(onnx, graph.unique("function"), body))
    made = graph.add(name, *map(graph.ordered, inputs), outputs=len(body.output), domain=DOMAIN)
    names = [made] if isinstance(made, str) else made
    return [Value.plain(each, shape_of(result)) for each, result in zip(names, results(program), strict=True)]


def traced_layer(
    graph: Graph, layer: Layer, inputs: Sequence[Value], masks: Sequence[Value | None]
) -> tuple[list[Value], list[Value | None]]:
    """Applies a layer that has no form of its own here.

    Args:
        graph: The graph.
        layer: The layer.
        inputs: The tensors.
        masks: Their masks, or None.

    Returns:
        The outputs and their masks.

    Raises:
        BigDLError: See ``traced``.
    """
    present = [mask for mask in masks if mask is not None]
    outputs = 0

    def run(*tensors: Tensor) -> tuple[Tensor, ...]:
        nonlocal outputs
        given = iter(tensors[len(inputs) :])
        values, own = list(tensors[: len(inputs)]), [None if mask is None else next(given) for mask in masks]
        single = len(inputs) == 1
        y, mask = layer.run(values[0] if single else values, own[0] if single else own, bool(present))
        made = list(y) if isinstance(y, list | tuple) else [y]
        outputs = len(made)
        return (*made, *([mask] if isinstance(mask, Tensor) else []))

    values = traced(graph, run, [*inputs, *present], f"Layer {layer.name!r} ({type(layer).__name__})")
    mask = values[outputs] if len(values) > outputs else None
    return values[:outputs], [mask] * outputs


def _dtype(graph: Graph, value: Value) -> torch.dtype:
    dtype: torch.dtype = getattr(torch, graph.kind(value).name)
    return dtype


def _as_function(onnx: Any, name: str, body: Any) -> Any:
    """Returns a graph as a function; its constants become nodes."""
    constants = [onnx.helper.make_node("Constant", [], [array.name], value=array) for array in body.initializer]
    return onnx.helper.make_function(
        DOMAIN,
        name.replace("/", "_"),
        [each.name for each in body.input],
        [each.name for each in body.output],
        [*constants, *body.node],
        [onnx.helper.make_opsetid("", OPSET)],
    )
