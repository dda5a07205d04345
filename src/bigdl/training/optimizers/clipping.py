"""Limits of gradients."""

from __future__ import annotations

import torch
from torch import Tensor


def clip_by_norm(gradients: list[Tensor], limit: float) -> list[Tensor]:
    """Scales gradients so that their norm, taken over all of them together, is at most ``limit``."""
    norm = float(torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients))))
    return list(torch._foreach_mul(gradients, limit / norm)) if norm >= limit and norm > 0 else gradients


def clip_by_value(gradients: list[Tensor], low: float, high: float) -> list[Tensor]:
    """Limits each value of the gradients to ``[low, high]``."""
    return list(torch._foreach_clamp_max(torch._foreach_clamp_min(gradients, low), high))
