"""A tagger of music by convolutions and recurrence (Choi et al. 2016)."""

from __future__ import annotations

from bigdl.graph import Input, SymbolicTensor
from bigdl.layers import (
    ELU,
    GRU,
    BatchNormalization,
    Convolution2D,
    Dense,
    MaxPooling2D,
    Permute,
    Reshape,
    ZeroPadding2D,
)
from bigdl.models.applications.network import Weights, channel_axis, check_classes, finished
from bigdl.models.model import Model
from bigdl.settings import image_dim_ordering

# The filters of each convolution, and the size of the pooling behind it.
BLOCKS = ((64, 2), (128, 3), (128, 4), (128, 4))


def MusicTaggerCRNN(  # noqa: N802 - Keras's name
    weights: Weights = "msd",
    input_tensor: SymbolicTensor | None = None,
    include_top: bool = True,
    classes: int = 50,
) -> Model:
    """Returns the tagger. Its input are mel spectrograms of 96 bands and 1366 frames.

    Args:
        weights: None for initial values, the path of a file, or ``"msd"`` for Keras's file in ``~/.keras/models``.
        input_tensor: The tensor to start from; a new input by default.
        include_top: Whether the classifier is there; without it there are 32 features.
        classes: The number of tags.

    Raises:
        LayerError: The number of tags does not fit the weights.
        DataError: Keras's file is not there.
    """
    check_classes(weights, include_top, classes, "msd", 50)
    first = image_dim_ordering() == "th"
    if input_tensor is None:
        input_tensor = Input(shape=(1, 96, 1366) if first else (96, 1366, 1))
    x = ZeroPadding2D(padding=(0, 37))(input_tensor)
    x = BatchNormalization(axis=3 if first else 2, name="bn_0_freq")(x)
    for number, (filters, size) in enumerate(BLOCKS, start=1):
        x = Convolution2D(filters, 3, 3, border_mode="same", name=f"conv{number}")(x)
        x = BatchNormalization(axis=channel_axis(), name=f"bn{number}")(x)
        x = ELU()(x)
        x = MaxPooling2D(pool_size=(size, size), strides=(size, size), name=f"pool{number}")(x)
    if first:
        x = Permute((3, 1, 2))(x)
    x = Reshape((15, 128))(x)
    x = GRU(32, return_sequences=True, name="gru1")(x)
    x = GRU(32, name="gru2")(x)
    if include_top:
        x = Dense(classes, activation="sigmoid", name="output")(x)
    file = f"music_tagger_crnn_weights_tf_kernels_{image_dim_ordering()}_dim_ordering.h5"
    return finished(input_tensor, x, "music_tagger_crnn", weights, "msd", file, by_name=True)
