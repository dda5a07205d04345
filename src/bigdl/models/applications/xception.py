"""Xception (Chollet 2016)."""

from __future__ import annotations

import warnings

from bigdl.graph import Shape, SymbolicTensor
from bigdl.layers import (
    Activation,
    BatchNormalization,
    Convolution2D,
    Dense,
    GlobalAveragePooling2D,
    MaxPooling2D,
    SeparableConvolution2D,
    merge,
)
from bigdl.models.applications.network import Weights, check_classes, finished, image_input, weights_file
from bigdl.models.model import Model
from bigdl.settings import DimOrdering, image_dim_ordering

_ORDERING: DimOrdering = "tf"


def Xception(  # noqa: N802 - Keras's name
    include_top: bool = True,
    weights: Weights = "imagenet",
    input_tensor: SymbolicTensor | None = None,
    input_shape: Shape | None = None,
    classes: int = 1000,
) -> Model:
    """Returns Xception, which as in Keras takes images with the channels last whatever the default ordering.

    Args:
        include_top: Whether the classifier is there; it needs images of 299 x 299.
        weights: None for initial values, the path of a file, or ``"imagenet"`` for Keras's file in ``~/.keras/models``.
        input_tensor: The tensor to start from; a new input by default.
        input_shape: The shape of an image without the classifier; at least 71 x 71.
        classes: The number of classes.

    Raises:
        LayerError: The shape or the number of classes does not fit.
        DataError: Keras's file is not there.
    """
    check_classes(weights, include_top, classes, "imagenet", 1000)
    if image_dim_ordering() != _ORDERING:
        warnings.warn("Xception takes images with the channels last, dim_ordering 'tf'.", UserWarning, stacklevel=2)
    inputs = image_input(input_tensor, input_shape, include_top, 299, 71, _ORDERING)
    x = _convolution(inputs, 32, 3, (2, 2), "valid", "block1_conv1")
    x = Activation("relu", name="block1_conv1_act")(x)
    x = _convolution(x, 64, 3, (1, 1), "valid", "block1_conv2")
    x = Activation("relu", name="block1_conv2_act")(x)
    x = _halving(x, (128, 128), 2)
    x = _halving(x, (256, 256), 3)
    x = _halving(x, (728, 728), 4)
    for block in range(5, 13):
        y = x
        for number in range(1, 4):
            y = _separable(Activation("relu", name=f"block{block}_sepconv{number}_act")(y), 728, block, number)
        x = merge([y, x], mode="sum")
    x = _halving(x, (728, 1024), 13)
    for number, filters in ((1, 1536), (2, 2048)):
        x = _separable(x, filters, 14, number)
        x = Activation("relu", name=f"block14_sepconv{number}_act")(x)
    if include_top:
        x = GlobalAveragePooling2D(dim_ordering=_ORDERING, name="avg_pool")(x)
        x = Dense(classes, activation="softmax", name="predictions")(x)
    return finished(inputs, x, "xception", weights, "imagenet", weights_file("xception", include_top, _ORDERING))


def _halving(x: SymbolicTensor, filters: tuple[int, int], block: int) -> SymbolicTensor:
    """Adds two separable convolutions and a pooling to what goes in; the first block's input is active already."""
    residual = _convolution(x, filters[1], 1, (2, 2), "same")
    for number, n in enumerate(filters, start=1):
        if block > 2 or number > 1:
            x = Activation("relu", name=f"block{block}_sepconv{number}_act")(x)
        x = _separable(x, n, block, number)
    x = MaxPooling2D((3, 3), (2, 2), "same", _ORDERING, name=f"block{block}_pool")(x)
    added: SymbolicTensor = merge([x, residual], mode="sum")
    return added


def _convolution(
    x: SymbolicTensor, filters: int, size: int, strides: tuple[int, int], border_mode: str, name: str | None = None
) -> SymbolicTensor:
    y = Convolution2D(
        filters,
        size,
        size,
        subsample=strides,
        border_mode=border_mode,
        dim_ordering=_ORDERING,
        bias=False,
        name=name,
    )(x)
    normalized: SymbolicTensor = BatchNormalization(name=name and f"{name}_bn")(y)
    return normalized


def _separable(x: SymbolicTensor, filters: int, block: int, number: int) -> SymbolicTensor:
    name = f"block{block}_sepconv{number}"
    y = SeparableConvolution2D(filters, 3, 3, border_mode="same", dim_ordering=_ORDERING, bias=False, name=name)(x)
    normalized: SymbolicTensor = BatchNormalization(name=f"{name}_bn")(y)
    return normalized
