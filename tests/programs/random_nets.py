"""Networks of layers drawn at random, so that all that may follow each other does."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np

from bigdl.errors import LayerError
from bigdl.keras.layers import (
    ELU,
    GRU,
    LSTM,
    Activation,
    AtrousConvolution2D,
    AveragePooling1D,
    AveragePooling2D,
    BatchNormalization,
    Bidirectional,
    Convolution1D,
    Convolution2D,
    Cropping1D,
    Cropping2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    Input,
    LeakyReLU,
    MaxPooling1D,
    MaxPooling2D,
    Permute,
    PReLU,
    RepeatVector,
    Reshape,
    SeparableConvolution2D,
    SimpleRNN,
    TimeDistributed,
    TimeDistributedDense,
    UpSampling1D,
    UpSampling2D,
    ZeroPadding1D,
    ZeroPadding2D,
    merge,
)
from bigdl.keras.models import Model

Draw = random.Random
Choices = list[Callable[[], Any]]
"""Makers of layers."""

_MODES = ("same", "valid")
_LARGEST = 20000
"""The most values of a row behind which there is another layer."""


def random_net(seed: int) -> Any:
    """Returns a network with random weights; None where the layers that were drawn do not fit.

    Args:
        seed: What it is drawn from.
    """
    draw = Draw(seed)
    ordering = "th" if draw.random() < 0.35 else "tf"
    inputs, first = _beginning(draw, ordering)
    made = [first]
    try:
        for _ in range(draw.randint(2, 9)):
            x = made[-1] if draw.random() < 0.75 else draw.choice(made)
            if np.prod(_shape(x)) <= _LARGEST:
                joined = _joined(draw, made, x) if draw.random() < 0.25 else None
                made.append(_layer(draw, x, ordering)(x) if joined is None else joined)
    except LayerError:
        return None
    outputs = [made[-1]]
    if draw.random() < 0.3 and len(made) > 1:
        outputs.append(draw.choice(made[:-1]))
    model: Any = Model(inputs, outputs if len(outputs) > 1 else outputs[0])
    filled = np.random.RandomState(seed)
    model.set_weights([w if w.ndim > 1 else filled.uniform(0.3, 1.3, w.shape) for w in model.get_weights()])
    return model


def _shape(x: Any) -> tuple[int, ...]:
    return tuple(x.shape[1:])


def _beginning(draw: Draw, ordering: str) -> tuple[Any, Any]:
    """Returns an input, and what layers take of it."""
    kind = draw.choice(["sequence", "image", "row", "words"])
    if kind == "words":
        words = Input((draw.randint(3, 9),), dtype=draw.choice(["int32", "float32"]))
        return words, Embedding(30, draw.randint(1, 20))(words)
    channels, sizes = draw.randint(1, 20), [draw.randint(5, 10) for _ in range(2)]
    images = (channels, *sizes) if ordering == "th" else (*sizes, channels)
    shapes = {"sequence": (sizes[0], channels), "image": images, "row": (channels + 1,)}
    x = Input(shapes[kind])
    return x, x


def _joined(draw: Draw, made: list[Any], x: Any) -> Any:
    """Returns a tensor and another one merged, None where there is none that fits."""
    others = [y for y in made if y is not x]
    alike = [y for y in others if _shape(y) == _shape(x)]
    if alike:
        return merge([x, draw.choice(alike)], mode=draw.choice(["sum", "mul", "max", "concat", "ave"]))
    for y in others:
        differing = [i for i, (a, b) in enumerate(zip(_shape(x), _shape(y), strict=False), start=1) if a != b]
        if len(_shape(x)) == len(_shape(y)) and len(differing) == 1:
            return merge([x, y], mode="concat", concat_axis=differing[0])
    return None


def _layer(draw: Draw, x: Any, ordering: str) -> Any:
    shape = _shape(x)
    choices: Choices = [lambda: Activation(draw.choice(["relu", "sigmoid", "tanh", "hard_sigmoid", "softsign", "elu"]))]
    choices += [lambda: PReLU("normal"), lambda: LeakyReLU(0.2), lambda: ELU(0.7), lambda: Dropout(0.3)]
    if len(shape) == 1:
        choices += _of_rows(draw, shape[0])
    elif len(shape) == 2:
        choices += _of_sequences(draw, *shape)
    else:
        choices += _of_images(draw, shape, ordering)
    return draw.choice(choices)()


def _of_rows(draw: Draw, size: int) -> Choices:
    found: Choices = [
        lambda: Dense(draw.randint(1, 40), activation=draw.choice(["relu", "tanh", "linear", "softmax", "elu"])),
        lambda: Dense(24),
        lambda: Activation("softmax"),
        lambda: BatchNormalization(),
        lambda: RepeatVector(draw.randint(1, 5)),
    ]
    return found + ([lambda: Reshape((4, -1)), lambda: Reshape((2, 2, -1))] if size % 4 == 0 else [])


def _of_sequences(draw: Draw, length: int, size: int) -> Choices:
    def recurrent() -> Any:
        cell = draw.choice([LSTM, GRU, SimpleRNN])
        settings = {"return_sequences": draw.random() < 0.6, "go_backwards": draw.random() < 0.3}
        return cell(draw.randint(1, 20), activation=draw.choice(["tanh", "relu", "softmax"]), **settings)

    def bidirectional() -> Any:
        layer = LSTM(draw.randint(1, 12), return_sequences=draw.random() < 0.6)
        return Bidirectional(layer, merge_mode=draw.choice(["concat", "sum", "ave"]))

    def convolution() -> Any:
        kernel, function = draw.randint(1, min(3, length)), draw.choice(["linear", "relu", "tanh"])
        return Convolution1D(draw.randint(1, 20), kernel, border_mode=draw.choice(_MODES), activation=function)

    found: Choices = [
        *(recurrent, recurrent, bidirectional, convolution, convolution),
        lambda: TimeDistributed(Dense(draw.randint(1, 20), activation=draw.choice(["linear", "softmax", "relu"]))),
        lambda: TimeDistributed(BatchNormalization()),
        lambda: TimeDistributedDense(draw.randint(1, 20)),
        lambda: Activation("softmax"),
        lambda: BatchNormalization(axis=draw.choice([-1, 1])),
        lambda: PReLU("normal", shared_axes=[1]),
        lambda: UpSampling1D(2),
        lambda: ZeroPadding1D(draw.randint(1, 2)),
        lambda: Flatten(),
        lambda: GlobalMaxPooling1D(),
        lambda: GlobalAveragePooling1D(),
        lambda: Reshape((size, length)),
        lambda: Reshape((length * size,)),
        lambda: Permute((2, 1)),
    ]
    if length > 3:
        found += [lambda: Cropping1D((1, 1)), lambda: MaxPooling1D(2, border_mode=draw.choice(_MODES))]
        found += [lambda: AveragePooling1D(2, stride=draw.choice([1, 2]), border_mode=draw.choice(_MODES))]
    return found


def _of_images(draw: Draw, shape: tuple[int, ...], ordering: str) -> Choices:
    rows, columns = shape[1:] if ordering == "th" else shape[:2]
    axis, places = (1, [2, 3]) if ordering == "th" else (-1, [1, 2])

    def kernel() -> tuple[int, int, int]:
        return draw.randint(1, 40), draw.randint(1, min(3, rows)), draw.randint(1, min(3, columns))

    def convolution() -> Any:
        function = draw.choice(["linear", "relu", "tanh"])
        return Convolution2D(*kernel(), border_mode=draw.choice(_MODES), activation=function, dim_ordering=ordering)

    def separable() -> Any:
        times = draw.choice([1, 1, 2])
        mode = draw.choice(_MODES)
        return SeparableConvolution2D(*kernel(), border_mode=mode, depth_multiplier=times, dim_ordering=ordering)

    def pooling() -> Any:
        kind, steps = draw.choice([MaxPooling2D, AveragePooling2D]), draw.choice([None, (1, 1)])
        return kind((2, 2), strides=steps, border_mode=draw.choice(_MODES), dim_ordering=ordering)

    found: Choices = [
        *(convolution, convolution, separable, pooling, pooling),
        lambda: Convolution2D(4, 1, 1, subsample=draw.choice([(1, 1), (2, 2)]), dim_ordering=ordering),
        lambda: BatchNormalization(axis=axis),
        lambda: PReLU("normal", shared_axes=places),
        lambda: ZeroPadding2D((1, 2), dim_ordering=ordering),
        lambda: Flatten(),
        lambda: GlobalMaxPooling2D(dim_ordering=ordering),
        lambda: GlobalAveragePooling2D(dim_ordering=ordering),
        lambda: Reshape((shape[0], shape[1] * shape[2])),
    ]
    if max(rows, columns) < 12:
        found += [lambda: UpSampling2D((2, draw.choice([1, 2])), dim_ordering=ordering)]
    if min(rows, columns) > 4:
        found += [lambda: Cropping2D(((1, 0), (1, 1)), dim_ordering=ordering)]
        found += [lambda: AtrousConvolution2D(5, 2, 2, atrous_rate=(2, 2), dim_ordering=ordering)]
    return found
