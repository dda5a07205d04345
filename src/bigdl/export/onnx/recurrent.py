"""LSTM, GRU and SimpleRNN as ONNX's nodes of these names.

The nodes compute what Keras 1 does: a GRU's reset gate before the product, any activation of Keras but softmax. Where
steps are masked, those that count are brought to the front, and the outputs back to their places. A masked step repeats
the output before it, and so does it here, as it gets the output of the last step that counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from bigdl.export.onnx.activations import RECURRENT
from bigdl.export.onnx.core import Masks
from bigdl.export.onnx.graph import Graph, Value
from bigdl.export.onnx.registry import CONVERTERS
from bigdl.export.onnx.scan import scanned
from bigdl.export.onnx.steps import Steps
from bigdl.layers import GRU, LSTM, SimpleRNN
from bigdl.layers.recurrent import Recurrent

# ONNX's node and the order of its gates.
_NODES = {LSTM: ("LSTM", "iofc"), GRU: ("GRU", "zrh"), SimpleRNN: ("RNN", "h")}
TIME_FIRST = (1, 0, 2)
"""The order of axes that ONNX's recurrent nodes take and give."""


@CONVERTERS.of(SimpleRNN, GRU, LSTM)
def recurrent(graph: Graph, layer: Recurrent, inputs: Sequence[Value], masks: Masks) -> Value:
    """A recurrent layer in one direction.

    Restrictions:
        The state of a stateful layer is an input and an output of the model.
    """
    x, mask = graph.turned(inputs[0], TIME_FIRST), masks[0]
    if layer.go_backwards:
        x = reversed_in_time(graph, x)
        mask = None if mask is None else reversed_in_time(graph, mask)
    first = [graph.state(layer, i) for i in range(layer.state_count)] if layer.stateful else []
    steps = None if mask is None else Steps(graph, mask)
    if is_node(layer):
        sequences, last = _by_node(graph, layer, x, first, steps)
    else:
        sequences, last = scanned(graph, layer, x, first, mask)
    for i, state in enumerate(last if layer.stateful else ()):
        graph.keep(layer, i, state)
    output = sequences if layer.return_sequences else Value.plain(last[0], (x.shape[0], layer.output_dim))
    if layer.stateful and layer.unroll and steps is not None:
        begun = steps.begun if layer.return_sequences else steps.any
        output = Value.plain(graph.add("Where", begun, graph.ordered(output), graph.number(0.0)), output.shape)
    return output


def _by_node(
    graph: Graph, layer: Recurrent, x: Value, first: Sequence[str], steps: Steps | None
) -> tuple[Value, list[str]]:
    source = x if steps is None else graph.turned(steps.front(x), TIME_FIRST)
    y, *last = node(graph, [layer], source, first, steps, "forward")
    after = [graph.add("Squeeze", state, graph.whole(0)) for state in last]
    if first and steps is not None:  # what a runtime gives where no step counts is its own affair
        after = [graph.add("Where", steps.any, new, old) for new, old in zip(after, first, strict=True)]
    sequences = Value(graph.add("Squeeze", y, graph.whole(1)), (*x.shape[:2], layer.output_dim), TIME_FIRST)
    return sequences if steps is None else steps.back(sequences, first[0] if first else None), after


def is_node(layer: Recurrent) -> bool:
    """Tells whether ONNX has a node that computes what a layer does."""
    return type(layer) in _NODES and all(function in RECURRENT for function in _functions(layer))


def _functions(layer: Recurrent) -> list[Callable[..., Any]]:
    """Returns the activation functions in the order in which ONNX's nodes take them."""
    if isinstance(layer, LSTM):
        return [layer.inner_activation, layer.activation, layer.activation]
    return [layer.inner_activation, layer.activation] if isinstance(layer, GRU) else [layer.activation]


def node(
    graph: Graph, layers: Sequence[Recurrent], x: Value, first: Sequence[str], steps: Steps | None, direction: str
) -> list[str]:
    """Adds the node of one or two layers; returns the outputs of all steps, and the last states.

    Args:
        graph: The graph.
        layers: The layer of each direction, of one class.
        x: The input as ``(time, batch, features)``.
        first: The states to start from; none for zeros.
        steps: The steps that count; None for all.
        direction: ONNX's word.
    """
    layer = layers[0]
    op, gates = _NODES[type(layer)]
    order = torch.cat([torch.arange(layer.output_dim) + layer.gates.index(g) * layer.output_dim for g in gates])
    arrays = {
        "W": torch.stack([each.weight[order] for each in layers]),
        "R": torch.stack([each.recurrent_weight[order] for each in layers]),
        "B": torch.stack([torch.cat([each.bias[order], torch.zeros_like(each.bias)]) for each in layers]),
    }
    known = [RECURRENT[function] for function in _functions(layer)] * len(layers)
    alphas, betas = ([each[i] for each in known if each[i] is not None] for i in (1, 2))
    states = [graph.add("Unsqueeze", state, graph.whole(0)) for state in first]
    lengths = [] if steps is None and not states else ["" if steps is None else steps.count]
    made = graph.add(
        op,
        x.name,
        *(graph.weight(name, array) for name, array in arrays.items()),
        *lengths,
        *states,
        outputs=1 + layer.state_count,
        hidden_size=layer.output_dim,
        direction=direction,
        activations=[name for name, _, _ in known],
        activation_alpha=alphas or None,
        activation_beta=betas or None,
    )
    return list(made)


def reversed_in_time(graph: Graph, value: Value) -> Value:
    """Returns a tensor ``(batch, time, ...)`` with the last step first."""
    place = graph.whole(value.place(1))
    return value.named(graph.add("Slice", value.name, graph.whole(-1), graph.whole(-(2**31)), place, graph.whole(-1)))
