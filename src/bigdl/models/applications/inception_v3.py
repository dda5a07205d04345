"""Inception v3 (Szegedy et al. 2015)."""

from __future__ import annotations

from bigdl.graph import Shape, SymbolicTensor
from bigdl.layers import (
    AveragePooling2D,
    BatchNormalization,
    Convolution2D,
    Dense,
    Flatten,
    MaxPooling2D,
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


def InceptionV3(  # noqa: N802 - Keras's name
    include_top: bool = True,
    weights: Weights = "imagenet",
    input_tensor: SymbolicTensor | None = None,
    input_shape: Shape | None = None,
    classes: int = 1000,
) -> Model:
    """Returns Inception v3.

    Args:
        include_top: Whether the classifier is there; it needs images of 299 x 299.
        weights: None for initial values, the path of a file, or ``"imagenet"`` for Keras's file in ``~/.keras/models``.
        input_tensor: The tensor to start from; a new input by default.
        input_shape: The shape of an image without the classifier; at least 139 x 139.
        classes: The number of classes.

    Raises:
        LayerError: The shape or the number of classes does not fit.
        DataError: Keras's file is not there.
    """
    check_classes(weights, include_top, classes, "imagenet", 1000)
    inputs = image_input(input_tensor, input_shape, include_top, default_size=299, min_size=139)
    x = _convolutions(inputs, (32, 3, 3, "halved"), (32, 3, 3, "valid"), (64, 3, 3))
    x = MaxPooling2D((3, 3), strides=(2, 2))(x)
    x = _convolutions(x, (80, 1, 1, "valid"), (192, 3, 3, "valid"))
    x = MaxPooling2D((3, 3), strides=(2, 2))(x)
    for number in range(3):
        x = _mixed_35(x, f"mixed{number}")
    x = _mixed_to_17(x, "mixed3")
    for number, filters in ((4, 128), (5, 160), (6, 160), (7, 192)):
        x = _mixed_17(x, filters, f"mixed{number}")
    x = _mixed_to_8(x, "mixed8")
    for number in range(2):
        x = _mixed_8(x, number)
    if include_top:
        x = AveragePooling2D((8, 8), strides=(8, 8), name="avg_pool")(x)
        x = Flatten(name="flatten")(x)
        x = Dense(classes, activation="softmax", name="predictions")(x)
    return finished(inputs, x, "inception_v3", weights, "imagenet", weights_file("inception_v3", include_top))


Kernel = tuple[int, int, int] | tuple[int, int, int, str]
"""Filters, rows, columns, and for other than ``"same"`` the border mode; ``"halved"`` is valid, every second pixel."""


def _convolutions(x: SymbolicTensor, *kernels: Kernel) -> SymbolicTensor:
    """Applies convolutions, each with its batch normalization, one after the other."""
    for filters, rows, columns, *rest in kernels:
        mode = rest[0] if rest else "same"
        halved = mode == "halved"
        x = Convolution2D(
            filters,
            rows,
            columns,
            subsample=(2, 2) if halved else (1, 1),
            activation="relu",
            border_mode="valid" if halved else mode,
        )(x)
        x = BatchNormalization(axis=channel_axis())(x)
    return x


def _joined(branches: list[SymbolicTensor], name: str | None = None) -> SymbolicTensor:
    joined: SymbolicTensor = merge(branches, mode="concat", concat_axis=channel_axis(), name=name)
    return joined


def _pooled(x: SymbolicTensor, filters: int) -> SymbolicTensor:
    return _convolutions(AveragePooling2D((3, 3), strides=(1, 1), border_mode="same")(x), (filters, 1, 1))


def _mixed_35(x: SymbolicTensor, name: str) -> SymbolicTensor:
    return _joined(
        [
            _convolutions(x, (64, 1, 1)),
            _convolutions(x, (48, 1, 1), (64, 5, 5)),
            _convolutions(x, (64, 1, 1), (96, 3, 3), (96, 3, 3)),
            _pooled(x, 32),
        ],
        name,
    )


def _mixed_to_17(x: SymbolicTensor, name: str) -> SymbolicTensor:
    return _joined(
        [
            _convolutions(x, (384, 3, 3, "halved")),
            _convolutions(x, (64, 1, 1), (96, 3, 3), (96, 3, 3, "halved")),
            MaxPooling2D((3, 3), strides=(2, 2))(x),
        ],
        name,
    )


def _mixed_17(x: SymbolicTensor, filters: int, name: str) -> SymbolicTensor:
    n = filters
    first = 160 if n == 192 else n  # the last of these modules starts its longest branch narrower
    return _joined(
        [
            _convolutions(x, (192, 1, 1)),
            _convolutions(x, (n, 1, 1), (n, 1, 7), (192, 7, 1)),
            _convolutions(x, (first, 1, 1), (n, 7, 1), (n, 1, 7), (n, 7, 1), (192, 1, 7)),
            _pooled(x, 192),
        ],
        name,
    )


def _mixed_to_8(x: SymbolicTensor, name: str) -> SymbolicTensor:
    return _joined(
        [
            _convolutions(x, (192, 1, 1), (320, 3, 3, "halved")),
            _convolutions(x, (192, 1, 1), (192, 1, 7), (192, 7, 1), (192, 3, 3, "halved")),
            AveragePooling2D((3, 3), strides=(2, 2))(x),
        ],
        name,
    )


def _mixed_8(x: SymbolicTensor, number: int) -> SymbolicTensor:
    narrow = _convolutions(x, (320, 1, 1))
    single = _convolutions(x, (384, 1, 1))
    single = _joined([_convolutions(single, (384, 1, 3)), _convolutions(single, (384, 3, 1))], f"mixed9_{number}")
    double = _convolutions(x, (448, 1, 1), (384, 3, 3))
    double = _joined([_convolutions(double, (384, 1, 3)), _convolutions(double, (384, 3, 1))])
    return _joined([narrow, single, double, _pooled(x, 192)], f"mixed{9 + number}")
