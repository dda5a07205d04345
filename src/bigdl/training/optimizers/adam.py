"""Adam and its relatives."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from bigdl.training.optimizers.base import Optimizer, Rule
from bigdl.training.optimizers.native import Kind, in_one_pass
from bigdl.training.optimizers.variable import ONE, Variable


class _MomentOptimizer(Optimizer):
    """Keeps a running mean of the gradients, ``m = beta_1 m + (1 - beta_1) g``, and of their size."""

    saves_iterations: ClassVar[bool] = True
    beta_1 = Variable()
    beta_2 = Variable()

    def __init__(
        self, lr: float, beta_1: float, beta_2: float, epsilon: float, decay: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(lr, decay, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        return {
            **super().get_config(),
            "lr": float(self.lr),
            "beta_1": float(self.beta_1),
            "beta_2": float(self.beta_2),
            "decay": float(self.decay),
            "epsilon": self.epsilon,
        }


class Adam(_MomentOptimizer):
    """``v = beta_2 v + (1 - beta_2) g^2; p -= lr sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon)``.

    Kingma and Ba 2014; ``t`` is the number of the step, from 1.

    Args:
        lr: The learning rate.
        beta_1: The share of ``m`` that stays.
        beta_2: The share of ``v`` that stays.
        epsilon: Keeps the divisor from 0.
        decay: How fast the learning rate decays.
        kwargs: ``clipnorm``, ``clipvalue``.
    """

    accumulators: ClassVar[tuple[str, ...]] = ("mean", "square")
    moves_tables: ClassVar[bool] = True

    def __init__(
        self,
        lr: float = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        decay: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr, beta_1, beta_2, epsilon, decay, **kwargs)

    def rule(self) -> Rule:
        """Returns the rule of the next step."""
        t = np.float32(self.iterations + 1)
        kept_1, kept_2 = self.beta_1[()], self.beta_2[()]  # as scalars: NumPy computes with arrays ten times as long
        rate = float(self.learning_rate() * (np.sqrt(ONE - kept_2**t) / (ONE - kept_1**t)))
        beta_1, beta_2, epsilon = float(kept_1), float(kept_2), self.epsilon
        rest_1, rest_2 = float(ONE - kept_1), float(ONE - kept_2)
        # torch's kernel corrects the moments for its own number of steps. After very many there is nothing to correct,
        # and it computes p -= rate m / (sqrt(v) + epsilon).
        many_steps = 1e9

        def move(p: Tensor, g: Tensor, m: Tensor, v: Tensor) -> None:
            torch._fused_adam_(
                [p],
                [g],
                [m],
                [v],
                [],
                [torch.full((), many_steps, device=p.device)],
                lr=rate,
                beta1=beta_1,
                beta2=beta_2,
                weight_decay=0.0,
                eps=epsilon,
                amsgrad=False,
                maximize=False,
            )

        of_square = {"rate": rate, "kept": beta_2, "added": rest_2, "epsilon": epsilon}
        return in_one_pass(Kind.ADAM, move, **of_square, mean_kept=beta_1, mean_added=rest_1)


class Adamax(_MomentOptimizer):
    """``u = max(beta_2 u, |g|); p -= lr / (1 - beta_1^t) m / (u + epsilon)`` (Kingma and Ba 2014, section 7).

    Args:
        lr: The learning rate.
        beta_1: The share of ``m`` that stays.
        beta_2: The share of ``u`` that stays.
        epsilon: Keeps the divisor from 0.
        decay: How fast the learning rate decays.
        kwargs: ``clipnorm``, ``clipvalue``.
    """

    accumulators: ClassVar[tuple[str, ...]] = ("mean", "largest")

    def __init__(
        self,
        lr: float = 0.002,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        decay: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr, beta_1, beta_2, epsilon, decay, **kwargs)

    def rule(self) -> Rule:
        """Returns the rule of the next step."""
        t = np.float32(self.iterations + 1)
        rate = float(self.learning_rate() / (ONE - self.beta_1**t))
        beta_1, rest_1, beta_2 = float(self.beta_1), float(ONE - self.beta_1), float(self.beta_2)
        epsilon = self.epsilon

        def move(p: Tensor, g: Tensor, m: Tensor, u: Tensor) -> None:
            m.mul_(beta_1).add_(g, alpha=rest_1)
            torch.maximum(u.mul_(beta_2), g.abs(), out=u)
            p.addcdiv_(m, u.add(epsilon), value=-rate)

        return move


class Nadam(_MomentOptimizer):
    """Adam with Nesterov's momentum and a warming schedule of it (Dozat 2015); it has no decay.

    With ``c_t = beta_1 (1 - 0.5 * 0.96^(schedule_decay t))`` and ``P_t = c_1 ... c_t``:
    ``p -= lr ((1 - c_t) g / (1 - P_t) + c_(t+1) m / (1 - P_t c_(t+1))) / (sqrt(v / (1 - beta_2^t)) + epsilon)``.

    Attributes:
        m_schedule: ``P_t`` of the last step. Keras does not save it, so a model read back starts it anew.

    Args:
        lr: The learning rate.
        beta_1: The share of ``m`` that stays.
        beta_2: The share of ``v`` that stays.
        epsilon: Keeps the divisor from 0.
        schedule_decay: How fast the momentum warms up.
        kwargs: ``clipnorm``, ``clipvalue``.
    """

    accumulators: ClassVar[tuple[str, ...]] = ("mean", "square")
    m_schedule = Variable()

    def __init__(
        self,
        lr: float = 0.002,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        schedule_decay: float = 0.004,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr, beta_1, beta_2, epsilon, **kwargs)
        self.schedule_decay = schedule_decay
        self.m_schedule = 1.0

    def _momentum(self, t: int) -> np.float32:
        """``c_t``."""
        warming = np.float32(0.96) ** (np.float32(t) * np.float32(self.schedule_decay))
        return np.float32(self.beta_1 * (ONE - np.float32(0.5) * warming))

    def rule(self) -> Rule:
        """Returns the rule of the next step; advances ``m_schedule``."""
        t = self.iterations + 1
        now, following = self._momentum(t), self._momentum(t + 1)
        self.m_schedule = self.m_schedule * now
        of_gradient = float((ONE - now) / (ONE - self.m_schedule))
        of_mean = float(following / (ONE - self.m_schedule * following))
        of_square = float(ONE / (ONE - self.beta_2 ** np.float32(t)))
        lr, epsilon = float(self.learning_rate()), self.epsilon
        beta_1, rest_1 = float(self.beta_1), float(ONE - self.beta_1)
        beta_2, rest_2 = float(self.beta_2), float(ONE - self.beta_2)

        def move(p: Tensor, g: Tensor, m: Tensor, v: Tensor) -> None:
            m.mul_(beta_1).add_(g, alpha=rest_1)
            v.mul_(beta_2).addcmul_(g, g, value=rest_2)
            mean = m.mul(of_mean).add_(g, alpha=of_gradient)
            p.addcdiv_(mean, v.mul(of_square).sqrt_().add_(epsilon), value=-lr)

        return move

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as Keras 1.2.2 writes them."""
        config = {**super().get_config(), "schedule_decay": self.schedule_decay}
        del config["decay"]
        return config
