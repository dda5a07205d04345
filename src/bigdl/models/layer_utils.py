"""Keras 1.2.2's helpers on the layers of a model: ``utils.layer_utils``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bigdl.data.labels import convert_kernel
from bigdl.graph import Container, Layer
from bigdl.layers.spatial import SpatialLayer
from bigdl.models.summary import layer_table

_FLIPPED = ("Convolution1D", "Convolution2D", "Convolution3D", "AtrousConvolution2D", "Deconvolution2D")


def print_summary(
    layers: Sequence[Layer], relevant_nodes: Any = None, line_length: int = 100, positions: Any = None
) -> None:
    """Shows layers with output shapes, parameters and connections.

    Args:
        layers: The layers.
        relevant_nodes: Keras's argument.
        line_length: Keras's argument; columns are as wide as what they hold.
        positions: Keras's argument.
    """
    print(layer_table(layers))


def count_total_params(layers: Sequence[Layer], layer_set: set[Layer] | None = None) -> tuple[int, int]:
    """Returns the number of values that are trained, and of those that are not.

    Args:
        layers: The layers; those of nested models count too.
        layer_set: Layers that are counted already; the layers are added to it.
    """
    seen = set() if layer_set is None else layer_set
    trained = kept = 0
    for layer in layers:
        if layer in seen:
            continue
        seen.add(layer)
        if isinstance(layer, Container):
            inner = count_total_params(layer.layers, seen)
            trained, kept = trained + inner[0], kept + inner[1]
        else:
            trained += sum(weight.value.numel() for weight in layer.trainable_weights)
            kept += sum(weight.value.numel() for weight in layer.non_trainable_weights)
    return trained, kept


def convert_all_kernels_in_model(model: Container) -> None:
    """Flips the kernels of all convolutions: those trained on Theano become right for TensorFlow's, or back.

    Args:
        model: The model; nested ones are left alone, as in Keras.
    """
    for layer in model.layers:
        if type(layer).__name__ in _FLIPPED:
            weight = next(weight for weight in layer.weights if weight.name == "W")
            ordering = layer.dim_ordering if isinstance(layer, SpatialLayer) else "tf"
            weight.assign(convert_kernel(weight.numpy(), ordering))
