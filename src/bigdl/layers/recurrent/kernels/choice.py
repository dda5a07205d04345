"""Which kernel runs a cell."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd import forward_ad

from bigdl.layers.recurrent.cells import GatedCell, GRUCell, LSTMCell
from bigdl.layers.recurrent.kernels import native
from bigdl.layers.recurrent.kernels.arrays import Kernel
from bigdl.layers.recurrent.kernels.slopes import SLOPES
from bigdl.layers.recurrent.kernels.stepwise import StepwiseKernel
from bigdl.layers.recurrent.sequence import Cell


def kernel_for(cell: Cell, *tensors: Tensor) -> Kernel | None:
    """Returns the kernel for a cell and the tensors that it meets.

    Args:
        cell: The cell.
        tensors: The input and the weights.

    Returns:
        None where only the loop over single steps will do, or none is faster: for cells and activations of the user,
        on other devices, in other precisions, for empty batches, and while torch records what is computed or computes
        more than values and gradients.
    """
    if not isinstance(cell, GatedCell) or _is_traced() or not tensors[0].numel():
        return None
    dtype = tensors[0].dtype
    if dtype not in (torch.float32, torch.float64) or not all(_is_plain(tensor, dtype) for tensor in tensors):
        return None
    functions = {cell.activation, cell.inner_activation}
    if type(cell) not in native.CELLS or not functions <= SLOPES.keys():
        return None
    found = native.native_kernel() if functions <= native.ACTIVATIONS.keys() else None
    if found is None and isinstance(cell, GRUCell | LSTMCell) and torch.is_grad_enabled():
        return StepwiseKernel()
    return found


def _is_plain(tensor: Tensor, dtype: torch.dtype) -> bool:
    return type(tensor) in (Tensor, torch.nn.Parameter) and tensor.dtype == dtype and tensor.device.type == "cpu"


def _is_traced() -> bool:
    return (
        torch.compiler.is_compiling()
        or torch._C._get_tracing_state() is not None
        or torch._C._are_functorch_transforms_active()  # torch.func
        or forward_ad._current_level >= 0
    )
