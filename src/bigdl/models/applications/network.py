"""What the networks share: their inputs, and where their weights come from."""

from __future__ import annotations

import os
from pathlib import Path

from bigdl.errors import DataError, LayerError
from bigdl.graph import Input, Shape, SymbolicTensor, source_inputs
from bigdl.models.layer_utils import convert_all_kernels_in_model
from bigdl.models.model import Model
from bigdl.settings import DimOrdering, image_dim_ordering

Weights = str | os.PathLike[str] | None
"""None for initial values, a file, or the name of a data set whose file is in ``~/.keras/models``."""


def channel_axis() -> int:
    """Returns the axis of the channels of a batch of images in the default ordering."""
    return 1 if image_dim_ordering() == "th" else 3


def image_input(
    input_tensor: SymbolicTensor | None,
    input_shape: Shape | None,
    include_top: bool,
    default_size: int,
    min_size: int,
    dim_ordering: DimOrdering | None = None,
) -> SymbolicTensor:
    """Returns the tensor that a network starts from.

    Args:
        input_tensor: The tensor to start from; a new input by default.
        input_shape: The shape of an image; of the default size with a classifier on top, of any size without one.
        include_top: Whether there is a classifier on top.
        default_size: The size that the classifier needs.
        min_size: The smallest size.
        dim_ordering: The ordering of the images; the process's default by default.

    Raises:
        LayerError: The shape is not one that the network takes.
    """
    ordering = dim_ordering or image_dim_ordering()
    size = default_size if include_top else None
    expected: Shape = (3, size, size) if ordering == "th" else (size, size, 3)
    if input_shape is not None:
        shape = tuple(input_shape)
        channels, lengths = (shape[0], shape[1:]) if ordering == "th" else (shape[-1], shape[:-1])
        too_small = any(length is not None and length < min_size for length in lengths)
        if len(shape) != 3 or channels != 3 or too_small or (include_top and shape != expected):
            raise LayerError(
                f"input_shape must be {expected}{f' with lengths of at least {min_size}' if size is None else ''} "
                f"(include_top={include_top}, dim_ordering={ordering!r}). Received: {input_shape}."
            )
        expected = shape
    return input_tensor if input_tensor is not None else Input(shape=expected)


def finished(
    inputs: SymbolicTensor,
    output: SymbolicTensor,
    name: str,
    weights: Weights,
    data_set: str,
    file: str,
    by_name: bool = False,
) -> Model:
    """Returns a network with its weights.

    Args:
        inputs: The tensor that it starts from; what that depends on is part of the network.
        output: What it computes.
        name: Its name.
        weights: Where its weights come from.
        data_set: The name of the data set whose weights Keras has.
        file: Their file in ``~/.keras/models``.
        by_name: Whether that file is matched by the layers' names.

    Raises:
        DataError: That file is not there.
        WeightMismatchError: The weights are those of another network.
    """
    model = Model(source_inputs(inputs), output, name=name)
    if weights is None:
        return model
    if weights != data_set:
        model.load_weights(weights)
        return model
    path = Path("~/.keras/models").expanduser() / file
    if not path.exists():
        raise DataError(
            f"weights={data_set!r} needs Keras's file {path}, which is not there, and nothing is downloaded. Put it "
            "there, give the path of a file of weights (weights='...h5'), or weights=None for initial values."
        )
    model.load_weights(path, by_name)
    if "th_kernels" in file:  # Theano flips the kernels of convolutions
        convert_all_kernels_in_model(model)
    return model


def weights_file(name: str, include_top: bool, dim_ordering: str | None = None) -> str:
    """Returns the name of Keras's file of weights trained on ImageNet."""
    ordering = dim_ordering or image_dim_ordering()
    return f"{name}_weights_{ordering}_dim_ordering_{ordering}_kernels{'' if include_top else '_notop'}.h5"


def check_classes(weights: Weights, include_top: bool, classes: int, data_set: str, trained: int) -> None:
    """Checks that the classifier on top is the one that Keras's weights are for.

    Raises:
        LayerError: It has another number of classes.
    """
    if weights == data_set and include_top and classes != trained:
        raise LayerError(f"weights={data_set!r} with include_top=True has {trained} classes. Received: {classes}.")
