"""Learning rates that differ from layer to layer."""

from __future__ import annotations

import math
from collections.abc import Mapping

from bigdl.errors import DataError
from bigdl.graph import Container, Weight, matching_layers


def multipliers_of(model: Container, by_pattern: Mapping[str, float]) -> dict[Weight, float]:
    """Returns by what the steps of each weight are multiplied.

    Args:
        model: The model.
        by_pattern: Factors by layers' names or patterns of these; where several fit, the last one counts.

    Raises:
        LayerError: No layer's name fits a pattern.
        DataError: A factor is negative or no number.
    """
    factors: dict[Weight, float] = {}
    for pattern, factor in by_pattern.items():
        if not 0 <= float(factor) < math.inf:
            raise DataError(f"lr_multipliers: the factor of {pattern!r} must be 0 or more. Received: {factor!r}.")
        for layer in matching_layers(model, pattern):
            factors |= dict.fromkeys(layer.weights, float(factor))
    return factors
