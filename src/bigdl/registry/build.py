"""From a neutral description to a graph of live layers."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from typing import Any

from bigdl.errors import FormatError, LayerError, UnsupportedLayerError
from bigdl.formats.keras_json import architecture
from bigdl.formats.spec import GraphSpec, LayerSpec, TensorRef
from bigdl.graph import Container, Layer, SequentialContainer, SymbolicTensor
from bigdl.registry.classes import entry_for, make_layer

LayerCache = dict[str, Layer]


def build_graph(graph: GraphSpec, cache: LayerCache | None = None) -> Container:
    """Makes a model, its weights at their initial values.

    Args:
        graph: The layers and their connections.
        cache: Layers by name of the ``Sequential`` around this one: Keras takes a name that it has met before for the
            same layer.

    Raises:
        UnsupportedLayerError: A layer's class is not known.
        LayerError: A layer's configuration or input is not one it takes.
        FormatError: A reference leads nowhere, or in a circle.
    """
    return _sequential(graph, {} if cache is None else cache) if graph.kind == "Sequential" else _functional(graph)


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


def _model_class(kind: str) -> type[Any]:
    entry = entry_for(kind)
    if entry is None or entry.layer_class is None:
        raise UnsupportedLayerError(f"Nested models of class {kind!r} need `import bigdl.models`.")
    return entry.layer_class


def _layer(spec: LayerSpec, cache: LayerCache | None = None) -> Layer:
    if spec.graph is not None:
        model = build_graph(spec.graph, cache)
        model.name = spec.name
        return model
    config = {**spec.config, "name": spec.name}
    if spec.branches:
        config["layers"] = [_layer(branch) for branch in spec.branches]
    return make_layer(spec.class_name, config)


def _sequential(graph: GraphSpec, cache: LayerCache) -> SequentialContainer:
    model: SequentialContainer = _model_class("Sequential")(name=graph.name)
    for spec in graph.layers:
        layer = cache.get(spec.name) if spec.graph is None else None
        if layer is None:
            layer = _layer(spec, cache)
        if spec.graph is None:
            cache[spec.name] = layer
        _located(spec, lambda layer=layer: model.add(layer))
    return model


def _functional(graph: GraphSpec) -> Container:
    layers = {spec.name: _layer(spec) for spec in graph.layers}
    _connect(graph.layers, layers)
    inputs = [_tensor(ref, layers) for ref in graph.inputs]
    outputs = [_tensor(ref, layers) for ref in graph.outputs]
    model: Container = _model_class("Model")(input=inputs, output=outputs, name=graph.name)
    return model


def _connect(specs: Sequence[LayerSpec], layers: Mapping[str, Layer]) -> None:
    """Applies every layer to its inputs, each call as soon as what it takes is there, a layer's calls in order."""
    by_name = {spec.name: spec for spec in specs}
    done = dict.fromkeys(by_name, 0)
    waiting: defaultdict[str, list[str]] = defaultdict(list)
    queue = deque(by_name)
    while queue:
        name = queue.popleft()
        spec = by_name[name]
        while done[name] < len(spec.inbound):
            refs = spec.inbound[done[name]]
            missing = next((ref for ref in refs if not _exists(ref, layers)), None)
            if missing is not None:
                waiting[missing.layer].append(name)
                break
            tensors = [_tensor(ref, layers) for ref in refs]
            _located(spec, lambda tensors=tensors, name=name: layers[name](tensors))
            done[name] += 1
            queue.extend(waiting.pop(name, ()))
    for name, spec in by_name.items():
        if done[name] < len(spec.inbound):
            refs = spec.inbound[done[name]]
            raise FormatError(
                f"Layer {name!r} ({spec.class_name}): its inputs {[(r.layer, r.node, r.tensor) for r in refs]} "
                "cannot be had: a reference leads nowhere or in a circle."
            )


def _located(spec: LayerSpec, call: Any) -> None:
    """Calls a layer; what goes wrong in it names the layer."""
    try:
        call()
    except (TypeError, ValueError, IndexError, AttributeError, RuntimeError, ZeroDivisionError) as error:
        if isinstance(error, LayerError | FormatError | UnsupportedLayerError) and repr(spec.name) in str(error):
            raise
        raise LayerError(f"Layer {spec.name!r} ({spec.class_name}) cannot be built on its input: {error}") from error


def _exists(ref: TensorRef, layers: Mapping[str, Layer]) -> bool:
    return ref.layer in layers and ref.node < len(layers[ref.layer].inbound_nodes)


def _tensor(ref: TensorRef, layers: Mapping[str, Layer]) -> SymbolicTensor:
    if not _exists(ref, layers) or ref.tensor >= len(layers[ref.layer].inbound_nodes[ref.node].outputs):
        raise FormatError(
            f"The model refers to output {ref.tensor} of call {ref.node} of {ref.layer!r}; there is none."
        )
    return layers[ref.layer].inbound_nodes[ref.node].outputs[ref.tensor]
