"""VGG16 and VGG19 (Simonyan and Zisserman 2014)."""

from __future__ import annotations

from bigdl.graph import Shape, SymbolicTensor
from bigdl.layers import Convolution2D, Dense, Flatten, MaxPooling2D
from bigdl.models.applications.network import Weights, check_classes, finished, image_input, weights_file
from bigdl.models.model import Model

FILTERS = (64, 128, 256, 512, 512)


def VGG16(  # noqa: N802 - Keras's name
    include_top: bool = True,
    weights: Weights = "imagenet",
    input_tensor: SymbolicTensor | None = None,
    input_shape: Shape | None = None,
    classes: int = 1000,
) -> Model:
    """Returns VGG16: 13 convolutions, and three dense layers on top.

    Args:
        include_top: Whether the dense layers are there; they need images of 224 x 224.
        weights: None for initial values, the path of a file, or ``"imagenet"`` for Keras's file in ``~/.keras/models``.
        input_tensor: The tensor to start from; a new input by default.
        input_shape: The shape of an image without the dense layers; at least 48 x 48.
        classes: The number of classes.

    Raises:
        LayerError: The shape or the number of classes does not fit.
        DataError: Keras's file is not there.
    """
    return _vgg("vgg16", (2, 2, 3, 3, 3), include_top, weights, input_tensor, input_shape, classes)


def VGG19(  # noqa: N802 - Keras's name
    include_top: bool = True,
    weights: Weights = "imagenet",
    input_tensor: SymbolicTensor | None = None,
    input_shape: Shape | None = None,
    classes: int = 1000,
) -> Model:
    """Returns VGG19: 16 convolutions, and three dense layers on top; see ``VGG16``."""
    return _vgg("vgg19", (2, 2, 4, 4, 4), include_top, weights, input_tensor, input_shape, classes)


def _vgg(
    name: str,
    depths: tuple[int, ...],
    include_top: bool,
    weights: Weights,
    input_tensor: SymbolicTensor | None,
    input_shape: Shape | None,
    classes: int,
) -> Model:
    check_classes(weights, include_top, classes, "imagenet", 1000)
    inputs = image_input(input_tensor, input_shape, include_top, default_size=224, min_size=48)
    x = inputs
    for block, (depth, filters) in enumerate(zip(depths, FILTERS, strict=True), start=1):
        for number in range(1, depth + 1):
            x = Convolution2D(filters, 3, 3, activation="relu", border_mode="same", name=f"block{block}_conv{number}")(
                x
            )
        x = MaxPooling2D((2, 2), strides=(2, 2), name=f"block{block}_pool")(x)
    if include_top:
        x = Flatten(name="flatten")(x)
        x = Dense(4096, activation="relu", name="fc1")(x)
        x = Dense(4096, activation="relu", name="fc2")(x)
        x = Dense(classes, activation="softmax", name="predictions")(x)
    return finished(inputs, x, name, weights, "imagenet", weights_file(name, include_top))
