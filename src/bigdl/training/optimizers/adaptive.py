"""Optimizers that divide each gradient by the size of past ones."""

from __future__ import annotations

from typing import Any, ClassVar

from torch import Tensor

from bigdl.training.optimizers.base import Optimizer, Rule
from bigdl.training.optimizers.native import Kind, in_one_pass
from bigdl.training.optimizers.variable import ONE, Variable


def _move_scaled(p: Tensor, g: Tensor, a: Tensor, lr: float, epsilon: float) -> None:
    """``p -= lr g / (sqrt(a) + epsilon)``."""
    p.addcdiv_(g, a.sqrt().add_(epsilon), value=-lr)


class RMSprop(Optimizer):
    """``a = rho a + (1 - rho) g^2; p -= lr g / (sqrt(a) + epsilon)`` (Tieleman and Hinton 2012).

    Args:
        lr: The learning rate.
        rho: The share of ``a`` that stays.
        epsilon: Keeps the divisor from 0.
        decay: How fast the learning rate decays.
        kwargs: ``clipnorm``, ``clipvalue``.
    """

    accumulators: ClassVar[tuple[str, ...]] = ("square",)
    moves_tables: ClassVar[bool] = True
    rho = Variable()

    def __init__(
        self, lr: float = 0.001, rho: float = 0.9, epsilon: float = 1e-8, decay: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(lr, decay, **kwargs)
        self.rho = rho
        self.epsilon = epsilon

    def rule(self) -> Rule:
        """Returns the rule of the next step."""
        lr, rho, rest, epsilon = float(self.learning_rate()), float(self.rho), float(ONE - self.rho), self.epsilon

        def move(p: Tensor, g: Tensor, a: Tensor) -> None:
            a.mul_(rho).addcmul_(g, g, value=rest)
            _move_scaled(p, g, a, lr, epsilon)

        return in_one_pass(Kind.RMSPROP, move, rate=lr, kept=rho, added=rest, epsilon=epsilon)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {
            **super().get_config(),
            "lr": float(self.lr),
            "rho": float(self.rho),
            "decay": float(self.decay),
            "epsilon": self.epsilon,
        }


class Adagrad(Optimizer):
    """``a += g^2; p -= lr g / (sqrt(a) + epsilon)`` (Duchi et al. 2011).

    Args:
        lr: The learning rate.
        epsilon: Keeps the divisor from 0.
        decay: How fast the learning rate decays.
        kwargs: ``clipnorm``, ``clipvalue``.
    """

    accumulators: ClassVar[tuple[str, ...]] = ("square",)
    moves_tables: ClassVar[bool] = True

    def __init__(self, lr: float = 0.01, epsilon: float = 1e-8, decay: float = 0.0, **kwargs: Any) -> None:
        super().__init__(lr, decay, **kwargs)
        self.epsilon = epsilon

    def rule(self) -> Rule:
        """Returns the rule of the next step."""
        lr, epsilon = float(self.learning_rate()), self.epsilon

        def move(p: Tensor, g: Tensor, a: Tensor) -> None:
            a.addcmul_(g, g)
            _move_scaled(p, g, a, lr, epsilon)

        return in_one_pass(Kind.ADAGRAD, move, rate=lr, kept=1.0, added=1.0, epsilon=epsilon)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {
            **super().get_config(),
            "lr": float(self.lr),
            "decay": float(self.decay),
            "epsilon": self.epsilon,
        }


class Adadelta(Optimizer):
    """``a = rho a + (1 - rho) g^2; u = g sqrt(d + e) / sqrt(a + e); p -= lr u; d = rho d + (1 - rho) u^2``.

    Zeiler 2012, with a learning rate as Keras has it.

    Args:
        lr: The learning rate.
        rho: The share of ``a`` and ``d`` that stays.
        epsilon: ``e``.
        decay: How fast the learning rate decays.
        kwargs: ``clipnorm``, ``clipvalue``.
    """

    accumulators: ClassVar[tuple[str, ...]] = ("square", "delta")
    moves_tables: ClassVar[bool] = True

    def __init__(
        self, lr: float = 1.0, rho: float = 0.95, epsilon: float = 1e-8, decay: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(lr, decay, **kwargs)
        self.rho = rho
        self.epsilon = epsilon

    def rule(self) -> Rule:
        """Returns the rule of the next step."""
        lr, rho, epsilon = float(self.learning_rate()), self.rho, self.epsilon

        def move(p: Tensor, g: Tensor, a: Tensor, d: Tensor) -> None:
            a.mul_(rho).addcmul_(g, g, value=1 - rho)
            update = d.add(epsilon).sqrt_().mul_(g).div_(a.add(epsilon).sqrt_())
            p.add_(update, alpha=-lr)
            d.mul_(rho).addcmul_(update, update, value=1 - rho)

        return in_one_pass(Kind.ADADELTA, move, rate=lr, kept=rho, added=1 - rho, epsilon=epsilon)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {
            **super().get_config(),
            "lr": float(self.lr),
            "rho": self.rho,
            "decay": float(self.decay),
            "epsilon": self.epsilon,
        }
