"""Which parameters have gradients."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from torch import Tensor


@contextlib.contextmanager
def requiring_gradients(parameters: Sequence[Tensor]) -> Iterator[None]:
    """Lets frozen parameters have gradients: by a change of ``trainable`` after the weights to move were chosen."""
    frozen = [parameter for parameter in parameters if not parameter.requires_grad]
    for parameter in frozen:
        parameter.requires_grad_(True)
    try:
        yield
    finally:
        for parameter in frozen:
            parameter.requires_grad_(False)
