"""What happens to one batch: outputs, loss, gradients, new weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from bigdl.graph import Container, Weight
from bigdl.graph.arithmetic import known_values
from bigdl.training.batches import Batch
from bigdl.training.diagnosis import non_finite_loss
from bigdl.training.group import Group, SingleWorker
from bigdl.training.inference import forget_activity, penalised_layers
from bigdl.training.losses import LossTerm, Regularization


class Mover(Protocol):
    """An optimizer, as far as a step is concerned."""

    def bind(self, weights: Sequence[Weight]) -> None:
        """Takes the weights to move."""

    def step(self) -> None:
        """Moves them once, by the gradients in their parameters' ``.grad``."""


class Goal(Protocol):
    """What training makes small, and what it measures on the way.

    Attributes:
        names: The name of each term of the loss.
        factors: The factor of each term in the loss.
        uses_graph: Whether the terms or measures use tensors of the model's graph.
    """

    @property
    def names(self) -> Sequence[str]: ...  # noqa: D102

    @property
    def factors(self) -> Sequence[float]: ...  # noqa: D102

    @property
    def uses_graph(self) -> bool: ...  # noqa: D102

    def terms(self, outputs: list[Tensor], masks: list[Tensor | None], batch: Batch) -> list[LossTerm]:
        """Returns the terms of the loss.

        Args:
            outputs: The model's outputs.
            masks: Their masks.
            batch: The batch that they belong to.
        """

    def measures(self, outputs: list[Tensor], batch: Batch) -> list[Tensor]:
        """Returns means over the batch's rows that are only shown; see ``terms``."""


class Step:
    """Trains or tests a model on one batch at a time.

    The model is run in the mode that it is in.

    Args:
        model: The model.
        goal: What to make small.
        optimizer: Moves the weights.
        weights: The weights to move.
        clip: Limits the gradients before the optimizer sees them.
        group: The workers among which batches are divided.
    """

    def __init__(
        self,
        model: Container,
        goal: Goal,
        optimizer: Mover,
        weights: Sequence[Weight],
        clip: Callable[[list[Tensor]], list[Tensor]] | None = None,
        group: Group | None = None,
    ) -> None:
        self.model = model
        self.goal = goal
        self.optimizer = optimizer
        self.clip = clip
        self.group: Group = group or SingleWorker()
        self._penalised = penalised_layers(model)
        self._regularization = Regularization(model)
        self._parameters = list({id(weight.parameter): weight.parameter for weight in weights}.values())
        optimizer.bind(weights)

    def train(self, batch: Batch, where: str) -> list[float]:
        """Moves the weights once.

        Args:
            batch: The batch.
            where: Which one it is, for messages.

        Returns:
            The loss, its terms and the measures, computed with the weights before they were moved.

        Raises:
            TrainingError: The loss is not finite; the weights are left as they were.
        """
        frozen = [parameter for parameter in self._parameters if not parameter.requires_grad]
        for parameter in frozen:  # by a change of ``trainable`` after the weights to move were chosen
            parameter.requires_grad_(True)
        try:
            loss, values = self._losses(batch)
            gradients = self._gradients(loss)
        finally:
            for parameter in frozen:
                parameter.requires_grad_(False)
        self.group.all_reduce([*gradients, values])
        results = self._results(values)
        if not math.isfinite(results[0]):
            raise non_finite_loss(self.model, self.goal.names, batch, results, where)
        if self._parameters:
            for parameter, gradient in zip(self._parameters, self._clipped(gradients), strict=True):
                parameter.grad = gradient
            self.optimizer.step()
        return results

    def test(self, batch: Batch) -> list[float]:
        """Computes what ``train`` returns, and moves nothing."""
        with torch.no_grad():
            _, values = self._losses(batch)
        self.group.all_reduce([values])
        return self._results(values)

    def _losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Returns this worker's share of the loss, and all values to report with the number of rows behind them."""
        with known_values(self.goal.uses_graph):
            return self._losses_of(batch)

    def _losses_of(self, batch: Batch) -> tuple[Tensor, Tensor]:
        forget_activity(self._penalised)
        outputs, masks = run_on(self.model, batch)
        terms = self.goal.terms(outputs, masks, batch)
        shares = self._shares(terms)
        weighted = [factor * share for factor, share in zip(self.goal.factors, shares, strict=True)]
        loss = torch.stack(weighted).sum() + self._regularization(self.group.size)
        with torch.no_grad():
            measures = [value * batch.rows for value in self.goal.measures(outputs, batch)]
            rows = loss.new_full((), float(batch.rows))
            values = torch.stack([x.detach().to(loss) for x in (loss, *shares, *measures, rows)])
        return loss, values

    def _shares(self, terms: list[LossTerm]) -> list[Tensor]:
        if self.group.size == 1:
            return [term.value for term in terms]
        parts = torch.stack([term.parts() for term in terms])
        self.group.all_reduce([parts])
        return [term.over(total) for term, total in zip(terms, parts, strict=True)]

    def _gradients(self, loss: Tensor) -> list[Tensor]:
        if not self._parameters or not loss.requires_grad:
            return [torch.zeros_like(parameter) for parameter in self._parameters]
        return list(torch.autograd.grad(loss, self._parameters, materialize_grads=True))

    def _clipped(self, gradients: list[Tensor]) -> list[Tensor]:
        return gradients if self.clip is None else self.clip(gradients)

    def _results(self, values: Tensor) -> list[float]:
        *results, rows = values.tolist()
        first_measure = 1 + len(self.goal.names)
        return results[:first_measure] + [value / rows for value in results[first_measure:]]


def run_on(model: Container, batch: Batch) -> tuple[list[Tensor], list[Tensor | None]]:
    """Returns a model's outputs for a batch, and their masks, as lists."""
    outputs, masks = model.run(batch.inputs)
    return (outputs, masks) if len(model.outputs) > 1 else ([outputs], [masks])
