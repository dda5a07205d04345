"""What is shown while a model works: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm

# Values beside the bar are read from the model's tensors, which is not free; a person reads no faster than this.
SECONDS_BETWEEN_VALUES = 0.2


def progress_bar(rows: int, description: str, verbose: int) -> tqdm[Any]:
    """Returns a bar that counts rows and shows rows per second and the time that is left.

    It is drawn on the standard error while that is a terminal, and disappears when it is done.

    Args:
        rows: How many there are.
        description: What stands before it.
        verbose: 1 for a bar; anything else for none.
    """
    return tqdm(
        total=rows,
        desc=description,
        unit=" records",
        leave=False,
        disable=verbose != 1 or not sys.stderr.isatty(),
    )
