"""TimeDistributed and Bidirectional."""

from itertools import product

from keras.layers import (
    GRU,
    LSTM,
    Activation,
    AveragePooling1D,
    BatchNormalization,
    Bidirectional,
    Convolution1D,
    Convolution2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAveragePooling2D,
    Highway,
    Input,
    LeakyReLU,
    Masking,
    MaxoutDense,
    MaxPooling2D,
    Permute,
    PReLU,
    RepeatVector,
    Reshape,
    SimpleRNN,
    TimeDistributed,
    UpSampling2D,
    ZeroPadding2D,
)
from keras.models import Model, Sequential
from make_recurrent import CELLS, FEATURES, STEPS, masked
from make_write import Family, words

distributed, bidirectional = Family("time_distributed"), Family("bidirectional")
MODES = ("concat", "sum", "mul", "ave")

# TimeDistributed: name, input shape, inner layer
INNER = [
    ("dense", (4, 5), lambda: Dense(3)),
    ("dense_softmax", (4, 5), lambda: Dense(3, activation="softmax")),
    ("dense_no_bias", (4, 5), lambda: Dense(3, bias=False)),
    ("dense_of_matrices", (3, 4, 5), lambda: Dense(3)),
    ("dense_open", (None, 5), lambda: Dense(3)),
    ("activation", (4, 5), lambda: Activation("tanh")),
    ("dropout", (4, 5), lambda: Dropout(0.5)),
    ("flatten", (3, 2, 4), Flatten),
    ("reshape", (3, 8), lambda: Reshape((4, -1))),
    ("permute", (3, 2, 4), lambda: Permute((2, 1))),
    ("repeat_vector", (3, 4), lambda: RepeatVector(2)),
    ("highway", (4, 5), lambda: Highway(activation="tanh")),
    ("maxout", (4, 5), lambda: MaxoutDense(3)),
    ("normalization", (4, 5), BatchNormalization),
    ("normalization_mode1", (4, 5), lambda: BatchNormalization(mode=1)),
    ("normalization_image", (3, 2, 2, 4), lambda: BatchNormalization(axis=1)),
    ("leaky_relu", (4, 5), LeakyReLU),
    ("prelu", (4, 5), PReLU),
    ("convolution_1d", (3, 6, 2), lambda: Convolution1D(3, 3)),
    ("pooling_1d", (3, 6, 2), AveragePooling1D),
    ("lstm", (3, 4, 2), lambda: LSTM(3)),
    ("gru_sequences", (3, 4, 2), lambda: GRU(3, return_sequences=True)),
    ("bidirectional", (3, 4, 2), lambda: Bidirectional(LSTM(2), merge_mode="sum")),
    ("time_distributed", (2, 3, 4), lambda: TimeDistributed(Dense(2))),
    ("sequential", (3, 5), lambda: Sequential([Dense(4, input_dim=5, activation="tanh"), Dense(2)])),
    ("model", (3, 5), lambda: two_layer_model()),
]
IMAGES = [
    ("convolution_2d", lambda: Convolution2D(2, 2, 3, activation="relu")),
    ("convolution_2d_same", lambda: Convolution2D(2, 3, 3, border_mode="same", subsample=(2, 2))),
    ("max_pooling_2d", MaxPooling2D),
    ("global_pooling_2d", GlobalAveragePooling2D),
    ("upsampling_2d", UpSampling2D),
    ("zero_padding_2d", ZeroPadding2D),
]


def two_layer_model():
    """A functional model of vectors."""
    x = Input((5,))
    return Model(x, Dense(2)(Dense(4, activation="relu")(x)))


for name, shape, inner in INNER:
    distributed.stack(name, shape, lambda inner=inner: [TimeDistributed(inner())])
for name in ("dense", "activation", "flatten", "normalization", "convolution_1d", "lstm", "sequential"):
    shape, inner = next((s, i) for n, s, i in INNER if n == name)
    distributed.stack(name + "_fixed_batch", shape, lambda inner=inner: [TimeDistributed(inner())], batch=3)
for name, inner in IMAGES:
    for ordering, shape in (("tf", (3, 4, 5, 2)), ("th", (3, 2, 4, 5))):
        distributed.stack(
            f"{name}_{ordering}", shape, lambda inner=inner: [TimeDistributed(inner())], ordering=ordering
        )
distributed.model("input_shape", lambda: Sequential([TimeDistributed(Dense(3), input_shape=(4, 5))]))
distributed.stack("frozen_inner", (4, 5), lambda: [TimeDistributed(Dense(3, trainable=False))])
distributed.stack("frozen", (4, 5), lambda: [TimeDistributed(Dense(3), trainable=False)])
distributed.stack("penalties", (4, 5), lambda: [TimeDistributed(Dense(3, W_regularizer="l2", W_constraint="nonneg"))])
distributed.stack(
    "masked_dense_lstm",
    (STEPS, FEATURES),
    lambda: [Masking(), TimeDistributed(Dense(4, activation="tanh")), LSTM(3)],
    inputs=masked,
)
distributed.stack(
    "lstm_dense_softmax",
    (STEPS, FEATURES),
    lambda: [LSTM(4, return_sequences=True), TimeDistributed(Dense(3)), Activation("softmax")],
)
distributed.stack(
    "frames",
    (3, 5, 5, 2),
    lambda: [
        TimeDistributed(Convolution2D(3, 2, 2)),
        TimeDistributed(MaxPooling2D()),
        TimeDistributed(Flatten()),
        TimeDistributed(Dense(4, activation="relu")),
        LSTM(3),
        Dense(2, activation="softmax"),
    ],
)


def distributed_embedding():
    """Sentences of words: whole numbers, one embedding for all sentences."""
    x = Input((2, 3), dtype="int32")
    return Model(x, TimeDistributed(Embedding(6, 4, input_length=3))(x))


distributed.model("embedding", distributed_embedding)

# Bidirectional
for (cell, cls), mode, sequences in product(CELLS.items(), MODES, (False, True)):
    if mode != "concat" and cls is not LSTM:
        continue  # merging knows nothing of the cell
    kind = "sequences" if sequences else "last"
    name = f"{cell}_{mode}_{kind}"
    bidirectional.stack(
        name,
        (STEPS, FEATURES),
        lambda cls=cls, mode=mode, sequences=sequences: [
            Bidirectional(cls(3, return_sequences=sequences), merge_mode=mode)
        ],
    )
for (cell, cls), sequences in product(CELLS.items(), (False, True)):
    kind = "sequences" if sequences else "last"
    bidirectional.stack(
        f"{cell}_masked_{kind}",
        (STEPS, FEATURES),
        lambda cls=cls, sequences=sequences: [Masking(), Bidirectional(cls(3, return_sequences=sequences))],
        inputs=masked,
    )
for cls, consume in product((LSTM, GRU), ("mem", "gpu")):
    bidirectional.stack(
        f"{cls.__name__.lower()}_{consume}",
        (STEPS, FEATURES),
        lambda cls=cls, consume=consume: [Bidirectional(cls(3, consume_less=consume, return_sequences=True))],
    )
for name, options in [
    ("backwards_inner", {"go_backwards": True, "return_sequences": True}),
    ("unroll", {"unroll": True}),
    ("activations", {"activation": "relu", "inner_activation": "sigmoid"}),
    ("dropout", {"dropout_W": 0.2, "dropout_U": 0.3}),
]:
    bidirectional.stack("lstm_" + name, (STEPS, FEATURES), lambda options=options: [Bidirectional(LSTM(3, **options))])
bidirectional.stack(
    "lstm_stateful", (4, FEATURES), lambda: [Bidirectional(LSTM(3, stateful=True, return_sequences=True))], batch=2
)
bidirectional.stack(
    "gru_stateful_masked",
    (STEPS, FEATURES),
    lambda: [Masking(), Bidirectional(GRU(3, stateful=True, return_sequences=True), merge_mode="sum")],
    batch=5,
    inputs=masked,
)
bidirectional.stack("gru_fixed_batch", (4, FEATURES), lambda: [Bidirectional(GRU(3))], batch=2)
bidirectional.stack("open_time", (None, FEATURES), lambda: [Bidirectional(GRU(3, return_sequences=True))])
bidirectional.stack("named_inner", (4, FEATURES), lambda: [Bidirectional(LSTM(3, name="inner"), name="outer")])
bidirectional.model("input_shape", lambda: Sequential([Bidirectional(SimpleRNN(3), input_shape=(4, FEATURES))]))
bidirectional.stack(
    "masked_two_layers",
    (STEPS, FEATURES),
    lambda: [
        Masking(),
        Bidirectional(LSTM(3, return_sequences=True)),
        Bidirectional(GRU(2), merge_mode="ave"),
        Dense(2),
    ],
    inputs=masked,
)


def embedded():
    """Words with a mask, read both ways."""
    x = Input((STEPS,), dtype="int32")
    y = Bidirectional(LSTM(3, return_sequences=True))(Embedding(6, 4, mask_zero=True)(x))
    return Model(x, TimeDistributed(Dense(2, activation="softmax"))(y))


bidirectional.model("embedding_mask", embedded, inputs=lambda rng: [words(rng, STEPS)])


def unmerged():
    """Merge mode None: two outputs."""
    x = Input((STEPS, FEATURES))
    return Model(x, Bidirectional(LSTM(3, return_sequences=True), merge_mode=None)(x))


bidirectional.model("unmerged", unmerged)

FAMILIES = [distributed, bidirectional]
