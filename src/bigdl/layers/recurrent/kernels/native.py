"""The kernels in C++; see ``bigdl.native``."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from bigdl.layers import activations
from bigdl.layers.activations import Activation
from bigdl.layers.recurrent.cells import GatedCell, GRUCell, LSTMCell, SimpleRNNCell
from bigdl.layers.recurrent.kernels.arrays import Arrays
from bigdl.native import Library, address, kernels
from bigdl.programs.recurrence import GRU, LSTM, SIMPLE_RNN
from bigdl.programs.structures import Product

# The numbers of csrc/sequence.h.
CELLS: dict[type[GatedCell], int] = {SimpleRNNCell: SIMPLE_RNN, GRUCell: GRU, LSTMCell: LSTM}
ACTIVATIONS: dict[Activation, int] = {
    activations.linear: 0,
    activations.relu: 1,
    activations.tanh: 2,
    activations.sigmoid: 3,
    activations.hard_sigmoid: 4,
    activations.softsign: 5,
}

_SIZES = ("batch", "steps", "inputs", "units")
_CHOICES = ("cell", "activation", "inner_activation", "backwards", "input_sets", "state_sets")
_WEIGHTS = ("x", "input_weight", "bias", "weight", "input_dropout", "state_dropout", "valid")
_RESULTS = ("h", "c", "outputs", "gates", "previous_h", "memory", "grad_outputs", "grad_h", "grad_gates", "grad_x")


class NativeSequence(ctypes.Structure):
    """``struct Sequence`` of ``csrc/sequence.h``."""

    _fields_ = (
        [(name, ctypes.c_int64) for name in _SIZES]
        + [(name, ctypes.c_int32) for name in _CHOICES]
        + [(name, ctypes.c_void_p) for name in _WEIGHTS + _RESULTS]
    )


class NativeKernel:
    """Runs cells by the library.

    Args:
        library: The library.
    """

    def __init__(self, library: Library) -> None:
        self.library = library

    def forward(self, arrays: Arrays) -> None:
        """See ``Kernel``."""
        x = arrays.x
        shape = (*x.shape[:2], arrays.units)
        # Two states of zeros may be one tensor, and those given are not to be changed.
        arrays.h, arrays.c = arrays.h.clone(), None if arrays.c is None else arrays.c.clone()
        if arrays.sequences:
            arrays.outputs = x.new_empty(shape)
        if arrays.keep:
            arrays.gates = x.new_empty(*shape[:2], len(arrays.bias))
            arrays.previous_h = x.new_empty(shape)
            arrays.memory = None if isinstance(arrays.cell, SimpleRNNCell) else x.new_empty(shape)
        self._run(self.library.functions.bigdl_sequence_forward, arrays)

    def backward(self, arrays: Arrays) -> None:
        """See ``Kernel``."""
        arrays.grad_gates = arrays.gates
        arrays.grad_x = torch.empty_like(arrays.x) if arrays.wants_grad_x else None
        self._run(self.library.functions.bigdl_sequence_backward, arrays)

    def _run(self, function: Callable[..., int], arrays: Arrays) -> None:
        cell, x = arrays.cell, arrays.x
        weights = (x, arrays.weight, arrays.bias, cell.weight, arrays.input_masks, cell.masks, arrays.valid)
        sequence = NativeSequence(
            *x.shape,
            arrays.units,
            CELLS[type(cell)],
            ACTIVATIONS[cell.activation],
            ACTIVATIONS[cell.inner_activation],
            arrays.backwards,
            _length(arrays.input_masks),
            _length(cell.masks),
            *map(address, weights),
            *(address(getattr(arrays, name)) for name in _RESULTS),
        )
        self.library.run(function, sequence, x.dtype == torch.float64)

    def weight_gradient(self, sums: Tensor, inputs: Tensor, gradient: Tensor, total: Tensor | None = None) -> None:
        """See ``Kernel``."""
        sums, inputs = sums.flatten(0, 1), inputs.flatten(0, 1)
        product = Product(
            len(sums),
            *gradient.shape,
            sums.data_ptr(),
            sums.stride(0),
            inputs.data_ptr(),
            inputs.stride(0),
            gradient.data_ptr(),
            address(total),
        )
        function = self.library.functions.bigdl_weight_gradient
        self.library.run(function, product, gradient.dtype == torch.float64)


def _length(masks: Tensor | None) -> int:
    return 0 if masks is None else len(masks)


@cache
def native_kernel() -> NativeKernel | None:
    """Returns the kernels in C++; None where they were not built or are not wanted."""
    found = kernels()
    return None if found is None else NativeKernel(found)
