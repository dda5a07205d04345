"""The clipping of gradients as BigDL's optimizers are told it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

Gradients = list[Tensor]
Clip = Callable[[Gradients], Gradients]


def clipped(clips: Mapping[str, Clip], gradients: Gradients) -> Gradients:
    """Returns gradients clipped by value, then by norm.

    Args:
        clips: What clips by value (``"const"``) and by norm (``"norm"``), as far as it is to be done.
        gradients: The gradients.
    """
    for name in ("const", "norm"):
        if name in clips:
            gradients = clips[name](gradients)
    return gradients
