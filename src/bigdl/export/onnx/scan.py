"""Recurrent layers for which ONNX has no node of their own, as loops over time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bigdl.export.onnx.activations import activated
from bigdl.export.onnx.convolution import channels_first
from bigdl.export.onnx.core import Masks, affine, output_shape
from bigdl.export.onnx.graph import Graph, Value
from bigdl.export.onnx.registry import CONVERTERS
from bigdl.graph import Shape
from bigdl.layers import GRU, LSTM, ConvLSTM2D
from bigdl.layers.recurrent import Recurrent
from bigdl.layers.spatial import same_padding

Step = Callable[[Graph, Value, list[Value]], list[Value]]
"""Takes the loop's body, a step's input and the state; returns the next state."""


def scanned(
    graph: Graph, layer: Recurrent, x: Value, first: Sequence[str], mask: Value | None
) -> tuple[Value, list[str]]:
    """Adds a loop that does what the layer does.

    Args:
        graph: The graph.
        layer: The layer.
        x: Its input, in the order of processing.
        first: The states to start from; none for zeros.
        mask: True where a step counts, ``(batch, time)``; None where all steps do.

    Returns:
        The outputs of all steps, and the last states.
    """
    shape = (x.shape[0], layer.output_dim)
    if not first:
        lengths = graph.add("Concat", graph.add("Shape", x.name, start=1, end=2), graph.whole(layer.output_dim), axis=0)
        first = [graph.add("Expand", graph.number(0.0), lengths)] * layer.state_count
    steps = [x.name]
    if mask is not None:
        steps.append(graph.add("Unsqueeze", graph.ordered(mask, (1, 0)), graph.whole(2)))
    y, last = _loop(graph, _STEPS.get(type(layer), _simple_rnn)(layer), steps, first, (shape[0], x.shape[2]), shape)
    return Value(y, (*x.shape[:2], layer.output_dim), (1, 0, 2)), last


@CONVERTERS.of(ConvLSTM2D)
def convolutional_lstm(graph: Graph, layer: ConvLSTM2D, inputs: Sequence[Value], masks: Masks) -> Value:
    """A loop whose steps are convolutions.

    Restrictions:
        The state of a stateful layer is an input and an output of the model.
    """
    frames = (inputs[0].shape[0], *inputs[0].shape[2:])
    order = channels_first(layer)
    x = graph.ordered(inputs[0], (1, 0, *(axis + 1 for axis in order[1:])))
    state = (frames[0], layer.nb_filter, *layer.output_lengths(inputs[0].shape))
    if layer.stateful:
        first = [graph.state(layer, i) for i in range(layer.state_count)]
    else:
        first = [_zeros(graph, layer, x, state)] * layer.state_count
    y, last = _loop(
        graph, _conv_lstm(layer), [x], first, tuple(frames[axis] for axis in order), state, layer.go_backwards
    )
    for i, each in enumerate(last if layer.stateful else ()):
        graph.keep(layer, i, each)
    shape = output_shape(layer, inputs)
    if not layer.return_sequences:
        return Value(last[0], shape, order)
    return Value(y, shape, (1, 0, *(axis + 1 for axis in order[1:])))


def _zeros(graph: Graph, layer: ConvLSTM2D, x: str, state: Shape) -> str:
    """Adds zeros of a state's shape; open lengths are those of the first frame's convolution."""
    known = [length for length in state[1:] if length is not None]
    if len(known) == len(state) - 1:
        lengths = graph.add("Concat", graph.add("Shape", x, start=1, end=2), graph.whole(*known), axis=0)
        return str(graph.add("Expand", graph.number(0.0), lengths))
    part = graph.weight("weight_of_input_gate", layer.weight[: layer.nb_filter])
    first = graph.add("Conv", graph.add("Gather", x, graph.index(0), axis=0), part, **_convolution(layer))
    return str(graph.add("Expand", graph.number(0.0), graph.add("Shape", first)))


def _loop(
    graph: Graph,
    step: Step,
    inputs: Sequence[str],
    first: Sequence[str],
    x: Shape,
    state: Shape,
    backwards: bool = False,
) -> tuple[str, list[str]]:
    """Adds a ``Scan``.

    Args:
        graph: The graph.
        step: What a step does.
        inputs: What the loop goes along, time first: the layer's input, and the mask if there is one.
        first: The states to start from.
        x: The shape of a step's input.
        state: The shape of a state.
        backwards: Whether the last step is processed first.

    Returns:
        The outputs of all steps in the order of processing, and the last states.
    """
    body = graph.inner()
    before = [Value.plain(body.input(f"state_{i}", graph.dtype, state), state) for i in range(len(first))]
    current = Value.plain(body.input("x", graph.dtype, x), x)
    after = step(body, current, before)
    if len(inputs) > 1:
        counts = body.input("mask", "bool", (x[0], 1))
        after = [
            new.named(body.add("Where", counts, new.name, old.name)) for new, old in zip(after, before, strict=True)
        ]
    y = after[0].named(body.add("Identity", after[0].name))  # runtimes take no output twice
    for value in (*after, y):
        body.output(value.name, graph.dtype, state)
    *last, y = graph.add(
        "Scan",
        *first,
        *inputs,
        outputs=len(first) + 1,
        body=body,
        num_scan_inputs=len(inputs),
        scan_input_directions=[int(backwards)] * len(inputs),
    )
    return y, last


def _simple_rnn(layer: Recurrent) -> Step:
    def step(body: Graph, x: Value, state: list[Value]) -> list[Value]:
        products = (
            affine(body, x, "", layer.weight, layer.bias),
            affine(body, state[0], "recurrent_", layer.recurrent_weight, None),
        )
        return [
            activated(body, layer.activation, products[0].named(body.add("Add", *(each.name for each in products))))
        ]

    return step


def _gru(layer: GRU) -> Step:
    units = 2 * layer.output_dim

    def step(body: Graph, x: Value, state: list[Value]) -> list[Value]:
        h = state[0]
        projected = affine(body, x, "", layer.weight, layer.bias)
        of_gates, of_candidate = body.add(
            "Split", projected.name, body.whole(units, layer.output_dim), axis=1, outputs=2
        )
        gates = body.add(
            "Add", of_gates, affine(body, h, "recurrent_gates_", layer.recurrent_weight[:units], None).name
        )
        opened = activated(body, layer.inner_activation, Value.plain(gates, (None, units)))
        z, r = body.add("Split", opened.name, axis=1, num_outputs=2, outputs=2)
        reset = h.named(body.add("Mul", r, h.name))
        product = affine(body, reset, "recurrent_candidate_", layer.recurrent_weight[units:], None)
        candidate = activated(body, layer.activation, h.named(body.add("Add", of_candidate, product.name)))
        fresh = body.add("Mul", body.add("Sub", body.number(1.0), z), candidate.name)
        return [h.named(body.add("Add", body.add("Mul", z, h.name), fresh))]

    return step


def _lstm(layer: LSTM) -> Step:
    def step(body: Graph, x: Value, state: list[Value]) -> list[Value]:
        projected = affine(body, x, "", layer.weight, layer.bias)
        product = affine(body, state[0], "recurrent_", layer.recurrent_weight, None)
        return _next_state(body, layer, body.add("Add", projected.name, product.name), state[1])

    return step


def _conv_lstm(layer: ConvLSTM2D) -> Step:
    def step(body: Graph, x: Value, state: list[Value]) -> list[Value]:
        projected = body.add(
            "Conv", x.name, body.weight("weight", layer.weight), body.weight("bias", layer.bias), **_convolution(layer)
        )
        around = same_padding((1, 1), layer.kernel_size, (1, 1))
        pads = [*(before for before, _ in around), *(after for _, after in around)]
        kernel = body.weight("recurrent_weight", layer.recurrent_weight)
        product = body.add("Conv", state[0].name, kernel, pads=pads)
        return _next_state(body, layer, body.add("Add", projected, product), state[1])

    return step


def _convolution(layer: ConvLSTM2D) -> dict[str, Any]:
    same = {"auto_pad": "SAME_UPPER"} if layer.border_mode == "same" else {}
    return {"strides": list(layer.subsample), **same}


def _next_state(body: Graph, layer: Any, gates: str, c: Value) -> list[Value]:
    """Adds the end of an LSTM's step; returns h and c."""
    i, f, candidate, o = (c.named(part) for part in body.add("Split", gates, axis=1, num_outputs=4, outputs=4))
    inner, outer = layer.inner_activation, layer.activation
    kept = body.add("Mul", activated(body, inner, f).name, c.name)
    new = body.add("Mul", activated(body, inner, i).name, activated(body, outer, candidate).name)
    c = c.named(body.add("Add", kept, new))
    return [c.named(body.add("Mul", activated(body, inner, o).name, activated(body, outer, c).name)), c]


_STEPS: dict[type[Recurrent], Callable[[Any], Step]] = {GRU: _gru, LSTM: _lstm}
