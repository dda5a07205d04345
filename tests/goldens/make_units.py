"""BatchNormalization, Embedding and the advanced activations."""

from itertools import product

from keras.layers import (
    ELU,
    GRU,
    LSTM,
    BatchNormalization,
    Convolution1D,
    Convolution2D,
    Dense,
    Embedding,
    Flatten,
    GlobalAveragePooling1D,
    Input,
    LeakyReLU,
    ParametricSoftplus,
    PReLU,
    SReLU,
    ThresholdedReLU,
)
from keras.models import Model
from make_write import Family, words

normalization, embedding, advanced = Family("normalization"), Family("embedding"), Family("advanced")
SHAPES = {2: (5,), 3: (4, 3), 4: (3, 4, 2), 5: (2, 3, 2, 3)}

# BatchNormalization
for rank, shape in SHAPES.items():
    for mode, axis in product((0, 2), range(1, rank)):
        name = f"mode{mode}_{rank}d_axis{axis}"
        normalization.layer(name, BatchNormalization, mode=mode, axis=axis, shape=shape)
    for mode in (0, 1, 2):
        normalization.layer(f"mode{mode}_{rank}d_last", BatchNormalization, mode=mode, shape=shape)
for mode in (0, 1, 2):
    normalization.layer(f"mode{mode}_epsilon", BatchNormalization, mode=mode, epsilon=0.3, momentum=0.7, shape=(5,))
    normalization.stack(
        f"mode{mode}_between",
        (5,),
        lambda mode=mode: [Dense(4), BatchNormalization(mode=mode), Dense(3, activation="tanh")],
    )
normalization.layer("axis_minus_2", BatchNormalization, axis=-2, shape=(4, 3))
normalization.layer("open_time", BatchNormalization, shape=(None, 3))
normalization.layer("open_image", BatchNormalization, axis=1, shape=(2, None, None), ordering="th")
normalization.layer("frozen", BatchNormalization, trainable=False, shape=(5,))
normalization.layer("penalties", BatchNormalization, gamma_regularizer="l2", beta_regularizer="l1", shape=(5,))
normalization.layer("inits", BatchNormalization, beta_init="one", gamma_init="uniform", shape=(5,))
normalization.stack(
    "image_tf", (5, 5, 2), lambda: [Convolution2D(3, 2, 2), BatchNormalization(), LeakyReLU(), Flatten(), Dense(2)]
)
normalization.stack(
    "image_th",
    (2, 5, 5),
    lambda: [Convolution2D(3, 2, 2), BatchNormalization(axis=1), ELU(), Flatten(), Dense(2)],
    ordering="th",
)


# Embedding
def masked_words(rng):
    """Five padded sequences of six words."""
    return [words(rng, 6)]


embedding.layer("plain", Embedding, 6, 3)
embedding.layer("input_length", Embedding, 6, 3, input_length=4)
embedding.layer("dropout", Embedding, 6, 3, dropout=0.4, input_length=4)
embedding.layer("mask_zero_alone", Embedding, 6, 3, mask_zero=True, inputs=masked_words)
embedding.layer("penalties", Embedding, 6, 3, W_regularizer="l2", W_constraint="unitnorm", init="normal")
embedding.layer("batch_input_shape", Embedding, 6, 3, input_length=4, batch_input_shape=(4, 4))
embedding.model("flatten_dense", lambda: stacked(Embedding(6, 3, input_length=4), Flatten(), Dense(2)))
embedding.model("conv", lambda: stacked(Embedding(6, 3, input_length=7), Convolution1D(4, 3), GlobalAveragePooling1D()))
for layer in (LSTM, GRU):
    for sequences, length in product((False, True), (None, 6)):
        kind = "sequences" if sequences else "last"
        embedding.model(
            f"mask_{layer.__name__.lower()}_{kind}_{length or 'open'}",
            lambda layer=layer, sequences=sequences, length=length: stacked(
                Embedding(6, 3, mask_zero=True, input_length=length), layer(4, return_sequences=sequences)
            ),
            inputs=masked_words,
        )


def stacked(first, *rest):
    """A functional model of one column, for layers that bring their own input shape."""
    x = Input((first.input_length,), dtype="int32")
    y = first(x)
    for layer in rest:
        y = layer(y)
    return Model(x, y)


def float_words():
    """Whole numbers that arrive as floats are cast."""
    x = Input((4,))
    return Model(x, Embedding(6, 3)(x))


embedding.model("float_input", float_words, inputs=lambda rng: [rng.uniform(0, 5.9, (4, 4)).astype("float32")])

# Advanced activations
for rank, shape in SHAPES.items():
    advanced.layer(f"leaky_relu_{rank}d", LeakyReLU, shape=shape)
    advanced.layer(f"prelu_{rank}d", PReLU, shape=shape)
    advanced.layer(f"parametric_softplus_{rank}d", ParametricSoftplus, shape=shape)
    advanced.layer(f"srelu_{rank}d", SReLU, shape=shape)
for alpha in (0.0, 0.1, 1.5):
    advanced.layer(f"leaky_relu_{alpha}", LeakyReLU, alpha, shape=(5,))
for alpha in (1.0, 0.5, 2.0):
    advanced.layer(f"elu_{alpha}", ELU, alpha, shape=(5,))
for theta in (1.0, 0.0, 0.3):
    advanced.layer(f"thresholded_relu_{theta}", ThresholdedReLU, theta, shape=(3, 4))
advanced.layer("elu_4d", ELU, shape=(3, 4, 2))
advanced.layer("parametric_softplus_inits", ParametricSoftplus, alpha_init=0.5, beta_init=2.0, shape=(5,))
advanced.layer("srelu_inits", SReLU, t_left_init="normal", a_right_init="uniform", shape=(5,))
advanced.layer("prelu_init", PReLU, init="one", shape=(5,))
SHARED = "shared_axes is not in the JSON"
for cls, axes in product((PReLU, ParametricSoftplus, SReLU), [[1], [2], [1, 2]]):
    name = f"{cls.__name__.lower()}_shared_{''.join(map(str, axes))}"
    advanced.layer(name, cls, shared_axes=axes, shape=(3, 4, 2), live=SHARED)
for ordering, shape, axes in (("tf", (5, 4, 2), [1, 2]), ("th", (2, 5, 4), [2, 3])):
    advanced.stack(
        "prelu_shared_conv_" + ordering,
        shape,
        lambda axes=axes: [Convolution2D(3, 2, 2), PReLU(shared_axes=axes), Flatten(), Dense(2)],
        ordering=ordering,
        live=SHARED,
    )

FAMILIES = [normalization, embedding, advanced]
