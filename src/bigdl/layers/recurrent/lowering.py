"""What recurrent layers compute, written down as operations of a program for prediction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from bigdl.graph import Layer
from bigdl.layers import activations
from bigdl.layers.recurrent.base import Recurrent
from bigdl.layers.recurrent.gru import GRU
from bigdl.layers.recurrent.kernels.native import ACTIVATIONS
from bigdl.layers.recurrent.lstm import LSTM
from bigdl.layers.recurrent.simple_rnn import SimpleRNN
from bigdl.layers.wrappers import MERGE, Bidirectional
from bigdl.programs import Lowering, Source, lowers, recurrence
from bigdl.programs.images import Reverse
from bigdl.programs.lowering import rule_of
from bigdl.programs.operations import Ref
from bigdl.programs.plain import is_plain
from bigdl.programs.recurrence import Direction, Recur

CELLS: dict[type[Recurrent], int] = {
    SimpleRNN: recurrence.SIMPLE_RNN,
    GRU: recurrence.GRU,
    LSTM: recurrence.LSTM,
}
"""The numbers of the cells, by the layers that have them."""

Merge = Callable[[Tensor, Tensor], Tensor]

USES = ("activation", "inner_activation", "go_backwards", "return_sequences", "stateful")
"""The attributes of recurrent layers that their operations depend on."""


def _written(
    lowering: Lowering, x: Ref, layer: Layer, directions: Sequence[Recurrent], merge: Merge | None = None
) -> Ref | None:
    """Writes down layers over the same sequences; returns None where there is no kernel for them.

    Args:
        lowering: Where to.
        x: The sequences.
        layer: What computes them all.
        directions: The layers: one, or a second one whose outputs are flipped.
        merge: See ``Recur``.
    """
    kinds = {_kind(direction) for direction in directions}
    kind = kinds.pop()
    if lowering.training or kinds or kind is None or not all(map(is_plain, directions)):
        return None
    lowering.called.append(layer)  # for tensors that the kernel does not take
    lowering.mask_behind = lowering.mask if directions[0].return_sequences else None

    def run(given: Tensor, marks: Tensor | None = None) -> Any:
        return layer.run(given, None if marks is None else marks.bool(), masked=marks is not None)[0]

    return lowering.write(
        Recur,
        *([x] if lowering.mask is None else [x, lowering.mask]),
        function=run,
        cell=kind[0],
        activation=kind[2],
        inner_activation=kind[3],
        sequences=directions[0].return_sequences,
        directions=[_direction(direction, flipped=i > 0) for i, direction in enumerate(directions)],
        merge=merge,
    )


def _kind(layer: Recurrent) -> tuple[int, ...] | None:
    """Returns what directions have in common: cell, units, activations, whether all steps are wanted.

    None where there is no kernel.
    """
    functions = layer.activation, getattr(layer, "inner_activation", activations.linear)
    cell = next((number for cls, number in CELLS.items() if isinstance(layer, cls)), None)
    if cell is None or layer.stateful or not all(function in ACTIVATIONS for function in functions):
        return None
    return cell, layer.output_dim, *(ACTIVATIONS[function] for function in functions), layer.return_sequences


def _direction(layer: Recurrent, flipped: bool) -> Direction:
    weight, recurrent_weight, bias = (Source.of(layer, name) for name in ("weight", "recurrent_weight", "bias"))
    return Direction(weight, recurrent_weight, bias, layer.go_backwards, flipped)


@lowers(SimpleRNN, GRU, LSTM, uses=USES)
def _recurrent(layer: Recurrent, lowering: Lowering, x: Ref) -> Ref | None:
    return _written(lowering, x, layer, [layer])


def _both_called(layer: Bidirectional, lowering: Lowering, x: Ref) -> Ref | None:
    if layer.merge_mode not in ("concat", "sum", "mul"):
        return None
    one, other = [lowering.call(direction, [x])[0] for direction in layer.inner_layers]
    if layer.return_sequences:
        other = lowering.write(Reverse, other)
    if layer.merge_mode == "concat":
        rank = 3 if layer.return_sequences else 2
        return lowering.join([one, other], axis=rank - 1, rank=rank)
    return lowering.combine(one, other, layer.merge_mode)


@lowers(Bidirectional, uses=("merge_mode", "return_sequences", "stateful"))
def _bidirectional(layer: Bidirectional, lowering: Lowering, x: Ref) -> Ref | None:
    lowering.watched += [(inner, USES) for inner in layer.inner_layers]
    mode = layer.merge_mode
    inner: list[Any] = [one for one in layer.inner_layers if rule_of(type(one)) == rule_of(LSTM)]
    if lowering.training and mode is not None:
        return _both_called(layer, lowering, x)
    if mode is None or layer.stateful or {one.return_sequences for one in inner} != {layer.return_sequences}:
        return None
    return _written(lowering, x, layer, inner, None if mode == "concat" else MERGE[mode]) if len(inner) == 2 else None
