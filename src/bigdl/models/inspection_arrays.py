"""Which arrays of a file belong to which layer of a model that may be built in part only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bigdl.formats.spec import LayerArrays, StoredArray, WeightsSpec
from bigdl.graph import Container, Weight
from bigdl.registry import Finding

Pair = tuple[Weight | None, StoredArray | None]


def owners_of(
    model: Container | None, findings: Iterable[Finding], weights: WeightsSpec, by_name: bool
) -> dict[LayerArrays, Finding]:
    """Returns whose arrays a file's are: by position where that fits, else by name.

    Args:
        model: The model; None where it cannot be built.
        findings: Its layers.
        weights: The file's arrays.
        by_name: Whether they are matched by name anyway.
    """
    stored = [arrays for arrays in weights if arrays.arrays]
    if model is not None and not by_name:
        finding_of = {finding.layer: finding for finding in findings}
        layers = [layer for layer in model.weight_layers if layer.weights]
        if len(layers) == len(stored):
            return {arrays: finding_of[layer] for arrays, layer in zip(stored, layers, strict=True)}
    named = {finding.spec.name: finding for finding in reversed(list(findings))}
    return {arrays: named[arrays.name] for arrays in stored if arrays.name in named}


def arrays_by_finding(findings: Iterable[Finding], owners: Mapping[LayerArrays, Finding]) -> dict[Finding, list[Pair]]:
    """Pairs the weights that each layer expects with the arrays in the file; those of a model go to its layers.

    Args:
        findings: The layers.
        owners: Whose arrays the file's are.
    """
    own: dict[Finding, list[Weight]] = {finding: _own_weights(finding) for finding in findings}
    holder = {weight: finding for finding, weights in own.items() for weight in weights}
    found: dict[Weight, StoredArray] = {}
    surplus: dict[Finding, list[StoredArray]] = {finding: [] for finding in own}
    for arrays, owner in owners.items():
        expected = owner.layer.weights if owner.layer is not None else []
        found.update(zip(expected, arrays.arrays, strict=False))
        surplus[owner].extend(arrays.arrays[len(expected) :])
    return {
        finding: [
            *((weight, found.get(weight)) for weight in weights if holder[weight] is finding),
            *((None, array) for array in surplus[finding]),
        ]
        for finding, weights in own.items()
    }


def _own_weights(finding: Finding) -> list[Weight]:
    return [] if finding.layer is None or isinstance(finding.layer, Container) else finding.layer.weights
