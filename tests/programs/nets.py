"""Networks, small and with what programs treat in a way of their own."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from bigdl.graph.tensor import as_list
from bigdl.keras.layers import (
    ELU,
    Activation,
    AtrousConvolution2D,
    AveragePooling2D,
    BatchNormalization,
    Convolution2D,
    Convolution3D,
    Cropping1D,
    Cropping2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    Highway,
    Input,
    Lambda,
    LeakyReLU,
    MaxoutDense,
    MaxPooling2D,
    MaxPooling3D,
    Permute,
    PReLU,
    Reshape,
    SeparableConvolution2D,
    TimeDistributed,
    UpSampling1D,
    UpSampling2D,
    ZeroPadding2D,
    merge,
)
from bigdl.keras.models import Model, Sequential
from bigdl.training.inference import in_mode
from tests.programs.sequence_nets import sequences, steps, text, waves, words, words_alone


def filled(model: Any) -> Any:
    """Gives a model weights, biases included, with which states neither grow nor fade."""
    random = np.random.RandomState(3)
    model.set_weights([random.uniform(-1, 1, w.shape) / np.sqrt(w.shape[0]) for w in model.get_weights()])
    return model


def lenet(ordering: str = "tf") -> Any:
    shape = (14, 12, 2) if ordering == "tf" else (2, 14, 12)
    return Sequential(
        [
            Convolution2D(19, 3, 3, activation="relu", dim_ordering=ordering, input_shape=shape),
            Convolution2D(33, 3, 3, dim_ordering=ordering),
            Activation("relu"),
            MaxPooling2D(dim_ordering=ordering),
            Dropout(0.25),
            Flatten(),
            Dense(70, activation="relu"),
            Dropout(0.5),
            Dense(10, activation="softmax"),
        ]
    )


def residual(ordering: str = "tf") -> Any:
    """As in ResNet: normalized, padded, with steps of two in convolutions of one cell, and sums of several kinds."""
    axis = -1 if ordering == "tf" else 1

    def normalized(x: Any, filters: int, size: int, stride: int = 1, mode: str = "valid") -> Any:
        convolution = Convolution2D(
            filters, size, size, subsample=(stride, stride), border_mode=mode, dim_ordering=ordering, bias=size > 1
        )
        return BatchNormalization(axis=axis)(convolution(x))

    inputs = Input((17, 15, 3) if ordering == "tf" else (3, 17, 15))
    x = ZeroPadding2D((3, 2), dim_ordering=ordering)(inputs)
    x = Activation("relu")(normalized(x, 16, 5, 2))
    x = MaxPooling2D((3, 3), strides=(2, 2), dim_ordering=ordering)(x)
    for stride in (1, 2):
        y = Activation("relu")(normalized(x, 8, 1, stride))
        y = Activation("relu")(normalized(y, 8, 3, mode="same"))
        y = normalized(y, 16, 1)
        x = Activation("relu")(merge([y, normalized(x, 16, 1, stride)], mode="sum"))
        y = normalized(x, 16, 3, mode="same")
        x = Activation("relu")(merge([x, y], mode="sum"))
    side = AveragePooling2D((2, 2), dim_ordering=ordering)(x)
    return Model(inputs, [Dense(5)(Flatten()(side)), GlobalAveragePooling2D(dim_ordering=ordering)(x)])


def shapes(ordering: str = "tf") -> Any:
    """Convolutions with uneven padding, steps, gaps and windows, and images as an output."""
    inputs = Input((13, 11, 3) if ordering == "tf" else (3, 13, 11))
    x = Convolution2D(7, 4, 2, border_mode="same", subsample=(2, 1), dim_ordering=ordering)(inputs)
    x = Activation("tanh")(x)
    x = AtrousConvolution2D(40, 2, 3, atrous_rate=(2, 2), border_mode="same", dim_ordering=ordering)(x)
    x = MaxPooling2D((2, 3), dim_ordering=ordering)(x)
    x = Activation("hard_sigmoid")(x)
    x = Convolution2D(6, 3, 3, border_mode="same", activation="softsign", dim_ordering=ordering)(x)
    return Model(inputs, [x, merge([x, x], mode="mul")])


def decoder(ordering: str = "tf") -> Any:
    """Images that become larger, as in an autoencoder, and are joined with others."""
    inputs = Input((5, 4, 3) if ordering == "tf" else (3, 5, 4))
    x = UpSampling2D((2, 3), dim_ordering=ordering)(inputs)
    y = Convolution2D(6, 3, 3, border_mode="same", activation="relu", dim_ordering=ordering)(x)
    x = merge([x, y], mode="concat", concat_axis=3 if ordering == "tf" else 1)
    return Model(inputs, UpSampling2D((1, 2), dim_ordering=ordering)(x))


def largest_of_images(ordering: str = "tf") -> Any:
    """The largest of all positions of images, behind convolutions with steps, gaps and zeros."""
    inputs = Input((9, 8, 3) if ordering == "tf" else (3, 9, 8))
    pool = partial(GlobalMaxPooling2D, dim_ordering=ordering)
    x = Convolution2D(32, 2, 3, border_mode="same", activation="relu", dim_ordering=ordering)(inputs)
    branches = [
        pool()(Convolution2D(32, 3, 3, border_mode="same", activation="relu", dim_ordering=ordering)(x)),
        pool()(Convolution2D(7, 2, 3, subsample=(2, 1), border_mode="same", dim_ordering=ordering)(x)),
        pool()(AtrousConvolution2D(5, 3, 2, atrous_rate=(2, 2), border_mode="same", dim_ordering=ordering)(x)),
        pool()(Activation("tanh")(x)),
        pool()(inputs),
    ]
    return Model(inputs, Dense(3)(merge(branches, mode="concat")))


def separable(ordering: str = "tf") -> Any:
    """As in Xception: convolutions of each channel by itself, with uneven zeros, steps, several filters a channel."""
    axis = -1 if ordering == "tf" else 1
    inputs = Input((12, 11, 19) if ordering == "tf" else (19, 12, 11))
    x = BatchNormalization(axis=axis)(SeparableConvolution2D(17, 3, 4, bias=False, dim_ordering=ordering)(inputs))
    x = Activation("relu")(x)
    y = SeparableConvolution2D(20, 2, 3, border_mode="same", activation="relu", dim_ordering=ordering)(x)
    z = SeparableConvolution2D(9, 3, 3, subsample=(2, 2), depth_multiplier=2, dim_ordering=ordering)(y)
    w = SeparableConvolution2D(9, 7, 9, subsample=(3, 3), border_mode="same", dim_ordering=ordering)(y)
    return Model(inputs, [z, GlobalAveragePooling2D(dim_ordering=ordering)(w)])


def joined(ordering: str = "tf") -> Any:
    """As in Inception and in networks that draw: branches side by side, means, repeated cells, zeros by themselves."""
    axis = -1 if ordering == "tf" else 1
    inputs = Input((9, 12, 3) if ordering == "tf" else (3, 9, 12))
    x = Convolution2D(18, 3, 3, border_mode="same", activation="relu", dim_ordering=ordering)(inputs)
    x = BatchNormalization(axis=axis)(x)  # behind an activation
    pooled = AveragePooling2D((3, 2), strides=(1, 1), border_mode="same", dim_ordering=ordering)(x)
    parts = [
        x,
        pooled,
        ZeroPadding2D((1, 2), dim_ordering=ordering)(MaxPooling2D((3, 5), (1, 1), dim_ordering=ordering)(x)),
    ]
    y = merge(parts, mode="concat", concat_axis=axis)
    y = PReLU("normal", shared_axes=[1, 2] if ordering == "tf" else [2, 3])(y)
    small = AveragePooling2D((3, 4), dim_ordering=ordering)(y)
    large = UpSampling2D((3, 4), dim_ordering=ordering)(LeakyReLU(0.2)(small))
    z = merge([Convolution2D(54, 1, 1, dim_ordering=ordering)(y), large, y], mode="sum")
    z = PReLU("normal")(z)
    flat = [GlobalAveragePooling2D(dim_ordering=ordering)(z), GlobalMaxPooling2D(dim_ordering=ordering)(z)]
    rows = LeakyReLU()(Dense(7)(merge(flat, mode="concat")))
    below = merge([large, z], mode="concat", concat_axis=1 if ordering == "tf" else 2)
    return Model(inputs, [rows, z, below])


def drawn() -> Any:
    """Images from images."""
    x = inputs = Input((8, 8, 2))
    x = MaxPooling2D()(Convolution2D(16, 3, 3, border_mode="same", activation="relu")(x))
    return Model(inputs, Convolution2D(3, 3, 3, border_mode="same", activation="sigmoid")(UpSampling2D()(x)))


def generator(ordering: str = "tf") -> Any:
    """As networks that make images from numbers: rows as images, parts cut out, products of values."""
    shape = (4, 3, 16) if ordering == "tf" else (16, 4, 3)
    rows = Input((10,))
    x = Reshape(shape)(Dense(192, activation="relu")(rows))
    x = UpSampling2D(dim_ordering=ordering)(BatchNormalization(axis=-1 if ordering == "tf" else 1)(x))
    x = Convolution2D(17, 3, 3, border_mode="same", activation="tanh", dim_ordering=ordering)(x)
    y = Cropping2D(((1, 2), (2, 0)), dim_ordering=ordering)(x)
    z = merge([Convolution2D(17, 1, 1, dim_ordering=ordering)(y), y, Cropping2D(((2, 1), (1, 1)), ordering)(x)], "mul")
    z = merge([z, ELU()(y)], mode="max")
    padded = Convolution2D(3, 2, 2, border_mode="same", dim_ordering=ordering)(
        Cropping2D(((0, 1), (1, 1)), ordering)(z)
    )
    flat = Reshape((2, -1))(Reshape((85, 4))(Flatten()(z))) if ordering == "tf" else Flatten()(z)
    return Model(rows, [padded, flat, Reshape(shape)(Dense(192)(rows))])


def volumes() -> Any:
    inputs = Input((6, 7, 5, 2))
    x = MaxPooling3D((2, 2, 2))(Convolution3D(5, 3, 2, 2, border_mode="same", activation="relu")(inputs))
    return Model(inputs, Dense(3)(merge([Flatten()(x), GlobalMaxPooling3D()(x)], mode="concat")))


def mlp() -> Any:
    layers = [Dense(65, input_dim=20, activation="relu"), BatchNormalization(), Activation("tanh")]
    layers += [BatchNormalization(), Activation("relu"), Dense(7)]
    return Sequential([*layers, Activation("sigmoid")])


def shared() -> Any:
    """A network and a layer that are called twice, and views between."""
    tower = Sequential([Dense(8, input_dim=6, activation="relu"), Dense(4)])
    one, two = Input((6,)), Input((6,))
    layer = Dense(5, activation="sigmoid")
    x = merge([layer(tower(one)), layer(tower(two))], mode="sum")
    images = Permute((2, 3, 1))(Reshape((5, 1, 1))(x))
    return Model([one, two], [x, Convolution2D(3, 1, 1)(images), Lambda(lambda t: t * 2)(x)])


NETS: dict[str, Callable[[], Any]] = {
    "lenet": lenet,
    "lenet-th": lambda: lenet("th"),
    "residual": residual,
    "residual-th": lambda: residual("th"),
    "shapes": shapes,
    "shapes-th": lambda: shapes("th"),
    "decoder": decoder,
    "decoder-th": lambda: decoder("th"),
    "sequences": sequences,
    "text": text,
    "largest": largest_of_images,
    "largest-th": lambda: largest_of_images("th"),
    "separable": separable,
    "separable-th": lambda: separable("th"),
    "joined": joined,
    "joined-th": lambda: joined("th"),
    "drawn": drawn,
    "waves": waves,
    "flat waves": lambda: waves(flat=True),
    "words": words,
    "words alone": words_alone,
    "steps": steps,
    "generator": generator,
    "generator-th": lambda: generator("th"),
    "made images": lambda: Sequential([Dense(24, input_dim=5), Reshape((4, 3, 2))]),
    "cut sequences": lambda: Sequential(
        [Cropping1D((1, 2), input_shape=(9, 5)), UpSampling1D(2), TimeDistributed(Dense(4))]
    ),
    "volumes": volumes,
    "gated": lambda: Sequential(
        [Dense(20, input_dim=9), Highway(activation="tanh"), MaxoutDense(18, 3), Highway(bias=False), MaxoutDense(5)]
    ),
    "mlp": mlp,
    "shared": shared,
}


def made(name: str) -> Any:
    """Returns one of the networks, with random running values and biases."""
    model: Any = NETS[name]()
    random = np.random.RandomState(1)
    model.set_weights([w if w.ndim > 1 else random.uniform(0.2, 1.5, w.shape) for w in model.get_weights()])
    return model


def without_dropout(model: Any) -> None:
    """Lets a network drop nothing in training."""
    for layer in model.modules():
        if type(layer).__name__ == "Dropout":
            layer.p = 0.0


def rows_for(model: Any, rows: int) -> Any:
    """Returns random inputs, one array or several."""
    random = np.random.RandomState(2)
    arrays = [
        random.randint(1, 30, (rows, *t.shape[1:]))
        if t.dtype == "int32"
        else random.uniform(-1, 1, (rows, *t.shape[1:]))
        for t in model.inputs
    ]
    arrays = [x.astype(t.dtype) for x, t in zip(arrays, model.inputs, strict=True)]
    return arrays[0] if len(arrays) == 1 else arrays


def plain(model: Any, x: Any) -> list[np.ndarray[Any, Any]]:
    """Returns what the layers compute one after the other."""
    given: list[Tensor] = [torch.from_numpy(array) for array in as_list(x)]
    with in_mode(model, training=False), torch.no_grad():
        return [y.numpy() for y in as_list(model.run(given)[0])]
