"""How a job of workers runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Options:
    """How a job of workers runs.

    Attributes:
        workers: How many workers; by default as many as the session has task slots, but no more than leave each 8 rows
            of a batch.
        timeout: The seconds after which a worker that does not answer the others is taken for lost.
        memory_limit: The bytes of data that a worker keeps in memory; beyond, all of it goes to a file on its disk.
        sync_batch_norm: Whether batch normalization takes mean and variance over the whole batch, as one machine does;
            each such layer then waits for all workers, twice a step. By default each worker normalizes by its own
            rows, and the running values move by the mean over workers, weighted by their rows.
        compression: What gradients are sent as, in half the bytes and with less precision: ``"bf16"``, which is what
            BigDL called fp16, has float32's range and 8 bits of precision, ``"fp16"`` has 11 bits and overflows beyond
            65504. None for what they are.
        retries: How many losses of workers in a row are made good where checkpoints are written;
            ``spark.bigdl.failure.retryTimes`` by default, or 5.
        retry_seconds: A loss later than that after the one before begins a new row of them, if training has got on
            since; ``spark.bigdl.failure.retryTimeInterval`` times the retries by default, or 120 times them.
    """

    workers: int | None = None
    timeout: float = 600.0
    memory_limit: int = 1 << 30
    sync_batch_norm: bool = False
    compression: Literal["bf16", "fp16"] | None = None
    retries: int | None = None
    retry_seconds: float | None = None
