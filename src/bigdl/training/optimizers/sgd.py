"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from bigdl.errors import DataError
from bigdl.graph import Weight
from bigdl.training.optimizers.base import Optimizer, Rule
from bigdl.training.optimizers.native import Kind, in_one_pass
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
    moves_tables: ClassVar[bool] = True
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

        return in_one_pass(Kind.NESTEROV if nesterov else Kind.SGD, move, rate=lr, kept=momentum)

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
        rates: A factor of the learning rate for each value of the weights: those that are trained, one after the
            other, each in the order of its array.
        decays: Likewise, the share of each value that is added to its gradient, where there is no ``weight_decay``.
        kwargs: ``weight_decay``, ``clipnorm``, ``clipvalue``.

    Raises:
        DataError: Nesterov's momentum is asked for without a momentum or with dampening.
    """

    accumulators: ClassVar[tuple[str, ...]] = ("velocity",)
    saves_iterations: ClassVar[bool] = True
    moves_tables: ClassVar[bool] = True
    momentum = Variable()
    dampening = Variable()

    def __init__(
        self,
        lr: float = 0.001,
        momentum: float = 0.0,
        dampening: float = 0.0,
        decay: float = 0.0,
        nesterov: bool = False,
        rates: Any = None,
        decays: Any = None,
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
        given = {"rates": rates, "decays": None if self.weight_decay else decays}
        self._individual = {name: np.ravel(values) for name, values in given.items() if values is not None}

    def kept_rows(self) -> tuple[str, ...]:
        """Returns what is kept beside each parameter, the numbers of its own among it."""
        return (*self.accumulators, *self._individual)

    def bind(self, weights: Sequence[Weight]) -> None:
        """Takes the weights to move; see ``Optimizer``.

        Raises:
            DataError: There is not one rate or decay for each value.
        """
        self._given = list(dict.fromkeys(weights))
        super().bind(weights)

    def reset(self) -> None:
        """Forgets the velocities."""
        super().reset()
        sizes = [weight.value.numel() for weight in self._given]
        for name, values in self._individual.items():
            if values.size != sum(sizes):
                raise DataError(
                    f"SGD: {name} must hold a number for each of the {sum(sizes)} values that are trained. "
                    f"Received: {values.size}."
                )
            beside = self.by_parameter()[name]
            parts = np.split(values.astype(np.float32), np.cumsum(sizes)[:-1])
            for weight, part in zip(self._given, parts, strict=True):
                weight.view(beside[weight.parameter]).copy_(torch.from_numpy(part.reshape(weight.shape)))

    def rule(self) -> Rule:
        """Returns the rule of the next step."""
        lr, momentum, nesterov = float(self.learning_rate()), float(self.momentum), self.nesterov
        taken = float(ONE - self.dampening) if self.iterations else 1.0
        names = tuple(self._individual)

        def move(p: Tensor, g: Tensor, v: Tensor, *rows: Tensor) -> None:
            own = dict(zip(names, rows, strict=True))
            if "decays" in own:
                g = torch.addcmul(g, own["decays"], p)
            v.mul_(momentum).add_(g, alpha=taken)
            if "rates" in own:
                step = torch.add(g, v, alpha=momentum) if nesterov else v if momentum else g
                p.addcmul_(step, own["rates"], value=-lr)
            elif nesterov:
                p.add_(g, alpha=-lr).add_(v, alpha=-lr * momentum)
            else:
                p.add_(v if momentum else g, alpha=-lr)

        if names or not (momentum or taken == 1.0):
            return move
        kind = Kind.DAMPED_NESTEROV if nesterov else Kind.DAMPED
        return in_one_pass(kind, move, rate=lr, kept=momentum, added=taken)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "lr": float(self.lr),
            "momentum": float(self.momentum),
            "dampening": float(self.dampening),
            "decay": float(self.decay),
            "nesterov": self.nesterov,
            **{name: values.tolist() for name, values in self._individual.items()},
        }
