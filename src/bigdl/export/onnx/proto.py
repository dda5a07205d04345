"""From a graph in memory to ONNX's own form."""

from __future__ import annotations

from typing import Any

import numpy as np

from bigdl._version import __version__
from bigdl.export.onnx.graph import Array, Graph
from bigdl.export.onnx.nodes import Node, Nodes, Port
from bigdl.export.onnx.traced import DOMAIN, OPSET
from bigdl.export.packages import required

# The version of the file format that came with the operators, for readers of that time.
_IR_VERSION = 8


def model_proto(graph: Graph, name: str) -> Any:
    """Returns a graph as an ``onnx.ModelProto``.

    Args:
        graph: The graph.
        name: The model's name.

    Raises:
        MissingPackageError: onnx is not installed.
    """
    onnx = required("onnx", "onnx", "Writing .onnx files")
    used = {name for node in graph.nodes for name in node.all_inputs()}
    constants = {key: array for key, array in graph.constants.items() if key in used}
    domains = [onnx.helper.make_opsetid("", OPSET)]
    if graph.functions:
        domains.append(onnx.helper.make_opsetid(DOMAIN, 1))
    return onnx.helper.make_model(
        _graph_proto(onnx, graph, name, constants),
        opset_imports=domains,
        functions=graph.functions,
        producer_name="bigdl-torch",
        producer_version=__version__,
        ir_version=_IR_VERSION,
    )


def _graph_proto(onnx: Any, graph: Nodes, name: str, constants: dict[str, Array]) -> Any:
    return onnx.helper.make_graph(
        [_node_proto(onnx, node) for node in graph.nodes],
        name,
        [_port_proto(onnx, port) for port in graph.inputs],
        [_port_proto(onnx, port) for port in graph.outputs],
        [onnx.numpy_helper.from_array(array, key) for key, array in constants.items()],
    )


def _node_proto(onnx: Any, node: Node) -> Any:
    attributes = {key: _attribute(onnx, value) for key, value in node.attributes.items()}
    if node.body is not None:
        attributes["body"] = _graph_proto(onnx, node.body, f"{node.name}_body", {})
    return onnx.helper.make_node(node.op, node.inputs, node.outputs, node.name, domain=node.domain, **attributes)


def _attribute(onnx: Any, value: Any) -> Any:
    if isinstance(value, np.dtype):
        return onnx.helper.np_dtype_to_tensor_dtype(value)
    return value


def _port_proto(onnx: Any, port: Port) -> Any:
    kind = onnx.helper.np_dtype_to_tensor_dtype(port.dtype)
    lengths = [("batch" if i == 0 else f"{port.name}_{i}") if n is None else n for i, n in enumerate(port.shape)]
    return onnx.helper.make_tensor_value_info(port.name, kind, lengths)
