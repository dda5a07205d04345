"""The connections in the definition of a functional model: references, and whether they lead to what exists."""

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from bigdl.errors import FormatError
from bigdl.formats.spec import LayerSpec, TensorRef

Calls = tuple[tuple[TensorRef, ...], ...]


def read_references(value: Any, where: str) -> tuple[TensorRef, ...]:
    """Reads a list of ``[layer, node index, tensor index]``."""
    if not isinstance(value, list):
        raise FormatError(f"{where}: expected a list of [layer, node index, tensor index]. Received: {_short(value)}.")
    return tuple(_reference(item, f"{where}[{index}]") for index, item in enumerate(value))


def read_calls(value: Any, where: str) -> Calls:
    """Reads ``inbound_nodes``; calls on nothing, which Keras passes over, are left out."""
    if not isinstance(value, list):
        raise FormatError(f"{where}: expected a list with the inputs of each call. Received: {_short(value)}.")
    calls = [read_references(call, f"{where}[{index}]") for index, call in enumerate(value)]
    return tuple(call for call in calls if call)


def _reference(value: Any, where: str) -> TensorRef:
    match value:
        case [str(layer), int(node), int(tensor)] if min(node, tensor) >= 0 and bool not in (type(node), type(tensor)):
            return TensorRef(layer, node, tensor)
        case [str(), int(), int(), dict()]:
            raise FormatError(f"{where}: {_short(value)} is written as by Keras 2; definitions of Keras 1.x are read.")
    raise FormatError(f"{where}: expected [layer, node index, tensor index]. Received: {_short(value)}.")


def check_connections(
    layers: Sequence[LayerSpec], inputs: Sequence[TensorRef], outputs: Sequence[TensorRef], where: str
) -> None:
    """Checks that every reference leads to a tensor that can be computed.

    A layer's calls are its nodes 0, 1, ...; an input has node 0 without a call; a nested model's node 0 is its own
    graph, so that its first call is node 1.

    Raises:
        FormatError: A reference leads nowhere or in a circle.
    """
    by_name = {layer.name: layer for layer in layers}
    for layer in layers:
        for index, call in enumerate(layer.inbound):
            for ref in call:
                _check(ref, by_name, f"{where}layer {layer.name!r} ({layer.class_name}), inbound_nodes[{index}]")
    for key, refs in (("input_layers", inputs), ("output_layers", outputs)):
        if not refs:
            raise FormatError(f"{where}{key} is empty. Expected at least one [layer, node index, tensor index].")
        if key == "input_layers" and len(set(refs)) < len(refs):
            raise FormatError(f"{where}{key} names the same tensor more than once.")
        for ref in refs:
            _check(ref, by_name, f"{where}{key}")
    _check_no_circle(layers, where)


def _check(ref: TensorRef, by_name: Mapping[str, LayerSpec], where: str) -> None:
    layer = by_name.get(ref.layer)
    if layer is None:
        known = _short(sorted(by_name)[:10])
        raise FormatError(f"{where} refers to a layer {ref.layer!r} that is not in the model. Its layers: {known} ...")
    nodes = _nodes(layer)
    if ref.node not in nodes:
        raise FormatError(
            f"{where} refers to node {ref.node} of {ref.layer!r} ({layer.class_name}), which has "
            f"{f'nodes {nodes.start} to {nodes.stop - 1}' if nodes else 'none, as it is not connected to anything'}."
        )
    tensors = _known_number_of_tensors(layer)
    if tensors is not None and ref.tensor >= tensors:
        raise FormatError(
            f"{where} refers to output {ref.tensor} of {ref.layer!r} ({layer.class_name}), which has {tensors}."
        )


def _nodes(layer: LayerSpec) -> range:
    if layer.graph is not None:
        return range(1, len(layer.inbound) + 1)
    return range(max(1, len(layer.inbound)))


def _known_number_of_tensors(layer: LayerSpec) -> int | None:
    """Returns how many outputs a call has; None for layers, as a user's own may have several."""
    if layer.graph is not None:
        return len(layer.graph.outputs) if layer.graph.kind == "Model" else 1
    return 1 if layer.class_name == "InputLayer" else None


def _check_no_circle(layers: Sequence[LayerSpec], where: str) -> None:
    sorter: TopologicalSorter[tuple[str, int]] = TopologicalSorter()
    for layer in layers:
        for node, call in zip(_nodes(layer), layer.inbound, strict=False):
            sorter.add((layer.name, node), *((ref.layer, ref.node) for ref in call))
    try:
        sorter.prepare()
    except CycleError as error:
        names = " -> ".join(repr(name) for name, _ in error.args[1][:10])
        raise FormatError(f"{where}the layers feed each other in a circle: {names}.") from None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else text[:200] + "..."
