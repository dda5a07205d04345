"""From a layer or a model inside a model to layers of Keras 3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bigdl.export.keras3.entries import Entry, Tensor
from bigdl.export.keras3.masks import Mask, output_mask
from bigdl.export.keras3.network import Network
from bigdl.export.keras3.registry import CONVERTERS
from bigdl.export.keras3.settings import OTHERWISE
from bigdl.export.refusals import refused
from bigdl.export.walk import walk
from bigdl.graph import Container, Layer, Shape

Results = tuple[list[Tensor], list[Mask | None]]


def converted(network: Network, layer: Layer, inputs: Sequence[Tensor], masks: Sequence[Mask | None]) -> Results:
    """Adds a layer, or a model inside.

    Args:
        network: The network.
        layer: The layer.
        inputs: The tensors that it is applied to.
        masks: The mask of each, or None.

    Returns:
        Its outputs and their masks.

    Raises:
        ExportError: Keras 3 has no form for it.
    """
    if isinstance(layer, Container):
        return _converted_model(network, layer, inputs, masks)
    convert = CONVERTERS.find(type(layer))
    if convert is None:
        raise refused(layer, "is of a class for which Keras 3 has no form", OTHERWISE)
    made: Any = convert(network, layer, inputs, masks)
    outputs = made if isinstance(made, list) else [made]
    return outputs, [output_mask(network, layer, inputs, masks)] * len(outputs)


def network_of(model: Container) -> tuple[Network, list[Mask | None]]:
    """Returns a model as a network of its own, and the masks of its outputs.

    Raises:
        ExportError: See ``converted``.
    """
    inputs = [(tensor.source.layer.name, tensor.shape, tensor.dtype) for tensor in model.inputs]
    return built(model, Network(model.name, model.trainable), inputs)


def built(
    layer: Layer, network: Network, inputs: Sequence[tuple[str, Shape, str]]
) -> tuple[Network, list[Mask | None]]:
    """Returns a layer or a model as a network: a chain, or one in which masks are tensors.

    Args:
        layer: The layer.
        network: An empty network.
        inputs: The name, shape and dtype of each input.
    """
    for hands_masks_on in (True, False):
        network = Network(network.name, network.trainable, hands_masks_on)
        tensors = [network.input(*each) for each in inputs]
        nothing = [None] * len(tensors)
        if isinstance(layer, Container):
            network.outputs, masks = _walked(network, layer, tensors, nothing, inside=False)
        else:
            network.outputs, masks = converted(network, layer, tensors, nothing)
        network.outputs = [_made(network, tensor) for tensor in network.outputs]
        if network.chain:
            break
    return network, masks


def _made(network: Network, tensor: Tensor) -> Tensor:
    """Returns a tensor that a layer makes: Keras 3 takes no inputs for outputs."""
    if tensor not in network.inputs:
        return tensor
    return network.layer("Identity", f"{tensor.layer}_identity", {"dtype": "float32"}, tensor, tensor.shape)


def _converted_model(
    network: Network, model: Container, inputs: Sequence[Tensor], masks: Sequence[Mask | None]
) -> Results:
    inner, inner_masks = network_of(model)
    inside = len(inputs) > 1 or masks[0] is not None
    if any(inner_masks) or _depends_on_place(model):
        # Masks do not come out of models of Keras 3: its layers are put in its place.
        with network.scope(model.name):
            return _walked(network, model, inputs, masks, inside)
    described = inner.described()
    entry = Entry(described["module"], described["class_name"], model.name, inner=inner)
    outputs = network.call(entry, inputs if len(inputs) > 1 else inputs[0], [each.shape for each in inner.outputs])
    return outputs, [None] * len(outputs)


def _walked(
    network: Network, model: Container, inputs: Sequence[Tensor], masks: Sequence[Mask | None], inside: bool
) -> Results:
    def call(layer: Layer, inputs: list[Tensor], masks: list[Mask | None]) -> Results:
        return converted(network, layer, inputs, masks)

    return walk(model, inputs, masks, call, inside)


def _depends_on_place(model: Container) -> bool:
    """Tells whether a model ignores masks by itself that count inside another one; see ``Node``."""
    return any(step.unmasked for step in model.graph.plan.steps)
