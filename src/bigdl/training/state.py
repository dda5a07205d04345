"""How far training has come."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(slots=True)
class TrainingState:
    """How far training has come; what triggers look at and what a resumed run starts from.

    Attributes:
        epoch: The epoch that is being trained, from 1.
        iteration: The number of batches done, over all epochs.
        batch: The number of batches done of this epoch.
        records: The number of rows done of this epoch.
        rows: The rows of the whole epoch; 0 before its first batch.
        epoch_finished: Whether the last batch was the last one of its epoch.
        loss: The last batch's loss; NaN before the first.
        score: The last validation's result (of its first method); None before the first.
    """

    epoch: int = 1
    iteration: int = 0
    batch: int = 0
    records: int = 0
    rows: int = 0
    epoch_finished: bool = False
    loss: float = math.nan
    score: float | None = None

    def start_next_epoch(self) -> None:
        """Moves on from a finished epoch."""
        self.epoch += 1
        self.batch = self.records = self.rows = 0
        self.epoch_finished = False

    def finish_batch(self, rows: int, loss: float, rows_of_epoch: int) -> None:
        """Counts a batch.

        Args:
            rows: Its rows.
            loss: Its loss.
            rows_of_epoch: The rows of the whole epoch.
        """
        self.iteration += 1
        self.batch += 1
        self.records += rows
        self.rows = rows_of_epoch
        self.loss = loss
        self.epoch_finished = self.records >= rows_of_epoch
