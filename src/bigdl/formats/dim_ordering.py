"""The ``dim_ordering`` of layers whose configuration lacks it, as far as a description shows it.

Keras 1.x takes a ``dim_ordering`` for padding, cropping, upsampling and spatial dropout and does not write it; its
oldest versions wrote none for convolutions and pooling either.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

from bigdl.formats.spec import GraphSpec, LayerSpec
from bigdl.settings import DimOrdering

ORDERED = frozenset(
    {
        f"{name}{rank}D"
        for name in (
            "AveragePooling",
            "Convolution",
            "Cropping",
            "GlobalAveragePooling",
            "GlobalMaxPooling",
            "MaxPooling",
            "SpatialDropout",
            "UpSampling",
            "ZeroPadding",
        )
        for rank in (2, 3)
    }
    | {"AtrousConvolution2D", "ConvLSTM2D", "Deconvolution2D", "LocallyConnected2D", "SeparableConvolution2D"}
)
"""The classes that have an ordering."""

_NONE = (None, "default")


def unordered_layers(graph: GraphSpec) -> list[str]:
    """Returns the names of the layers that should have an ordering and do not, those of inner models included."""
    return [name for name, ordering in _orderings(graph) if ordering is None]


def fill_orderings(graph: GraphSpec, ordering: DimOrdering) -> GraphSpec:
    """Returns the graph with one ordering for all layers that lack theirs."""
    return replace(graph, layers=tuple(_filled(spec, ordering) for spec in graph.layers))


def infer_orderings(graph: GraphSpec) -> GraphSpec:
    """Returns the graph with the orderings that follow from other layers.

    Where all layers that state theirs agree, it is the ordering of all. Else a layer takes that of the nearest ones, as
    far as these agree; what remains lacks its ordering still.
    """
    stated = {ordering for _, ordering in _orderings(graph) if ordering is not None}
    if len(stated) == 1:
        return fill_orderings(graph, *stated)
    return _from_neighbours(graph) if stated else graph


def _from_neighbours(graph: GraphSpec) -> GraphSpec:
    inferred = [
        spec if spec.graph is None else replace(spec, graph=infer_orderings(spec.graph)) for spec in graph.layers
    ]
    stated = {spec.name: {found for _, found in _orderings_of(spec) if found} for spec in inferred}
    neighbours = _neighbours(graph)
    layers = []
    for spec in inferred:
        nearest = _nearest(spec.name, neighbours, stated)
        layers.append(_filled(spec, *nearest) if len(nearest) == 1 else spec)
    return replace(graph, layers=tuple(layers))


def _neighbours(graph: GraphSpec) -> dict[str, set[str]]:
    """Returns the layers that each layer takes from or gives to."""
    names = [spec.name for spec in graph.layers]
    links = list(pairwise(names)) if graph.kind == "Sequential" else []
    links += [(spec.name, ref.layer) for spec in graph.layers for call in spec.inbound for ref in call]
    found: dict[str, set[str]] = {name: set() for name in names}
    for one, other in links:
        found[one].add(other)
        found[other].add(one)
    return found


def _nearest(
    start: str, neighbours: Mapping[str, set[str]], stated: Mapping[str, set[DimOrdering]]
) -> set[DimOrdering]:
    """Returns what the nearest layers that state an ordering say, the layer itself among them."""
    seen, ring = {start}, [start]
    while ring:
        found = set().union(*(stated[name] for name in ring))
        if found:
            return found
        ring = [name for name in set().union(*(neighbours[name] for name in ring)) if name not in seen]
        seen.update(ring)
    return set()


def _orderings(graph: GraphSpec) -> Iterator[tuple[str, DimOrdering | None]]:
    for spec in graph.layers:
        yield from _orderings_of(spec)


def _orderings_of(spec: LayerSpec) -> Iterator[tuple[str, DimOrdering | None]]:
    """Gives name and ordering of each layer that should have one: this one, or those inside it."""
    if spec.graph is not None:
        yield from _orderings(spec.graph)
        return
    for branch in spec.branches:
        yield from _orderings_of(branch)
    for ordering in _orderings_in(spec.class_name, spec.config):
        yield spec.name, ordering


def _orderings_in(class_name: Any, config: Any) -> Iterator[DimOrdering | None]:
    if class_name in ORDERED and isinstance(config, Mapping):
        value = config.get("dim_ordering")
        if value in ("tf", "th", *_NONE):
            yield None if value in _NONE else value
    for entry in _inner_entries(config):
        yield from _orderings_in(entry.get("class_name"), entry.get("config"))


def _inner_entries(config: Any) -> list[Mapping[str, Any]]:
    """Returns the layers inside a wrapper's configuration, or inside that of a model in a wrapper."""
    entries: Any = config
    if isinstance(config, Mapping):
        entries = [config["layer"]] if "layer" in config else config.get("layers")
    return [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []


def _filled(spec: LayerSpec, ordering: DimOrdering) -> LayerSpec:
    if spec.graph is not None:
        return replace(spec, graph=fill_orderings(spec.graph, ordering))
    branches = tuple(_filled(branch, ordering) for branch in spec.branches)
    return replace(spec, config=_filled_config(spec.class_name, spec.config, ordering), branches=branches)


def _filled_config(class_name: Any, config: Any, ordering: DimOrdering) -> Any:
    if isinstance(config, list):
        return [_filled_entry(entry, ordering) for entry in config]
    if not isinstance(config, Mapping):
        return config
    filled = dict(config)
    if class_name in ORDERED and config.get("dim_ordering") in _NONE:
        filled["dim_ordering"] = ordering
    if "layer" in config:
        filled["layer"] = _filled_entry(config["layer"], ordering)
    elif isinstance(config.get("layers"), list):
        filled["layers"] = [_filled_entry(entry, ordering) for entry in config["layers"]]
    return filled


def _filled_entry(entry: Any, ordering: DimOrdering) -> Any:
    if not isinstance(entry, Mapping) or "config" not in entry:
        return entry
    return {**entry, "config": _filled_config(entry.get("class_name"), entry["config"], ordering)}
