"""torch's data sets and loaders as generators of batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset

from bigdl.errors import DataError


def is_torch_data(x: Any) -> bool:
    """Tells whether something is a data set or a loader of torch."""
    return isinstance(x, (Dataset, DataLoader))  # a union would be made at each call


def is_loader(x: Any) -> bool:
    """Tells whether something is a loader of torch, which gives batches."""
    return isinstance(x, DataLoader)


def loader_for(x: Dataset[Any] | DataLoader[Any], batch_size: int, shuffle: bool = False) -> DataLoader[Any]:
    """Returns a loader as it is, and one for a data set.

    Args:
        x: The loader, or a data set whose items are ``(x, y)`` or ``(x, y, sample_weight)``.
        batch_size: Rows in a batch of the data set.
        shuffle: Whether each round of the data set has its own order, from a seed of torch's default generator.
    """
    if isinstance(x, DataLoader):
        return x
    if not shuffle or isinstance(x, IterableDataset):
        return DataLoader(x, batch_size)
    # A generator of its own: batches are made ahead, while dropout draws from the default one.
    generator = torch.Generator().manual_seed(int(torch.randint(2**62, ())))
    return DataLoader(x, batch_size, shuffle=True, generator=generator)


def rows_of(loader: DataLoader[Any]) -> int:
    """Returns the number of rows of a round.

    Raises:
        DataError: Nobody knows.
    """
    try:
        rows = len(loader.dataset)  # type: ignore[arg-type] # an iterable data set has none
    except TypeError:
        raise DataError(
            f"{type(loader.dataset).__name__} does not say how many rows it has. Use fit_generator(loader, "
            "samples_per_epoch, ...), evaluate_generator or predict_generator."
        ) from None
    size = loader.batch_size
    return rows - rows % size if loader.drop_last and size else rows


def endless(loader: DataLoader[Any]) -> Iterator[Any]:
    """Gives the batches of a loader as tuples, round after round."""
    while True:
        empty = True
        for batch in loader:
            empty = False
            yield tuple(batch) if isinstance(batch, list | tuple) else batch
        if empty:
            raise DataError("The data loader gives no batches.")
