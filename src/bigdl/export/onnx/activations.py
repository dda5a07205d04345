"""Keras's activation functions as ONNX nodes, and as the functions that ONNX's recurrent nodes know."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bigdl.export.onnx.graph import Graph, Value
from bigdl.export.onnx.traced import traced
from bigdl.layers import activations

# The slope of Keras 1's hard sigmoid is 0.2, and so is ONNX's by default; but runtimes differ in their defaults.
_HARD_SIGMOID = {"alpha": 0.2, "beta": 0.5}

_NODES: dict[Callable[..., Any], tuple[str, dict[str, Any]]] = {
    activations.elu: ("Elu", {"alpha": 1.0}),
    activations.softplus: ("Softplus", {}),
    activations.softsign: ("Softsign", {}),
    activations.relu: ("Relu", {}),
    activations.tanh: ("Tanh", {}),
    activations.sigmoid: ("Sigmoid", {}),
    activations.hard_sigmoid: ("HardSigmoid", _HARD_SIGMOID),
}

RECURRENT: dict[Callable[..., Any], tuple[str, float | None, float | None]] = {
    activations.elu: ("Elu", 1.0, None),
    activations.softplus: ("Softplus", None, None),
    activations.softsign: ("Softsign", None, None),
    activations.relu: ("Relu", None, None),
    activations.tanh: ("Tanh", None, None),
    activations.sigmoid: ("Sigmoid", None, None),
    activations.hard_sigmoid: ("HardSigmoid", 0.2, 0.5),
    activations.linear: ("Affine", 1.0, 0.0),
}
"""Name, alpha and beta of the functions that a recurrent node can have inside; None for what the function has not."""


def activated(graph: Graph, activation: Callable[..., Any], x: Value) -> Value:
    """Applies an activation function.

    Args:
        graph: The graph.
        activation: The function; one of the user's own is followed by torch.
        x: Its input.
    """
    if activation is activations.linear:
        return x
    if activation is activations.softmax:
        return x.named(graph.add("Softmax", x.name, axis=x.place(-1)))
    if activation in _NODES:
        op, attributes = _NODES[activation]
        made: str = graph.add(op, x.name, **attributes)
        return x.named(made)
    (y,) = traced(graph, activation, [x], getattr(activation, "__name__", "activation"))
    return y
