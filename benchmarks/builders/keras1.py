"""Builds networks with Keras 1's API: this library's, or the original."""

import importlib
from typing import Any, Tuple


class Keras1Builder:
    """Makes Keras 1 models.

    Args:
        package: ``"bigdl.keras"`` or ``"keras"``.
        ordering: The ``dim_ordering``.
    """

    def __init__(self, package: str, ordering: str) -> None:
        importlib.import_module(package + ".backend").set_image_dim_ordering(ordering)
        self.layers = importlib.import_module(package + ".layers")
        self.models = importlib.import_module(package + ".models")
        self.channels = -1 if ordering == "tf" else 1

    def input(self, shape: Tuple[int, ...], integers: int = 0) -> Any:
        if self.channels == 1 and len(shape) == 3:
            shape = (shape[-1],) + shape[:-1]
        return self.layers.Input(shape, dtype="int32" if integers else "float32")

    def convolution(
        self, x: Any, filters: int, size: int, stride: int = 1, same: bool = False, activation: Any = None
    ) -> Any:
        layer = self.layers.Convolution2D(
            filters,
            size,
            size,
            subsample=(stride, stride),
            border_mode="same" if same else "valid",
            activation=activation,
        )
        return layer(x)

    def sequence_convolution(self, x: Any, filters: int, size: int, activation: Any = None) -> Any:
        return self.layers.Convolution1D(filters, size, activation=activation)(x)

    def global_max_pooling(self, x: Any) -> Any:
        return self.layers.GlobalMaxPooling1D()(x)

    def max_pooling(self, x: Any, size: int, stride: Any = None) -> Any:
        return self.layers.MaxPooling2D((size, size), strides=stride and (stride, stride))(x)

    def average_pooling(self, x: Any, size: int) -> Any:
        return self.layers.AveragePooling2D((size, size))(x)

    def zero_padding(self, x: Any, width: int) -> Any:
        return self.layers.ZeroPadding2D((width, width))(x)

    def batch_normalization(self, x: Any) -> Any:
        return self.layers.BatchNormalization(axis=self.channels)(x)

    def activation(self, x: Any, name: str) -> Any:
        return self.layers.Activation(name)(x)

    def add(self, x: Any, y: Any) -> Any:
        return self.layers.merge([x, y], mode="sum")

    def dropout(self, x: Any, rate: float) -> Any:
        return self.layers.Dropout(rate)(x)

    def flatten(self, x: Any) -> Any:
        return self.layers.Flatten()(x)

    def dense(self, x: Any, units: int, activation: Any = None) -> Any:
        return self.layers.Dense(units, activation=activation)(x)

    def embedding(self, x: Any, words: int, units: int) -> Any:
        return self.layers.Embedding(words, units)(x)

    def lstm(self, x: Any, units: int, dropout: float = 0.0) -> Any:
        return self.layers.LSTM(units, dropout_W=dropout, dropout_U=dropout)(x)

    def gru(self, x: Any, units: int) -> Any:
        return self.layers.GRU(units)(x)

    def bidirectional_lstm(self, x: Any, units: int) -> Any:
        return self.layers.Bidirectional(self.layers.LSTM(units))(x)

    def model(self, x: Any, y: Any) -> Any:
        return self.models.Model(x, y)
