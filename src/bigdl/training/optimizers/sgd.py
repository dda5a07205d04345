"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from bigdl.errors import DataError
from bigdl.training.optimizers.base import Optimizer, Rule
from bigdl.training.optimizers.variable import ONE, Variable


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

        def move(p: Tensor, g: Tensor, v: Tensor) -> None:
            v.mul_(momentum).add_(g, alpha=-lr)
            if nesterov:
                p.add_(v, alpha=momentum).add_(g, alpha=-lr)
            else:
                p.add_(v)

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


class DampedSGD(Optimizer):
    """``v = momentum v + (1 - dampening) g; p -= lr v``, the first ``v`` being ``g``: BigDL's and torch's SGD.

    With Nesterov's momentum ``p -= lr (g + momentum v)``.

    Args:
        lr: The learning rate.
        momentum: The share of ``v`` that stays.
        dampening: The share of each gradient that is left out.
        decay: How fast the learning rate decays.
        nesterov: Whether the momentum is Nesterov's; it needs a momentum and no dampening.
        kwargs: ``weight_decay``, ``clipnorm``, ``clipvalue``.

    Raises:
        DataError: Nesterov's momentum is asked for without a momentum or with dampening.
    """

    accumulators: ClassVar[tuple[str, ...]] = ("velocity",)
    saves_iterations: ClassVar[bool] = True
    momentum = Variable()
    dampening = Variable()

    def __init__(
        self,
        lr: float = 0.001,
        momentum: float = 0.0,
        dampening: float = 0.0,
        decay: float = 0.0,
        nesterov: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr, decay, **kwargs)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise DataError(
                "SGD: nesterov=True needs a momentum above 0 and a dampening of 0. "
                f"Received: momentum={momentum}, dampening={dampening}."
            )
        self.momentum = momentum
        self.dampening = dampening
        self.nesterov = bool(nesterov)

    def rule(self) -> Rule:
        """Returns the rule of the next step."""
        lr, momentum, nesterov = float(self.learning_rate()), float(self.momentum), self.nesterov
        taken = float(ONE - self.dampening) if self.iterations else 1.0

        def move(p: Tensor, g: Tensor, v: Tensor) -> None:
            v.mul_(momentum).add_(g, alpha=taken)
            if nesterov:
                p.add_(g, alpha=-lr).add_(v, alpha=-lr * momentum)
            else:
                p.add_(v if momentum else g, alpha=-lr)

        return move

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "lr": float(self.lr),
            "momentum": float(self.momentum),
            "dampening": float(self.dampening),
            "decay": float(self.decay),
            "nesterov": self.nesterov,
        }
