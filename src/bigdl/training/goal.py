"""What training makes small."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from bigdl.training.batches import Batch
from bigdl.training.losses import LossTerm


class Goal(Protocol):
    """What training makes small, and what it measures on the way.

    Attributes:
        names: The name of each term of the loss.
        factors: The factor of each term in the loss.
        measure_count: How many measures there are.
        uses_graph: Whether the terms or measures use tensors of the model's graph.
        is_of_outputs: Whether the terms are known to depend on the weights by way of the outputs alone.
    """

    @property
    def names(self) -> Sequence[str]: ...  # noqa: D102

    @property
    def factors(self) -> Sequence[float]: ...  # noqa: D102

    @property
    def measure_count(self) -> int: ...  # noqa: D102

    @property
    def uses_graph(self) -> bool: ...  # noqa: D102

    @property
    def is_of_outputs(self) -> bool: ...  # noqa: D102

    def terms(self, outputs: list[Tensor], masks: list[Tensor | None], batch: Batch) -> list[LossTerm]:
        """Returns the terms of the loss.

        Args:
            outputs: The model's outputs.
            masks: Their masks.
            batch: The batch that they belong to.
        """

    def graded(self, outputs: list[Tensor], masks: list[Tensor | None], batch: Batch) -> tuple[LossTerm, Tensor] | None:
        """Returns the only term, and the gradient of its factor times its value by the only output; see ``terms``.

        Where all rows count alike, the value is over all workers' rows; else it is asked for by a single worker.

        Returns:
            Both; None where ``terms`` has to do.
        """

    def measures(self, outputs: list[Tensor], batch: Batch) -> list[Tensor]:
        """Returns means over the batch's rows that are only shown; see ``terms``."""

    def counts_rows(self, batch: Batch) -> bool:
        """Tells whether all rows count alike: the denominator of each term is the number of rows."""
