"""From a neutral description to a graph of live layers, as far as it can be built."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from bigdl.errors import BigDLError, FormatError, LayerError, UnsupportedLayerError
from bigdl.formats.keras_json import architecture
from bigdl.formats.spec import GraphSpec, LayerSpec, TensorRef
from bigdl.graph import Container, Layer, SequentialContainer, SymbolicTensor
from bigdl.registry.classes import entry_for, make_layer

LayerCache = dict[str, Layer]


@dataclass(eq=False, slots=True)
class Finding:
    """What became of one layer of a description.

    Attributes:
        spec: Its description.
        depth: 0 in the model itself, 1 in a model inside it or in a branch of a ``Merge``, and so on.
        layer: The layer; None where it could not be made.
        problem: Why it could not be made or applied. None if nothing is wrong with it, though what it needs may lack.
    """

    spec: LayerSpec
    depth: int
    layer: Layer | None = None
    problem: BigDLError | None = None


@dataclass(slots=True)
class Survey:
    """What became of a description.

    Attributes:
        model: The model, where all of it could be built.
        findings: Its layers in the order of the file, those of an inner model behind it.
        problem: The first thing that is wrong, where not all of it could be built.
    """

    model: Container | None = None
    findings: list[Finding] = field(default_factory=list)
    problem: BigDLError | None = None


def build_graph(graph: GraphSpec, cache: LayerCache | None = None) -> Container:
    """Makes a model, its weights at their initial values.

    Args:
        graph: The layers and their connections.
        cache: Layers by name of the ``Sequential`` around this one: Keras takes a name that it has met before for the
            same layer.

    Raises:
        UnsupportedLayerError: A layer's class is not known.
        LayerError: A layer's configuration or input is not one it takes.
        UnsafeModelError: A layer could only be had by executing code from the file.
        FormatError: A reference leads nowhere, or in a circle.
    """
    found = survey(graph, cache)
    if found.problem is not None:
        raise found.problem
    assert found.model is not None
    return found.model


def survey(graph: GraphSpec, cache: LayerCache | None = None) -> Survey:
    """Builds what can be built of a model; a layer that cannot be built does not hide the others.

    Args:
        graph: The layers and their connections.
        cache: See ``build_graph``.
    """
    builder = _Builder()
    try:
        model = builder.model(graph, 0, {} if cache is None else cache)
    except BigDLError as error:
        return Survey(None, builder.findings, builder.first_problem() or error)
    return Survey(model, builder.findings, builder.first_problem())


def layer_from_config(config: Mapping[str, Any]) -> Layer:
    """Makes the layer of a ``{"class_name": ..., "config": ...}`` pair, as wrappers hold their inner layer.

    Raises:
        FormatError: It is no such pair.
        UnsupportedLayerError: The class is not known.
        LayerError: The configuration is not one the class takes.
    """
    if not isinstance(config, Mapping) or "class_name" not in config or "config" not in config:
        raise FormatError(f"A layer must be given as {{'class_name', 'config'}}. Received: {config!r}.")
    class_name = config["class_name"]
    if class_name in ("Model", "Sequential"):
        return build_graph(architecture(config["config"], class_name))
    return make_layer(class_name, config["config"])


class _Builder:
    """Builds one description and keeps what became of its layers."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.branches: list[tuple[LayerSpec, Layer]] = []

    def first_problem(self) -> BigDLError | None:
        return next((finding.problem for finding in self.findings if finding.problem is not None), None)

    def model(self, graph: GraphSpec, depth: int, cache: LayerCache) -> Container | None:
        """Returns the model; None where a layer of it cannot be built.

        Raises:
            BigDLError: All layers can be built, the model cannot.
        """
        if graph.kind == "Sequential":
            return self._sequential(graph, depth, cache)
        return self._functional(graph, depth)

    def _sequential(self, graph: GraphSpec, depth: int, cache: LayerCache) -> Container | None:
        model: SequentialContainer = _model_class("Sequential")(name=graph.name)
        whole = True
        for spec in graph.layers:
            known = cache.get(spec.name) if spec.graph is None else None
            finding = self._layer(spec, depth, cache, known)
            layer = finding.layer
            if layer is not None and spec.graph is None:
                cache[spec.name] = layer
            whole = whole and layer is not None and _apply(finding, model.add, layer)
        return model if whole else None

    def _functional(self, graph: GraphSpec, depth: int) -> Container | None:
        found = {spec.name: self._layer(spec, depth, {}) for spec in graph.layers}
        layers = {name: finding.layer for name, finding in found.items() if finding.layer is not None}
        if not _connect(found, layers):
            return None
        inputs = [_tensor(ref, layers) for ref in graph.inputs]
        outputs = [_tensor(ref, layers) for ref in graph.outputs]
        model: Container = _model_class("Model")(input=inputs, output=outputs, name=graph.name)
        return model

    def _layer(self, spec: LayerSpec, depth: int, cache: LayerCache, known: Layer | None = None) -> Finding:
        finding = Finding(spec, depth, known)
        self.findings.append(finding)
        if known is None:
            try:
                finding.layer = self._make(spec, depth, cache)
            except BigDLError as error:
                finding.problem = error
        return finding

    def _make(self, spec: LayerSpec, depth: int, cache: LayerCache) -> Layer | None:
        if spec.graph is not None:
            model = self.model(spec.graph, depth + 1, cache)
            if model is not None:
                model.name = spec.name
            return model
        config: dict[str, Any] = {**spec.config, "name": spec.name}
        if spec.branches:
            config["layers"] = [self._branch(branch, depth + 1) for branch in spec.branches]
            if None in config["layers"]:
                return None
        return make_layer(spec.class_name, config)

    def _branch(self, spec: LayerSpec, depth: int) -> Layer | None:
        """Returns a branch of a ``Merge``: one and the same for each description of it.

        Keras writes a model that several ``Merge`` layers share into each of them. When it reads that back it makes as
        many models of it, and can no longer read their weights, of which the file has one set.
        """
        known = next((branch for described, branch in self.branches if _is_same_model(described, spec)), None)
        finding = self._layer(spec, depth, {}, known)
        if known is None and finding.layer is not None:
            self.branches.append((spec, finding.layer))
        return finding.layer


def _is_same_model(a: LayerSpec, b: LayerSpec) -> bool:
    """Tells whether two descriptions are of one model; the names of layers are what tells models of one kind apart."""
    if a.graph is None or b.graph is None or (a.class_name, a.config) != (b.class_name, b.config):
        return False
    return [layer.name for layer in a.graph.layers] == [layer.name for layer in b.graph.layers]


def _model_class(kind: str) -> type[Any]:
    entry = entry_for(kind)
    if entry is None or entry.layer_class is None:
        raise UnsupportedLayerError(f"Nested models of class {kind!r} need `import bigdl.models`.")
    return entry.layer_class


def _connect(found: Mapping[str, Finding], layers: Mapping[str, Layer]) -> bool:
    """Applies every layer to its inputs where they can be had; returns whether all of them could be."""
    lost = found.keys() - layers.keys()
    for name, call in _in_order([finding.spec for finding in found.values()]):
        refs = found[name].spec.inbound[call]
        reachable = name not in lost and not any(ref.layer in lost for ref in refs)
        if not reachable or not _apply(found[name], _call, layers[name], refs, layers):
            lost.add(name)
    return not lost


def _call(layer: Layer, refs: Sequence[TensorRef], layers: Mapping[str, Layer]) -> None:
    layer([_tensor(ref, layers) for ref in refs])


def _in_order(specs: Sequence[LayerSpec]) -> list[tuple[str, int]]:
    """Returns the calls (layer, number of the call), each behind those it depends on, a layer's calls in order."""
    sorter: TopologicalSorter[tuple[str, int]] = TopologicalSorter()
    first = {spec.name: int(spec.graph is not None) for spec in specs}  # a model's node 0 is its own graph
    for spec in specs:
        for call, refs in enumerate(spec.inbound):
            before = [(spec.name, call - 1)] if call else []
            sorter.add((spec.name, call), *before, *((r.layer, r.node - first.get(r.layer, 0)) for r in refs))
    calls = {(spec.name, call) for spec in specs for call in range(len(spec.inbound))}
    try:
        return [call for call in sorter.static_order() if call in calls]
    except CycleError as error:
        names = " -> ".join(repr(name) for name, _ in error.args[1][:10])
        raise FormatError(f"The layers feed each other in a circle: {names}.") from None


def _apply(finding: Finding, call: Callable[..., None], *args: Any) -> bool:
    """Connects a layer; what goes wrong in it is noted, with the layer's name. Returns whether it went well."""
    spec = finding.spec
    try:
        call(*args)
    except (TypeError, ValueError, IndexError, AttributeError, RuntimeError, ZeroDivisionError) as error:
        if isinstance(error, BigDLError) and repr(spec.name) in str(error):
            finding.problem = error
        else:
            kind = type(error) if isinstance(error, BigDLError) else LayerError
            finding.problem = kind(f"Layer {spec.name!r} ({spec.class_name}) cannot be built on its input: {error}")
            finding.problem.__cause__ = error
    return finding.problem is None


def _tensor(ref: TensorRef, layers: Mapping[str, Layer]) -> SymbolicTensor:
    nodes = layers[ref.layer].inbound_nodes if ref.layer in layers else []
    if ref.node >= len(nodes) or ref.tensor >= len(nodes[ref.node].outputs):
        raise FormatError(
            f"The model refers to output {ref.tensor} of call {ref.node} of {ref.layer!r}; there is none."
        )
    return nodes[ref.node].outputs[ref.tensor]
