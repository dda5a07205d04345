"""Weights that another backend, or an older version, of Keras wrote, and that mean something else than here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from bigdl.errors import DataError
from bigdl.formats import likely_backend
from bigdl.formats.spec import StoredArray, WeightsSpec
from bigdl.graph import Container, Weight
from bigdl.registry import Adapt
from bigdl.registry.deviations import DEFAULT_EPSILON, from_deviations, kept_deviations, running_variances
from bigdl.registry.theano import from_theano, turned_layers


@dataclass(frozen=True, slots=True)
class Origin:
    """What wrote the weights.

    Args:
        backend: ``"tensorflow"`` or ``"theano"``; None where nobody has said so.
        keras_version: The version of Keras; None where nobody has said so.

    Raises:
        DataError: There is no such backend, or it is no version.
    """

    backend: str | None = None
    keras_version: str | None = None

    def __post_init__(self) -> None:
        if self.backend not in (None, "tensorflow", "theano"):
            raise DataError(f"original_backend must be 'tensorflow' or 'theano'. Received: {self.backend!r}.")
        if self.keras_version is not None and not re.match(r"[01](\.\d+)+", self.keras_version):
            raise DataError(
                f"keras_version must be one of 0.x or 1.x, such as '1.0.3'. Received: {self.keras_version!r}."
            )

    def adaptation(self, model: Container) -> Adapt | None:
        """Returns what is to be done with the arrays; None for nothing."""
        steps: list[Adapt] = [partial(from_theano, model)] if self.backend == "theano" else []
        if self.keras_version is not None and kept_deviations(self.keras_version):
            steps.append(from_deviations)
        return partial(_in_turn, steps) if steps else None

    def hints(self, model: Container, weights: WeightsSpec) -> list[str]:
        """Returns what the user should know if the weights seem to mean something else, and nobody has said so."""
        found = []
        turned = turned_layers(model)
        if self.backend is None and turned and likely_backend(weights) == "theano":
            found.append(
                f"{weights.source} seems to be written by Keras on Theano, as the names of its arrays lack "
                f"TensorFlow's ':0'. Theano turns the kernels of convolutions around ({_listed(turned)}); here they "
                "are taken as they are. Load with original_backend='theano' to turn them, or with 'tensorflow' to say "
                "that they are right."
            )
        layers: list[Any] = [weight.module for weight in running_variances(model)]
        deviations = [layer.name for layer in layers if layer.epsilon == DEFAULT_EPSILON]
        if self.keras_version is None and deviations:
            found.append(
                f"{weights.source} may be written by Keras 1.0.6 or older, as the definition does not say by which. "
                f"Up to then running_std of a BatchNormalization ({_listed(deviations)}) was a standard deviation; "
                "here it is taken as the variance that it is since. Load with keras_version='1.0.6' if it is so old, "
                "or with '1.2.2' to say that it is right."
            )
        return found


def _in_turn(steps: list[Adapt], pairs: Mapping[Weight, StoredArray]) -> Mapping[Weight, StoredArray]:
    for step in steps:
        pairs = step(pairs)
    return pairs


def _listed(names: list[str]) -> str:
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
