"""The kernels in C++, found beside this file where they were built.

The library knows neither torch nor Python: it takes the addresses of the tensors' values, so that one build serves all
versions of both. Its work is divided among torch's threads by torch's own ``torch_parallel_for``.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache
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

_SIZES = ("batch", "steps", "units")
_CHOICES = ("cell", "activation", "inner_activation", "backwards", "dropout_sets")
_ARRAYS = (
    *("weight", "dropout", "valid", "gates", "h", "c", "outputs", "previous_h", "memory"),
    *("grad_outputs", "grad_h", "grad_gates"),
)


class _Sequence(ctypes.Structure):
    """``struct Sequence`` of ``csrc/sequence.h``."""

    _fields_ = (
        [(name, ctypes.c_int64) for name in _SIZES]
        + [(name, ctypes.c_int32) for name in _CHOICES]
        + [(name, ctypes.c_void_p) for name in _ARRAYS]
    )


class NativeKernel:
    """The library, loaded.

    Attributes:
        instruction_set: What it chose for this processor: ``"avx512"``, ``"avx2"`` or ``"baseline"``.

    Args:
        library: Where it is.

    Raises:
        OSError: It cannot be loaded.
    """

    def __init__(self, library: Path) -> None:
        functions = ctypes.CDLL(str(library))
        functions.bigdl_instruction_set.restype = ctypes.c_char_p
        self.instruction_set: str = functions.bigdl_instruction_set().decode()
        self._forward = functions.bigdl_sequence_forward
        self._backward = functions.bigdl_sequence_backward
        self._parallel_for = _torch_parallel_for()

    def forward(self, arrays: Arrays) -> None:
        """See ``Kernel``."""
        self._run(self._forward, arrays)

    def backward(self, arrays: Arrays) -> None:
        """See ``Kernel``."""
        self._run(self._backward, arrays)

    def _run(self, function: ctypes._NamedFuncPointer, arrays: Arrays) -> None:
        cell, gates = arrays.cell, arrays.gates
        masks = cell.masks
        sequence = _Sequence(
            gates.shape[0],
            gates.shape[1],
            cell.weight.shape[1],
            CELLS[type(cell)],
            ACTIVATIONS[cell.activation],
            ACTIVATIONS[cell.inner_activation],
            arrays.backwards,
            0 if masks is None else len(masks),
            *map(_address, (cell.weight, masks, arrays.valid, gates, arrays.h, arrays.c, arrays.outputs)),
            *map(_address, (arrays.previous_h, arrays.memory, arrays.grad_outputs, arrays.grad_h, arrays.grad_gates)),
        )
        if function(ctypes.byref(sequence), gates.dtype == torch.float64, self._parallel_for):
            raise MemoryError("There is no memory for the kernels of recurrent layers.")


def _address(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()


def _torch_parallel_for() -> ctypes.c_void_p | None:
    """Returns the address of torch's function (since torch 2.10); without it, one thread does all rows."""
    try:
        library = ctypes.CDLL(str(Path(torch.__file__).with_name("lib") / "libtorch_cpu.so"))
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
