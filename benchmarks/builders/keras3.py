"""Builds networks with Keras 3, on whichever backend it runs."""

from typing import Any

from keras import Input, Model, layers

GATES = {"recurrent_activation": "hard_sigmoid"}


class Keras3Builder:
    """Makes Keras 3 models, channels last."""

    def input(self, shape: tuple[int, ...], integers: int = 0) -> Any:
        return Input(shape, dtype="int32" if integers else "float32")

    def convolution(
        self, x: Any, filters: int, size: Any, stride: int = 1, same: bool = False, activation: Any = None
    ) -> Any:
        return layers.Conv2D(filters, size, stride, padding="same" if same else "valid", activation=activation)(x)

    def sequence_convolution(self, x: Any, filters: int, size: int, activation: Any = None) -> Any:
        return layers.Conv1D(filters, size, activation=activation)(x)

    def sequence_average(self, x: Any) -> Any:
        return layers.GlobalAveragePooling1D()(x)

    def global_max_pooling(self, x: Any) -> Any:
        return layers.GlobalMaxPooling1D()(x)

    def separable_convolution(self, x: Any, filters: int, size: int) -> Any:
        return layers.SeparableConv2D(filters, size, padding="same")(x)

    def max_pooling(self, x: Any, size: int, stride: int | None = None, same: bool = False) -> Any:
        return layers.MaxPooling2D(size, stride, "same" if same else "valid")(x)

    def average_pooling(self, x: Any, size: int, stride: int | None = None, same: bool = False) -> Any:
        return layers.AveragePooling2D(size, stride, "same" if same else "valid")(x)

    def global_average_pooling(self, x: Any) -> Any:
        return layers.GlobalAveragePooling2D()(x)

    def up_sampling(self, x: Any, times: int) -> Any:
        return layers.UpSampling2D(times)(x)

    def concatenate(self, parts: list[Any]) -> Any:
        return layers.concatenate(parts)

    def zero_padding(self, x: Any, width: int) -> Any:
        return layers.ZeroPadding2D(width)(x)

    def batch_normalization(self, x: Any) -> Any:
        return layers.BatchNormalization()(x)

    def activation(self, x: Any, name: str) -> Any:
        return layers.Activation(name)(x)

    def add(self, x: Any, y: Any) -> Any:
        return layers.add([x, y])

    def dropout(self, x: Any, rate: float) -> Any:
        return layers.Dropout(rate)(x)

    def flatten(self, x: Any) -> Any:
        return layers.Flatten()(x)

    def dense(self, x: Any, units: int, activation: Any = None) -> Any:
        return layers.Dense(units, activation)(x)

    def embedding(self, x: Any, words: int, units: int) -> Any:
        return layers.Embedding(words, units)(x)

    def lstm(self, x: Any, units: int, dropout: float = 0.0, sequences: bool = False) -> Any:
        rates = {"dropout": dropout, "recurrent_dropout": dropout}
        return layers.LSTM(units, return_sequences=sequences, **rates, **GATES)(x)

    def gru(self, x: Any, units: int) -> Any:
        return layers.GRU(units, reset_after=False, **GATES)(x)

    def bidirectional_lstm(self, x: Any, units: int) -> Any:
        return layers.Bidirectional(layers.LSTM(units, **GATES))(x)

    def model(self, x: Any, y: Any) -> Any:
        return Model(x, y)
