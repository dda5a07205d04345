"""A whole model as an ONNX graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from bigdl import files
from bigdl.errors import ExportError
from bigdl.export.onnx.dispatch import converted_model
from bigdl.export.onnx.graph import Graph, Value
from bigdl.export.onnx.proto import model_proto
from bigdl.export.training_state import warn_of_training
from bigdl.graph import Container
from bigdl.training.data import Placement
from bigdl.training.inference import in_mode

# What a file of Protocol Buffers may have.
_MOST_BYTES = 2**31 - 1


def write_onnx(model: Container, path: files.Uri) -> None:
    """Writes a model's computation in prediction for ONNX's runtimes.

    Inputs and outputs have the names of the model's. The number of rows is open, and so are lengths that the model
    leaves open. A stateful layer's state is one more input and output, ``<layer>/state_0``, ``<layer>/next_state_0``.

    Args:
        model: The model.
        path: A path or a URI.

    Raises:
        MissingPackageError: onnx is not installed; or onnxscript, which functions of the user's need.
        ExportError: A layer has no form in ONNX, the weights are more than an ONNX file may hold, or in bfloat16.
        StorageError: The file cannot be written there.
    """
    proto = onnx_model(model)
    warn_of_training(model, path)
    files.write_bytes(path, proto.SerializeToString())


def onnx_model(model: Container) -> Any:
    """Returns a model as an ``onnx.ModelProto``; see ``write_onnx``.

    Args:
        model: The model.

    Raises:
        BigDLError: See ``write_onnx``.
    """
    with in_mode(model, training=False), torch.no_grad():
        graph = onnx_graph(model)
    size = sum(array.nbytes for array in graph.constants.values())
    if size > _MOST_BYTES:
        raise ExportError(
            f"Model {model.name!r} has {size / 2**30:.1f} GB of weights; an ONNX file may hold 2 GB. Write a .pt2 or "
            ".safetensors file instead."
        )
    return model_proto(graph, model.name)


def onnx_graph(model: Container) -> Graph:
    """Returns a model as a graph in memory, without what no output needs."""
    dtype = Placement.of(model).dtype
    if dtype == torch.bfloat16:
        raise ExportError(f"Model {model.name!r} is in bfloat16, which runtimes do not compute in. Call float().")
    graph = Graph(dtype=np.dtype(str(dtype).removeprefix("torch.")))
    inputs = []
    for tensor in model.inputs:
        value = Value.plain("", tensor.shape, "float32" if tensor.dtype.startswith("float") else tensor.dtype)
        inputs.append(value.named(graph.input(tensor.layer.name, graph.kind(value), tensor.shape)))
    outputs, _ = converted_model(graph, model, inputs, [None] * len(inputs), inside=False)
    graph.finish(list(zip(model.output_names, outputs, strict=True)))
    return graph
