"""Follow the regularized leader."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from bigdl.errors import DataError
from bigdl.training.optimizers.base import Optimizer, Rule


class Ftrl(Optimizer):
    """FTRL-proximal (McMahan et al. 2013), as BigDL has it, with a penalty ``s`` of magnitude (shrinkage).

    ``h = g + 2 s p``; ``a' = a + h^2``; ``z += h - (a'^q - a^q) / lr p`` with ``q = -lr_power``;
    ``p = (clip(z, -l1, l1) - z) / (a'^q / lr + 2 l2)``.

    Args:
        lr: The learning rate.
        lr_power: At most 0.
        initial_accumulator: The first ``a``.
        l1: The penalty of absolute values.
        l2: The penalty of squares.
        l2_shrinkage: ``s``.
        kwargs: ``decay``, ``clipnorm``, ``clipvalue``.

    Raises:
        DataError: A number has the wrong sign.
    """

    accumulators: ClassVar[tuple[str, ...]] = ("square", "linear")
    saves_iterations: ClassVar[bool] = True

    def __init__(
        self,
        lr: float = 0.001,
        lr_power: float = -0.5,
        initial_accumulator: float = 0.1,
        l1: float = 0.0,
        l2: float = 0.0,
        l2_shrinkage: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr, **kwargs)
        if lr_power > 0 or min(lr, initial_accumulator, l1, l2, l2_shrinkage) < 0:
            raise DataError(
                "Ftrl expects a learning rate power of at most 0 and no other negative number. Received: "
                f"lr={lr}, lr_power={lr_power}, initial_accumulator={initial_accumulator}, l1={l1}, l2={l2}, "
                f"l2_shrinkage={l2_shrinkage}."
            )
        self.lr_power = lr_power
        self.initial_accumulator = initial_accumulator
        self.l1 = l1
        self.l2 = l2
        self.l2_shrinkage = l2_shrinkage

    def initial_value(self, accumulator: str) -> float:
        """Returns what an accumulator starts from."""
        return self.initial_accumulator if accumulator == "square" else 0.0

    def rule(self) -> Rule:
        """Returns the rule of the next step."""
        lr, power, l1, l2, shrinkage = float(self.learning_rate()), -self.lr_power, self.l1, self.l2, self.l2_shrinkage

        def move(p: Tensor, g: Tensor, a: Tensor, z: Tensor) -> None:
            if shrinkage:
                g = torch.add(g, p, alpha=2 * shrinkage)
            before = a.pow(power)
            after = a.addcmul_(g, g).pow(power)
            z.add_(g).addcmul_(before.sub_(after), p, value=1 / lr)
            torch.clamp(z, -l1, l1, out=p).sub_(z).div_(after.div_(lr).add_(2 * l2))

        return move

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "lr": float(self.lr),
            "lr_power": self.lr_power,
            "initial_accumulator": self.initial_accumulator,
            "l1": self.l1,
            "l2": self.l2,
            "l2_shrinkage": self.l2_shrinkage,
        }
