"""Running deviations of Keras up to 1.0.6, as running variances.

``BatchNormalization`` computed ``gamma (x - mean) / (running_std + epsilon) + beta`` there. Since 1.0.7 ``running_std``
is a variance, under its old name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from bigdl.formats.spec import Array, StoredArray
from bigdl.graph import Container, Weight

DEFAULT_EPSILON = 1e-6
"""What ``epsilon`` was by default then."""

_LAST = (1, 0, 6)


def kept_deviations(version: str) -> bool:
    """Tells whether a version of Keras kept deviations."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.split(".")[:3]) <= _LAST


def running_variances(model: Container) -> list[Weight]:
    """Returns the running variances of a model, those of inner models included."""
    return [weight for layer in model.weight_layers for weight in layer.weights if _is_running_variance(weight)]


def from_deviations(pairs: Mapping[Weight, StoredArray]) -> Mapping[Weight, StoredArray]:
    """Returns arrays with variances in the place of deviations, by which the layers compute the same.

    Args:
        pairs: Weights and the arrays for them.
    """
    return {
        weight: _turned(array, weight.module) if _is_running_variance(weight) else array
        for weight, array in pairs.items()
    }


def _is_running_variance(weight: Weight) -> bool:
    layer: Any = weight.module
    return weight.name == "running_std" and type(layer).__name__ == "BatchNormalization" and layer.mode == 0


def _turned(array: StoredArray, layer: Any) -> StoredArray:
    return replace(array, read=partial(_variance, array, layer.epsilon))


def _variance(array: StoredArray, epsilon: float) -> Array:
    divisor = array.read().astype(np.float64) + epsilon
    return (divisor**2 - epsilon).astype(array.dtype)
