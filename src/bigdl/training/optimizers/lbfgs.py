"""Limited-memory BFGS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from bigdl.errors import DataError, WeightMismatchError
from bigdl.training.optimizers.base import Optimizer, Rule


class LBFGS(Optimizer):
    """Steps along an estimate of Newton's direction from past steps and changes of the gradient.

    Nocedal 1980. One step of fixed length for each batch, as BigDL's optimizers run it: the gradient is not computed
    again within a batch.

    Args:
        lr: The length of a step, relative to the estimate.
        history: How many past steps are kept.
        tolerance: No step is taken where the sum of the gradient's absolute values is less.
        slope_tolerance: No step is taken where the loss falls less than this along the direction.
        kwargs: ``decay``, ``clipnorm``, ``clipvalue``.
    """

    def __init__(
        self,
        lr: float = 1.0,
        history: int = 100,
        tolerance: float = 1e-5,
        slope_tolerance: float = 1e-9,
        **kwargs: Any,
    ) -> None:
        super().__init__(lr, **kwargs)
        self.history = int(history)
        self.tolerance = tolerance
        self.slope_tolerance = slope_tolerance

    def rule(self) -> Rule:
        """Not used: the direction depends on all parameters together."""
        raise NotImplementedError("LBFGS moves all parameters at once")

    def reset(self) -> None:
        """Forgets past steps."""
        super().reset()
        self._steps: list[Tensor] = []
        self._changes: list[Tensor] = []
        self._last: dict[str, Tensor] = {}

    def _scale(self) -> None:
        if self.multipliers:
            raise DataError("LBFGS moves all weights along one direction: it takes no lr_multipliers.")

    def apply(self, gradients: list[Tensor]) -> None:
        """Moves all parameters along the new direction."""
        gradient = torch.cat([g.reshape(-1) for g in gradients])
        size = float(gradient.abs().sum())
        if size < self.tolerance:
            return
        first = not self._last
        direction = -gradient if first else self._direction(gradient)
        length = float(self.learning_rate()) * (min(1.0, 1.0 / size) if first else 1.0)
        if float(gradient @ direction) > -self.slope_tolerance:
            length = 0.0
        self._last = {"gradient": gradient, "step": direction * length}
        pieces = self._last["step"].split([p.numel() for p in self._parameters])  # type: ignore[no-untyped-call]
        for parameter, piece in zip(self._parameters, pieces, strict=True):
            parameter.add_(piece.view(parameter.shape))

    def _direction(self, gradient: Tensor) -> Tensor:
        """The two-loop recursion over past steps and changes of the gradient."""
        change, step = gradient - self._last["gradient"], self._last["step"]
        if float(change @ step) > 1e-10:
            self._steps, self._changes = [*self._steps, step], [*self._changes, change]
            del self._steps[: -self.history], self._changes[: -self.history]
        pairs = list(zip(self._steps, self._changes, strict=True))
        direction = -gradient
        factors = []
        for s, y in reversed(pairs):
            factors.append((s @ direction) / (y @ s))
            direction = direction - factors[-1] * y
        if pairs:
            s, y = pairs[-1]
            direction = direction * ((y @ s) / (y @ y))
        for (s, y), factor in zip(pairs, reversed(factors), strict=True):
            direction = direction + (factor - (y @ direction) / (y @ s)) * s
        return direction

    def state_dict(self) -> dict[str, Tensor]:
        """Returns all that the next steps depend on."""
        state = super().state_dict()
        state.update((f"step.{i}", s) for i, s in enumerate(self._steps))
        state.update((f"change.{i}", y) for i, y in enumerate(self._changes))
        state.update((f"last.{key}", value) for key, value in self._last.items())
        return state

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Writes what ``state_dict`` returned; the same weights must be bound.

        Raises:
            WeightMismatchError: Something is missing or has another shape; nothing is written then.
        """
        own = {key: value for key, value in state.items() if key.split(".")[0] in ("step", "change", "last")}
        size = sum(p.numel() for p in self._parameters)
        if any(value.shape != (size,) for value in own.values()):
            raise WeightMismatchError(f"This is not the state of an LBFGS of these weights, which are {size} numbers.")
        super().load_state_dict({key: value for key, value in state.items() if key not in own})
        count = sum(key.startswith("step.") for key in own)
        self._steps = [own[f"step.{i}"].clone() for i in range(count)]
        self._changes = [own[f"change.{i}"].clone() for i in range(count)]
        self._last = {key[5:]: value.clone() for key, value in own.items() if key.startswith("last.")}

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        return {
            **super().get_config(),
            "lr": float(self.lr),
            "history": self.history,
            "tolerance": self.tolerance,
            "slope_tolerance": self.slope_tolerance,
        }
