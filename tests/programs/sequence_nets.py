"""Networks over sequences, small and with what programs treat in a way of their own."""

from typing import Any

import torch

from bigdl.keras.layers import (
    ELU,
    LSTM,
    Activation,
    AtrousConvolution1D,
    AveragePooling1D,
    BatchNormalization,
    Convolution1D,
    Convolution2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    Input,
    MaxPooling1D,
    MaxPooling2D,
    PReLU,
    RepeatVector,
    TimeDistributed,
    TimeDistributedDense,
    UpSampling1D,
    ZeroPadding1D,
    merge,
)
from bigdl.keras.models import Model, Sequential


def sequences() -> Any:
    inputs = Input((20,), dtype="int32")
    x = Embedding(30, 6)(inputs)
    x = Convolution1D(9, 3, activation="relu")(x)
    x = BatchNormalization()(x)
    y = LSTM(4)(x)
    return Model(inputs, Dense(3, activation="softmax")(merge([GlobalMaxPooling1D()(x), y], mode="concat")))


def text() -> Any:
    """Windows of several lengths over few words, of which many are the same, and the largest of all positions."""
    torch.manual_seed(1)  # with few weights, two different windows are equal but for rounding
    inputs = Input((40,), dtype="int32")
    x = Dropout(0.2)(Embedding(31, 20)(inputs))
    branches = [
        GlobalMaxPooling1D()(Convolution1D(18, 3, activation="relu")(x)),
        Dropout(0.5)(Activation("relu")(GlobalMaxPooling1D()(Convolution1D(16, 2, border_mode="same")(x)))),
        GlobalMaxPooling1D()(Activation("relu")(AtrousConvolution1D(5, 2, atrous_rate=2, bias=False)(x))),
        GlobalMaxPooling1D()(Convolution1D(17, 4, subsample_length=3)(x)),
        GlobalMaxPooling1D()(MaxPooling1D(2)(Convolution1D(16, 5, border_mode="same", activation="relu")(x))),
        GlobalMaxPooling1D()(Convolution1D(16, 31)(x)),  # ten positions
        GlobalMaxPooling1D()(x),
    ]
    return Model(inputs, Dense(3)(merge(branches, mode="concat")))


def words() -> Any:
    """Numbers of words, and products of each step."""
    inputs = Input((12,), dtype="int32")
    x = TimeDistributed(Dense(9, activation="relu"))(Embedding(31, 20)(inputs))
    y = TimeDistributedDense(7)(ELU(0.5)(x))
    steps = RepeatVector(12)(Dense(5, activation="elu")(Flatten()(Convolution1D(3, 2)(y))))
    z = merge([Dense(6)(y), steps], mode="concat")
    every = TimeDistributed(Dense(4, activation="softmax"))(PReLU("normal")(TimeDistributed(Dense(8))(z)))
    return Model(inputs, [every, GlobalAveragePooling1D()(merge([z, Dense(11)(x)], mode="sum")), Flatten()(every)])


def words_alone() -> Any:
    """From an array of numbers to one of sequences."""
    inputs = Input((12,), dtype="int32")
    return Model(inputs, TimeDistributed(Dense(4, activation="softmax"))(Embedding(31, 20)(inputs)))


def waves(flat: bool = False) -> Any:
    """Sequences of numbers: convolutions, means, repeated steps, zeros."""
    x = inputs = Input((24, 5))
    x = PReLU("normal")(BatchNormalization()(Convolution1D(17, 3, activation="relu")(x)))
    x = merge([AveragePooling1D(2, border_mode="same")(x), MaxPooling1D(2)(x)], mode="concat")
    x = UpSampling1D(3)(ZeroPadding1D(2)(x))
    return Model(inputs, GlobalAveragePooling1D()(x) if flat else x)


def steps() -> Any:
    """Layers for each step of videos."""
    inputs = Input((4, 9, 8, 3))
    x = TimeDistributed(Convolution2D(18, 3, 3, activation="relu"))(inputs)
    x = TimeDistributed(BatchNormalization())(TimeDistributed(MaxPooling2D())(x))
    tower = Sequential([Convolution2D(5, 2, 2, input_shape=(3, 3, 18)), Flatten(), Dense(6, activation="softmax")])
    y = TimeDistributed(tower)(x)
    return Model(inputs, [Flatten()(TimeDistributed(Flatten())(x)), merge([y, y], mode="sum"), LSTM(3)(y)])
