"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from bigdl.training.optimizers.base import Optimizer, Rule
from bigdl.training.optimizers.variable import Variable


class SGD(Optimizer):
    """``v = momentum v - lr g; p += v``, with Nesterov's momentum ``p += momentum v - lr g``.

    Args:
        lr: The learning rate.
        momentum: The share of the last step that goes on.
        decay: How fast the learning rate decays.
        nesterov: Whether the momentum is Nesterov's.
        kwargs: ``clipnorm``, ``clipvalue``.
    """

    accumulators: ClassVar[tuple[str, ...]] = ("velocity",)
    saves_iterations: ClassVar[bool] = True
    momentum = Variable()

    def __init__(
        self, lr: float = 0.01, momentum: float = 0.0, decay: float = 0.0, nesterov: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(lr, decay, **kwargs)
        self.momentum = momentum
        self.nesterov = bool(nesterov)

    def rule(self) -> Rule:
        """Returns the rule of the next step."""
        lr, momentum, nesterov = float(self.learning_rate()), float(self.momentum), self.nesterov

        def move(p: list[Tensor], g: list[Tensor], v: list[Tensor]) -> None:
            torch._foreach_mul_(v, momentum)
            torch._foreach_add_(v, g, alpha=-lr)
            if nesterov:
                torch._foreach_add_(p, v, alpha=momentum)
                torch._foreach_add_(p, g, alpha=-lr)
            else:
                torch._foreach_add_(p, v)

        return move

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {
            **super().get_config(),
            "lr": float(self.lr),
            "momentum": float(self.momentum),
            "decay": float(self.decay),
            "nesterov": self.nesterov,
        }
