"""ResNet50 (He et al. 2015)."""

from __future__ import annotations

from bigdl.graph import Shape, SymbolicTensor
from bigdl.layers import (
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Convolution2D,
    Dense,
    Flatten,
    MaxPooling2D,
    ZeroPadding2D,
    merge,
)
from bigdl.models.applications.network import (
    Weights,
    channel_axis,
    check_classes,
    finished,
    image_input,
    weights_file,
)
from bigdl.models.model import Model

# For each stage its number, the filters of its convolutions, and its blocks.
STAGES = (
    (2, (64, 64, 256), "abc"),
    (3, (128, 128, 512), "abcd"),
    (4, (256, 256, 1024), "abcdef"),
    (5, (512, 512, 2048), "abc"),
)


def ResNet50(  # noqa: N802 - Keras's name
    include_top: bool = True,
    weights: Weights = "imagenet",
    input_tensor: SymbolicTensor | None = None,
    input_shape: Shape | None = None,
    classes: int = 1000,
) -> Model:
    """Returns ResNet50.

    Args:
        include_top: Whether the classifier is there; it needs images of 224 x 224.
        weights: None for initial values, the path of a file, or ``"imagenet"`` for Keras's file in ``~/.keras/models``.
        input_tensor: The tensor to start from; a new input by default.
        input_shape: The shape of an image without the classifier; at least 197 x 197.
        classes: The number of classes.

    Raises:
        LayerError: The shape or the number of classes does not fit.
        DataError: Keras's file is not there.
    """
    check_classes(weights, include_top, classes, "imagenet", 1000)
    inputs = image_input(input_tensor, input_shape, include_top, default_size=224, min_size=197)
    x = ZeroPadding2D((3, 3))(inputs)
    x = Convolution2D(64, 7, 7, subsample=(2, 2), name="conv1")(x)
    x = BatchNormalization(axis=channel_axis(), name="bn_conv1")(x)
    x = Activation("relu")(x)
    x = MaxPooling2D((3, 3), strides=(2, 2))(x)
    for stage, filters, blocks in STAGES:
        for block in blocks:
            x = _block(x, filters, stage, block)
    x = AveragePooling2D((7, 7), name="avg_pool")(x)
    if include_top:
        x = Flatten()(x)
        x = Dense(classes, activation="softmax", name="fc1000")(x)
    return finished(inputs, x, "resnet50", weights, "imagenet", weights_file("resnet50", include_top))


def _block(x: SymbolicTensor, filters: tuple[int, int, int], stage: int, block: str) -> SymbolicTensor:
    """Adds three convolutions to what goes in; a stage's first block changes its size and goes in by a convolution."""
    name = f"{stage}{block}_branch"
    strides = (2, 2) if block == "a" and stage > 2 else (1, 1)
    y = Activation("relu")(_convolution(x, filters[0], 1, f"{name}2a", subsample=strides))
    y = Activation("relu")(_convolution(y, filters[1], 3, f"{name}2b", border_mode="same"))
    y = _convolution(y, filters[2], 1, f"{name}2c")
    shortcut = _convolution(x, filters[2], 1, f"{name}1", subsample=strides) if block == "a" else x
    added: SymbolicTensor = Activation("relu")(merge([y, shortcut], mode="sum"))
    return added


def _convolution(
    x: SymbolicTensor,
    filters: int,
    size: int,
    name: str,
    border_mode: str = "valid",
    subsample: tuple[int, int] = (1, 1),
) -> SymbolicTensor:
    y = Convolution2D(filters, size, size, border_mode=border_mode, subsample=subsample, name=f"res{name}")(x)
    normalized: SymbolicTensor = BatchNormalization(axis=channel_axis(), name=f"bn{name}")(y)
    return normalized
