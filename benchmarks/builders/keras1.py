"""Builds networks with Keras 1's API: this library's, or the original."""

import importlib
from typing import Any, Tuple

import numpy as np


class Keras1Builder:
    """Makes Keras 1 models.

    Args:
        package: ``"bigdl.keras"`` or ``"keras"``.
        ordering: The ``dim_ordering``.

    Attributes:
        flops: The multiplications and additions of one row's products so far.
    """

    def __init__(self, package: str, ordering: str) -> None:
        importlib.import_module(package + ".backend").set_image_dim_ordering(ordering)
        self.layers = importlib.import_module(package + ".layers")
        self.models = importlib.import_module(package + ".models")
        self.channels = -1 if ordering == "tf" else 1
        self.flops = 0

    def _count(self, y: Any, inputs: int) -> Any:
        """Counts the products of a layer, each of whose outputs is a sum over so many inputs."""
        self.flops += 2 * int(inputs) * int(np.prod(y._keras_shape[1:]))
        return y

    def input(self, shape: Tuple[int, ...], integers: int = 0) -> Any:
        if self.channels == 1 and len(shape) == 3:
            shape = (shape[-1],) + shape[:-1]
        return self.layers.Input(shape, dtype="int32" if integers else "float32")

    def convolution(
        self, x: Any, filters: int, size: Any, stride: int = 1, same: bool = False, activation: Any = None
    ) -> Any:
        rows, columns = size if isinstance(size, tuple) else (size, size)
        layer = self.layers.Convolution2D(
            filters,
            rows,
            columns,
            subsample=(stride, stride),
            border_mode="same" if same else "valid",
            activation=activation,
        )
        return self._count(layer(x), rows * columns * x._keras_shape[self.channels])

    def separable_convolution(self, x: Any, filters: int, size: int) -> Any:
        channels = x._keras_shape[self.channels]
        y = self.layers.SeparableConvolution2D(filters, size, size, border_mode="same")(x)
        self.flops += 2 * size * size * channels * int(np.prod(y._keras_shape[1:])) // filters
        return self._count(y, channels)

    def sequence_convolution(self, x: Any, filters: int, size: int, activation: Any = None) -> Any:
        y = self.layers.Convolution1D(filters, size, activation=activation)(x)
        return self._count(y, size * x._keras_shape[-1])

    def sequence_average(self, x: Any) -> Any:
        return self.layers.GlobalAveragePooling1D()(x)

    def global_max_pooling(self, x: Any) -> Any:
        return self.layers.GlobalMaxPooling1D()(x)

    def max_pooling(self, x: Any, size: int, stride: Any = None, same: bool = False) -> Any:
        return self._pool(self.layers.MaxPooling2D, x, size, stride, same)

    def average_pooling(self, x: Any, size: int, stride: Any = None, same: bool = False) -> Any:
        return self._pool(self.layers.AveragePooling2D, x, size, stride, same)

    def _pool(self, layer: Any, x: Any, size: int, stride: Any, same: bool) -> Any:
        mode = "same" if same else "valid"
        return layer((size, size), strides=stride and (stride, stride), border_mode=mode)(x)

    def global_average_pooling(self, x: Any) -> Any:
        return self.layers.GlobalAveragePooling2D()(x)

    def up_sampling(self, x: Any, times: int) -> Any:
        return self.layers.UpSampling2D((times, times))(x)

    def concatenate(self, parts: Any) -> Any:
        return self.layers.merge(parts, mode="concat", concat_axis=self.channels)

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
        return self._count(self.layers.Dense(units, activation=activation)(x), x._keras_shape[-1])

    def embedding(self, x: Any, words: int, units: int) -> Any:
        return self.layers.Embedding(words, units)(x)

    def lstm(self, x: Any, units: int, dropout: float = 0.0, sequences: bool = False) -> Any:
        layer = self.layers.LSTM(units, dropout_W=dropout, dropout_U=dropout, return_sequences=sequences)
        return self._recurrent(x, layer, 4 * units, units)

    def gru(self, x: Any, units: int) -> Any:
        return self._recurrent(x, self.layers.GRU(units), 3 * units, units)

    def bidirectional_lstm(self, x: Any, units: int) -> Any:
        return self._recurrent(x, self.layers.Bidirectional(self.layers.LSTM(units)), 8 * units, units)

    def _recurrent(self, x: Any, layer: Any, gates: int, units: int) -> Any:
        _, steps, inputs = x._keras_shape
        self.flops += 2 * steps * gates * (inputs + units)
        return layer(x)

    def model(self, x: Any, y: Any) -> Any:
        return self.models.Model(x, y)
