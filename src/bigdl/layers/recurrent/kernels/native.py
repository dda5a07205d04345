"""The kernels in C++, found beside this file where they were built.

The library knows neither torch nor Python: it takes the addresses of the tensors' values, so that one build serves all
versions of both. Its work is divided among torch's threads by torch's own ``torch_parallel_for``.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from itertools import count, takewhile
from pathlib import Path

import torch
from torch import Tensor

from bigdl.layers import activations
from bigdl.layers.activations import Activation
from bigdl.layers.recurrent.cells import GatedCell, GRUCell, LSTMCell, SimpleRNNCell
from bigdl.layers.recurrent.kernels.arrays import Arrays

LIBRARY = Path(__file__).with_name("libkernels.so")

# The numbers of csrc/sequence.h.
CELLS: dict[type[GatedCell], int] = {SimpleRNNCell: 0, GRUCell: 1, LSTMCell: 2}
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


class _Sequence(ctypes.Structure):
    """``struct Sequence`` of ``csrc/sequence.h``."""

    _fields_ = (
        [(name, ctypes.c_int64) for name in _SIZES]
        + [(name, ctypes.c_int32) for name in _CHOICES]
        + [(name, ctypes.c_void_p) for name in _WEIGHTS + _RESULTS]
    )


class _Product(ctypes.Structure):
    """``struct Product`` of ``csrc/sequence.h``."""

    _fields_ = (
        ("rows", ctypes.c_int64),
        ("outputs", ctypes.c_int64),
        ("inputs", ctypes.c_int64),
        ("out", ctypes.c_void_p),
        ("out_stride", ctypes.c_int64),
        ("in", ctypes.c_void_p),
        ("in_stride", ctypes.c_int64),
        ("gradient", ctypes.c_void_p),
        ("out_total", ctypes.c_void_p),
    )


class NativeKernel:
    """The library, with the best of the instruction sets that this processor has, or with another of them.

    Attributes:
        instruction_sets: Those that it has: ``"baseline"``, ``"avx2"``, ``"avx512"``.

    Args:
        library: Where the library is.
        instruction_set: The one to use.

    Raises:
        OSError: The library cannot be loaded.
    """

    def __init__(self, library: Path, instruction_set: str | None = None) -> None:
        functions = ctypes.CDLL(str(library))
        functions.bigdl_instruction_set.restype = ctypes.c_char_p
        found = (functions.bigdl_instruction_set(i) for i in count())
        self.instruction_sets = [name.decode() for name in takewhile(bool, found)]
        self._set = self.instruction_sets.index(instruction_set or self.instruction_sets[-1])
        self._forward = functions.bigdl_sequence_forward
        self._backward = functions.bigdl_sequence_backward
        self._weight_gradient = functions.bigdl_weight_gradient
        self._parallel_for = _torch_parallel_for()

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
        self._run(self._forward, arrays)

    def backward(self, arrays: Arrays) -> None:
        """See ``Kernel``."""
        arrays.grad_gates = arrays.gates
        arrays.grad_x = torch.empty_like(arrays.x) if arrays.wants_grad_x else None
        self._run(self._backward, arrays)

    def _run(self, function: ctypes._NamedFuncPointer, arrays: Arrays) -> None:
        cell, x = arrays.cell, arrays.x
        weights = (x, arrays.weight, arrays.bias, cell.weight, arrays.input_masks, cell.masks, arrays.valid)
        sequence = _Sequence(
            *x.shape,
            arrays.units,
            CELLS[type(cell)],
            ACTIVATIONS[cell.activation],
            ACTIVATIONS[cell.inner_activation],
            arrays.backwards,
            _length(arrays.input_masks),
            _length(cell.masks),
            *map(_address, weights),
            *(_address(getattr(arrays, name)) for name in _RESULTS),
        )
        self._call(function, sequence, x)

    def weight_gradient(self, sums: Tensor, inputs: Tensor, gradient: Tensor, total: Tensor | None = None) -> None:
        """See ``Kernel``."""
        sums, inputs = sums.flatten(0, 1), inputs.flatten(0, 1)
        product = _Product(
            len(sums),
            *gradient.shape,
            sums.data_ptr(),
            sums.stride(0),
            inputs.data_ptr(),
            inputs.stride(0),
            gradient.data_ptr(),
            _address(total),
        )
        self._call(self._weight_gradient, product, gradient)

    def _call(self, function: ctypes._NamedFuncPointer, argument: ctypes.Structure, like: Tensor) -> None:
        if function(ctypes.byref(argument), like.dtype == torch.float64, self._set, self._parallel_for):
            raise MemoryError("There is not enough memory for a recurrent layer, or there are too many threads.")


def _address(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()


def _length(masks: Tensor | None) -> int:
    return 0 if masks is None else len(masks)


def _torch_parallel_for() -> ctypes.c_void_p | None:
    """Returns the address of torch's function (since torch 2.10); without it, one thread does all rows."""
    try:
        name = "libtorch_cpu.dylib" if sys.platform == "darwin" else "libtorch_cpu.so"
        library = ctypes.CDLL(str(Path(torch.__file__).with_name("lib") / name))
        return ctypes.cast(library.torch_parallel_for, ctypes.c_void_p)
    except (OSError, AttributeError):
        return None


@cache
def native_kernel() -> NativeKernel | None:
    """Returns the kernels in C++; None where they were not built, or with ``BIGDL_NATIVE=0`` in the environment."""
    if os.environ.get("BIGDL_NATIVE") == "0" or not LIBRARY.exists():
        return None
    try:
        return NativeKernel(LIBRARY)
    except OSError:  # built for another machine
        return None
