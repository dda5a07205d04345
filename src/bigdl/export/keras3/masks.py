"""Masks in a model of Keras 3.

In a chain of layers Keras 3 hands masks on as Keras 1 does. In other models it joins and drops them by rules of its
own, and its graph gets nodes that are not in the file; so there masks are tensors, given to the layers that use them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from bigdl.export.converters import Converters
from bigdl.export.keras3.entries import Tensor
from bigdl.export.keras3.network import Network
from bigdl.graph import Layer
from bigdl.layers import GRU, LSTM, Bidirectional, Embedding, Masking, Merge, SimpleRNN

Mask = Callable[[], Tensor]
"""Returns a mask as a tensor of truth values, ``(batch, time)``, which is added to the network when first asked for."""

Masks = Sequence[Mask | None]

MASKS: Converters[Callable[[Network, Any, Sequence[Tensor], Masks], Mask | None]] = Converters()
"""For layers whose output's mask is not simply the input's."""


def named(network: Network, mask: Mask | None) -> dict[str, Tensor]:
    """Returns the argument by which a layer is given a mask that it would not get by itself."""
    return {} if mask is None or network.hands_masks_on else {"mask": mask()}


def without_mask(network: Network, tensor: Tensor, mask: Mask | None, owner: str) -> Tensor:
    """Returns a tensor that hands no mask on."""
    if mask is None or not network.hands_masks_on:
        return tensor
    return network.op("Add", tensor, 0.0, owner=owner, shape=tensor.shape)


def output_mask(network: Network, layer: Layer, inputs: Sequence[Tensor], masks: Masks) -> Mask | None:
    """Returns the mask of a layer's outputs, None without one."""
    masked = any(mask is not None for mask in masks)
    if not (masked or layer.creates_mask):
        return None
    convert = MASKS.find(type(layer))
    if convert is not None:
        return convert(network, layer, inputs, masks)
    return masks[0] if layer.supports_masking else None


@MASKS.of(Embedding)
def embedding(network: Network, layer: Embedding, inputs: Sequence[Tensor], masks: Masks) -> Mask | None:
    """True where the number is not 0."""
    x = inputs[0]

    @functools.cache
    def mask() -> Tensor:
        return network.op("NotEqual", x, 0, owner=layer.name, shape=x.shape, dtype="bool")

    return mask if layer.mask_zero else None


@MASKS.of(Masking)
def masking(network: Network, layer: Masking, inputs: Sequence[Tensor], masks: Masks) -> Mask:
    """True where a step holds another value than the mask's."""
    x = inputs[0]

    @functools.cache
    def mask() -> Tensor:
        differs = network.op("NotEqual", x, layer.mask_value, owner=layer.name, shape=x.shape, dtype="bool")
        shape = x.shape[:-1]
        return network.op("Any", differs, owner=layer.name, shape=shape, dtype="bool", axis=-1, keepdims=False)

    return mask


@MASKS.of(SimpleRNN, GRU, LSTM, Bidirectional)
def recurrent(network: Network, layer: Any, inputs: Sequence[Tensor], masks: Masks) -> Mask | None:
    """The input's, if all steps are returned."""
    return masks[0] if layer.return_sequences else None


@MASKS.of(Merge)
def merge(network: Network, layer: Merge, inputs: Sequence[Tensor], masks: Masks) -> Mask | None:
    """True where all masks are, while Keras 3 takes where any is; see ``bigdl.layers.merge_masks``."""
    given = [mask for mask in masks if mask is not None]
    if callable(layer.mode) or layer.mode in ("dot", "cos") or not given:
        return None

    def full_rank(x: Tensor, mask: Mask | None) -> Tensor:
        if mask is None:
            return network.op("OnesLike", x, owner=layer.name, shape=x.shape, dtype="bool")
        tensor = mask()
        if len(tensor.shape) == len(x.shape):
            return tensor
        return network.op("ExpandDims", tensor, owner=layer.name, shape=(*tensor.shape, 1), dtype="bool", axis=-1)

    @functools.cache
    def joined() -> Tensor:
        tensor = given[0]()
        for mask in given[1:]:
            tensor = network.op("LogicalAnd", tensor, mask(), owner=layer.name, shape=tensor.shape, dtype="bool")
        return tensor

    @functools.cache
    def concatenated() -> Tensor:
        parts = [full_rank(x, mask) for x, mask in zip(inputs, masks, strict=True)]
        shape, axis = (None,) * len(inputs[0].shape), layer.concat_axis
        side_by_side = network.op("Concatenate", parts, owner=layer.name, shape=shape, dtype="bool", axis=axis)
        every = {"axis": -1, "keepdims": False}
        return network.op("All", side_by_side, owner=layer.name, shape=shape[:-1], dtype="bool", **every)

    return concatenated if layer.mode == "concat" else joined
