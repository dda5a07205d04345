"""The cross-entropy of probabilities in one pass."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from bigdl.layers.settings import epsilon
from bigdl.native import address, kernels


class _Entropy(ctypes.Structure):
    """``struct Entropy``."""

    _fields_ = (
        ("rows", ctypes.c_int64),
        ("classes", ctypes.c_int64),
        ("binary", ctypes.c_int32),
        ("least", ctypes.c_float),
        ("most", ctypes.c_float),
        ("factor", ctypes.c_float),
        *((name, ctypes.c_void_p) for name in ("targets", "probabilities", "scores", "gradient")),
    )


class _OnePass(torch.autograd.Function):
    """Scores and their gradient by the kernels in C++; a gradient's own gradient by torch's operations."""

    @staticmethod
    def forward(ctx: Any, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Returns the scores."""
        scores, gradient = _in_one_pass(y_true, y_pred, 1.0 if ctx.needs_input_grad[1] else None)
        ctx.save_for_backward(y_true, y_pred, gradient)
        return scores

    @staticmethod
    def backward(ctx: Any, of_scores: Tensor) -> Any:
        """Returns the gradient of the probabilities."""
        y_true, y_pred, gradient = ctx.saved_tensors
        if torch.is_grad_enabled():
            return None, torch.autograd.grad(plain(y_true, y_pred), y_pred, of_scores, create_graph=True)[0]
        return None, gradient * of_scores.unsqueeze(-1)


def _in_one_pass(
    y_true: Tensor, y_pred: Tensor, factor: float | None, binary: bool = False
) -> tuple[Tensor, Tensor | None]:
    """Returns the scores, and their gradient times a factor unless that is None."""
    library = kernels()
    assert library is not None
    scores = y_pred.new_empty(y_pred.shape[:-1])
    gradient = None if factor is None else torch.empty_like(y_pred)
    numbers = (epsilon(), 1.0 - epsilon(), 1.0 if factor is None else factor)
    places = (y_true.data_ptr(), y_pred.data_ptr(), scores.data_ptr(), address(gradient))
    call = _Entropy(scores.numel(), y_pred.shape[-1], binary, *numbers, *places)
    library.run(library.functions.bigdl_entropy, call)
    return scores, gradient


def graded_cross_entropy(y_true: Tensor, y_pred: Tensor, factor: float) -> tuple[Tensor, Tensor] | None:
    """Computes what ``cross_entropy`` does, and beside it the gradient of the sum of the scores.

    Args:
        y_true: The targets.
        y_pred: Probabilities.
        factor: What the gradient is multiplied by.

    Returns:
        Scores and gradient; None where the kernels do not take these.
    """
    if kernels() is None or not _take(y_true, y_pred):
        return None
    scores, gradient = _in_one_pass(y_true, y_pred, factor)
    assert gradient is not None
    return scores, gradient


def graded_binary_cross_entropy(y_true: Tensor, y_pred: Tensor, factor: float) -> tuple[Tensor, Tensor] | None:
    """Computes the means over the last axis of binary cross-entropies; see ``graded_cross_entropy``."""
    if kernels() is None or not _take(y_true, y_pred):
        return None
    scores, gradient = _in_one_pass(y_true, y_pred, factor, binary=True)
    assert gradient is not None
    return scores, gradient


def cross_entropy(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Computes ``-sum t log p`` over the last axis, with p made to sum to 1 and clipped to [eps, 1 - eps].

    Args:
        y_true: The targets t.
        y_pred: Probabilities p, of the same shape.
    """
    one_pass: Callable[..., Tensor] = _OnePass.apply
    return one_pass(y_true, y_pred) if kernels() is not None and _take(y_true, y_pred) else plain(y_true, y_pred)


def _take(y_true: Tensor, y_pred: Tensor) -> bool:
    """Whether the kernels take these."""
    if y_true.requires_grad or y_true.shape != y_pred.shape or not y_pred.dim():
        return False
    return _is_plain(y_true) and _is_plain(y_pred)


def _is_plain(x: Tensor) -> bool:
    return type(x) is Tensor and x.dtype is torch.float32 and x.is_cpu and x.is_contiguous()


def plain(y_true: Tensor, y_pred: Tensor) -> Tensor:
    """Computes the same by torch's operations."""
    p = y_pred / y_pred.sum(-1, keepdim=True)
    return -(y_true * p.clamp(epsilon(), 1.0 - epsilon()).log()).sum(-1)
