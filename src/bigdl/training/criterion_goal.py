"""BigDL's criterion as what training makes small."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from bigdl.training import criterions, criterions_classes, criterions_elementwise
from bigdl.training.batches import Batch
from bigdl.training.criterions import Criterion
from bigdl.training.graded_criterions import graded
from bigdl.training.labelled import table
from bigdl.training.losses import LossTerm

_ALONE = {module.__name__ for module in (criterions, criterions_classes, criterions_elementwise)}
"""Where criterions are from that hold none of the user's, which might look at weights."""


class CriterionGoal:
    """The loss that a criterion gives; see ``Goal``.

    Args:
        criterion: A criterion, or a user's function of output and target that returns a mean over the batch.
    """

    factors = (1.0,)
    measure_count = 0
    uses_graph = False

    def __init__(self, criterion: Criterion | Callable[[Any, Any], Tensor]) -> None:
        self._criterion = criterion
        self.is_of_outputs = type(criterion).__module__ in _ALONE
        self.names = (getattr(criterion, "__name__", type(criterion).__name__),)

    def terms(self, outputs: list[Tensor], masks: list[Tensor | None], batch: Batch) -> list[LossTerm]:
        """Returns the loss; masks and sample weights play no part in BigDL."""
        output, target = table(outputs), table(batch.targets)
        if isinstance(self._criterion, Criterion):
            return [self._criterion.terms(output, target)]
        return [LossTerm(self._criterion(output, target) * batch.held, float(batch.held))]

    def graded(self, outputs: list[Tensor], masks: list[Tensor | None], batch: Batch) -> tuple[LossTerm, Tensor] | None:
        """Returns the loss of a single output with its gradient, where somebody has written it; see ``Goal``."""
        is_single = len(outputs) == len(batch.targets) == 1
        return graded(self._criterion, outputs[0], batch.targets[0]) if is_single else None

    def measures(self, outputs: list[Tensor], batch: Batch) -> list[Tensor]:
        """Returns nothing: BigDL measures on validation data only."""
        return []

    def counts_rows(self, batch: Batch) -> bool:
        """Returns False: a criterion may weigh classes, and leave padding out."""
        return False
