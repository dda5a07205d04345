"""A layer's run and its gradients in training, in memory that stays from step to step."""

from __future__ import annotations

from collections.abc import Sequence
from operator import is_
from typing import Any

import torch
from torch import Tensor

from bigdl.layers import activations
from bigdl.layers.recurrent.base import Recurrent
from bigdl.layers.recurrent.gru import GRU
from bigdl.layers.recurrent.kernels.native import ACTIVATIONS, NativeSequence, native_kernel
from bigdl.layers.recurrent.lowering import CELLS
from bigdl.layers.recurrent.lstm import LSTM
from bigdl.layers.recurrent.simple_rnn import SimpleRNN
from bigdl.programs.direct_ways import Weighted, directly
from bigdl.programs.native_chains import fits
from bigdl.programs.plain import changes_of_layers, is_plain
from bigdl.programs.structures import Product

_WEIGHTS = ("weight", "recurrent_weight", "bias")

_MOST = 1 << 20
"""The most values of gates that are kept between steps; of larger ones a step takes so long that nothing is gained."""


@directly(*CELLS)
class DirectRun:
    """The run of a layer that drops nothing and keeps no state, by the kernels in C++; see ``DirectChain``.

    Args:
        layer: The layer.
        parameters: The weights whose gradients are wanted; those of other layers may be among them.
    """

    def __init__(self, layer: Any, parameters: Sequence[Tensor]) -> None:
        self._layer: Recurrent = layer
        self._numbers = {id(parameter): i for i, parameter in enumerate(parameters)}
        self._seen: tuple[int, int] | None = None
        self._kind: tuple[Any, ...] | None = None
        self._weights: list[Any] = []
        self._places: list[int] = []
        self._shape: tuple[int, ...] = ()
        self._room = 0

    def takes(self, x: Tensor) -> bool:
        """Whether the kernels run the layer on sequences.

        Args:
            x: The sequences, ``(batch, time, in)``.
        """
        layer = self._layer
        seen = changes_of_layers()
        if seen != self._seen:
            before, self._kind = self._kind, _kind_of(layer)
            self._seen, self._room = seen, self._room if self._kind == before else 0
        if self._kind is None or not fits(x) or x.dim() != 3 or x.shape[2] != layer.input_dim or not x.numel():
            return False
        weights = [getattr(layer, name) for name in _WEIGHTS]
        if x.shape[0] * x.shape[1] * len(weights[2]) > _MOST:
            return False
        places = [weight.data_ptr() for weight in weights]
        as_before = places == self._places and all(map(is_, weights, self._weights))
        if not as_before or x.shape[0] > self._room or x.shape[1:] != self._shape:
            if not all(map(fits, weights)):
                return False
            self._weights, self._places = weights, places
            self._lay_out(x)
        return True

    def _lay_out(self, x: Tensor) -> None:
        layer: Any = self._layer
        self._room, self._shape = x.shape[0], x.shape[1:]
        units, width = layer.output_dim, len(self._weights[2])
        room = (*x.shape[:2], units)
        gates, previous_h = x.new_empty(*x.shape[:2], width), x.new_empty(room)
        memory = None if isinstance(layer, SimpleRNN) else x.new_empty(room)
        self._h = x.new_empty(x.shape[0], units) if layer.return_sequences else None
        self._c = x.new_empty(x.shape[0], units) if isinstance(layer, LSTM) else None
        self._kept = gates, previous_h, memory
        assert self._kind is not None
        weight, recurrent_weight, bias = self._places
        self._call = NativeSequence(
            *(*x.shape, units, CELLS[type(layer)], *self._kind[:2], layer.go_backwards, 0, 0),
            input_weight=weight,
            bias=bias,
            weight=recurrent_weight,
            c=None if self._c is None else self._c.data_ptr(),
            gates=gates.data_ptr(),
            previous_h=previous_h.data_ptr(),
            memory=None if memory is None else memory.data_ptr(),
            grad_gates=gates.data_ptr(),
        )
        self._lay_gradients_out(units, width)

    def _lay_gradients_out(self, units: int, width: int) -> None:
        of_w, of_u, of_b = found = [torch.empty_like(weight, requires_grad=False) for weight in self._weights]
        numbers = [self._numbers.get(id(weight)) for weight in self._weights]
        self._gradients = [(n, gradient) for n, gradient in zip(numbers, found, strict=True) if n is not None]
        gates, previous_h, memory = self._kept
        inputs = self._shape[1]
        self._of_w = None
        if numbers[0] is not None:
            self._of_w = Product(0, width, inputs, gates.data_ptr(), width, 0, inputs, of_w.data_ptr(), None)
        # What U was multiplied with: the first gate, the one behind the last, and their input.
        parts = [(0, width, previous_h)]
        if memory is not None and isinstance(self._layer, GRU):
            parts = [(0, 2 * units, previous_h), (2 * units, width, memory)]
        self._of_u = [
            Product(
                *(0, last - first, units),
                *(gates[..., first:].data_ptr(), width, states.data_ptr(), units),
                *(of_u[first:].data_ptr(), of_b[first:].data_ptr()),
            )
            for first, last, states in parts
            if numbers[1] is not None or numbers[2] is not None
        ]

    def run(self, x: Tensor) -> Tensor:
        """Computes the result.

        Args:
            x: Sequences that it takes.
        """
        rows, call = x.shape[0], self._call
        units = call.units
        if self._h is None:
            y = x.new_zeros(rows, units)
            call.h = y.data_ptr()
        else:
            y = x.new_empty(rows, x.shape[1], units)
            call.h, call.outputs = self._h.zero_().data_ptr(), y.data_ptr()
        if self._c is not None:
            self._c.zero_()
        call.batch, call.x = rows, x.data_ptr()
        self._x = x
        self._run("bigdl_sequence_forward", call)
        return y

    def gradients(self, wants_x: bool, of_y: Tensor) -> tuple[Sequence[Tensor | None], Weighted]:
        """Returns the gradients; the next step overwrites those by the weights.

        Args:
            wants_x: Whether that by the sequences is wanted.
            of_y: The gradient of what ``run`` has returned last.
        """
        x, call, of_y = self._x, self._call, of_y.contiguous()
        of_x = torch.empty_like(x) if wants_x else None
        place = of_y.data_ptr()
        call.grad_outputs, call.grad_h = (None, place) if self._h is None else (place, None)
        call.grad_x = None if of_x is None else of_x.data_ptr()
        self._run("bigdl_sequence_backward", call)
        count = x.shape[0] * x.shape[1]
        if self._of_w is not None:
            self._of_w.rows = count
            setattr(self._of_w, "in", x.data_ptr())
            self._run("bigdl_weight_gradient", self._of_w)
        for product in self._of_u:
            product.rows = count
            self._run("bigdl_weight_gradient", product)
        return (of_x,), self._gradients

    @staticmethod
    def _run(name: str, call: Any) -> None:
        kernel = native_kernel()
        assert kernel is not None
        kernel.library.run(getattr(kernel.library.functions, name), call, False)


def _kind_of(layer: Any) -> tuple[Any, ...] | None:
    """Returns what the kernels have to know of a layer, activations first; None where it does more, or they cannot."""
    shares = (layer.input_dropout, layer.dropout_U) if layer.training else ()
    functions = layer.activation, getattr(layer, "inner_activation", activations.linear)
    if layer.stateful or any(0.0 < share < 1.0 for share in shares) or not is_plain(layer) or native_kernel() is None:
        return None
    numbers = [ACTIVATIONS.get(function) for function in functions]
    return None if None in numbers else (*numbers, layer.go_backwards, layer.return_sequences, layer.output_dim)
