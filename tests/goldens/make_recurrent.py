"""SimpleRNN, GRU, LSTM and ConvLSTM2D."""

from itertools import product

from keras.layers import (
    GRU,
    LSTM,
    Activation,
    ActivityRegularization,
    BatchNormalization,
    ConvLSTM2D,
    Dense,
    Dropout,
    GaussianNoise,
    LeakyReLU,
    Masking,
    PReLU,
    SimpleRNN,
    SpatialDropout1D,
    TimeDistributedDense,
)
from make_write import Family, floats, sequences

recurrent, convlstm = Family("recurrent"), Family("convlstm")
CELLS = {"simple_rnn": SimpleRNN, "gru": GRU, "lstm": LSTM}
STEPS, FEATURES, UNITS = 6, 3, 4

VARIANTS = {
    "plain": {},
    "sequences": {"return_sequences": True},
    "backwards": {"go_backwards": True},
    "backwards_sequences": {"go_backwards": True, "return_sequences": True},
    "unroll": {"unroll": True},
    "unroll_sequences": {"unroll": True, "return_sequences": True},
    "unroll_backwards_sequences": {"unroll": True, "go_backwards": True, "return_sequences": True},
    "mem": {"consume_less": "mem"},
    "mem_sequences": {"consume_less": "mem", "return_sequences": True},
    "gpu": {"consume_less": "gpu"},
    "gpu_backwards_sequences": {"consume_less": "gpu", "go_backwards": True, "return_sequences": True},
    "mem_unroll": {"consume_less": "mem", "unroll": True},
    "gpu_unroll": {"consume_less": "gpu", "unroll": True},
}
MASKED = ("plain", "sequences", "backwards", "backwards_sequences", "unroll", "unroll_sequences", "mem", "gpu")
STATEFUL = {
    "plain": {},
    "sequences": {"return_sequences": True},
    "backwards_sequences": {"go_backwards": True, "return_sequences": True},
    "unroll_sequences": {"unroll": True, "return_sequences": True},
    "gpu": {"consume_less": "gpu"},
}


def masked(rng):
    """Sequences with steps of zeros at the end, the start, in the middle, and altogether."""
    return [sequences(rng, STEPS, FEATURES)]


def marked(rng):
    """The same with -1 for zero."""
    return [sequences(rng, STEPS, FEATURES, -1.0)]


for cell, cls in CELLS.items():
    for variant, options in VARIANTS.items():
        if cls is SimpleRNN and variant not in ("gpu", "mem") and "consume_less" in options:
            continue  # it has one layout only
        recurrent.layer(f"{cell}_{variant}", cls, UNITS, shape=(STEPS, FEATURES), **options)
        if variant in MASKED:
            recurrent.stack(
                f"{cell}_masked_{variant}",
                (STEPS, FEATURES),
                lambda cls=cls, options=options: [Masking(), cls(UNITS, **options)],
                inputs=masked,
            )
    for variant, options in STATEFUL.items():
        recurrent.layer(
            f"{cell}_stateful_{variant}", cls, UNITS, batch_input_shape=(2, STEPS, FEATURES), stateful=True, **options
        )
        recurrent.stack(
            f"{cell}_stateful_masked_{variant}",
            (STEPS, FEATURES),
            lambda cls=cls, options=options: [Masking(), cls(UNITS, stateful=True, **options)],
            batch=5,
            inputs=masked,
        )
    recurrent.stack(
        f"{cell}_stateful_two_layers",
        (STEPS, FEATURES),
        lambda cls=cls: [cls(3, stateful=True, return_sequences=True), cls(2, stateful=True), Dense(2)],
        batch=3,
    )
    recurrent.stack(
        f"{cell}_masked_two_layers",
        (STEPS, FEATURES),
        lambda cls=cls: [Masking(-1.0), cls(3, return_sequences=True), cls(2, go_backwards=True), Dense(2)],
        inputs=marked,
    )
    recurrent.layer(f"{cell}_dropout", cls, UNITS, dropout_W=0.3, dropout_U=0.2, shape=(STEPS, FEATURES))
    recurrent.layer(
        f"{cell}_dropout_gpu", cls, UNITS, dropout_W=0.3, dropout_U=0.2, consume_less="gpu", shape=(STEPS, FEATURES)
    )
    recurrent.layer(f"{cell}_input_dim", cls, UNITS, input_dim=FEATURES)
    recurrent.layer(f"{cell}_input_dim_length", cls, UNITS, input_dim=FEATURES, input_length=STEPS)
    recurrent.layer(f"{cell}_one_step", cls, UNITS, shape=(1, FEATURES))
    recurrent.layer(f"{cell}_one_unit", cls, 1, return_sequences=True, shape=(STEPS, 1))
    recurrent.layer(f"{cell}_fixed_batch", cls, UNITS, batch_input_shape=(3, STEPS, FEATURES))
    recurrent.layer(
        f"{cell}_penalties", cls, UNITS, W_regularizer="l2", U_regularizer="l1", b_regularizer="l2", shape=(4, 2)
    )
    for activation in ("relu", "linear", "sigmoid", "softsign"):
        recurrent.layer(f"{cell}_{activation}", cls, UNITS, activation=activation, shape=(3, FEATURES))
    if cls is not SimpleRNN:
        for activation, consume in product(("sigmoid", "tanh", "linear"), ("cpu", "gpu")):
            recurrent.layer(
                f"{cell}_inner_{activation}_{consume}",
                cls,
                UNITS,
                inner_activation=activation,
                consume_less=consume,
                return_sequences=True,
                shape=(3, FEATURES),
            )
recurrent.stack(
    "mask_passes_through",
    (STEPS, FEATURES),
    lambda: [
        Masking(),
        Activation("tanh"),
        Dropout(0.5),
        GaussianNoise(0.1),
        BatchNormalization(),
        LeakyReLU(),
        PReLU(),
        ActivityRegularization(l2=0.1),
        TimeDistributedDense(4),
        SpatialDropout1D(0.2),
        LSTM(3, return_sequences=True),
    ],
    inputs=masked,
)
recurrent.layer("lstm_forget_bias_zero", LSTM, UNITS, forget_bias_init="zero", init="he_normal", shape=(4, 2))
recurrent.layer("lstm_long", LSTM, UNITS, shape=(40, FEATURES), inputs=lambda rng: [floats(rng, (2, 40, FEATURES))])

# ConvLSTM2D; its th is (time, channels, rows, cols)
FRAMES = {"tf": (3, 4, 3, 2), "th": (3, 2, 4, 3)}
CONV_VARIANTS = {
    "plain": {},
    "sequences": {"return_sequences": True},
    "backwards_sequences": {"go_backwards": True, "return_sequences": True},
    "same": {"border_mode": "same"},
    "same_sequences": {"border_mode": "same", "return_sequences": True},
    "activations": {"activation": "relu", "inner_activation": "sigmoid", "border_mode": "same"},
    "dropout": {"dropout_W": 0.3, "dropout_U": 0.2, "W_regularizer": "l2"},
}
for ordering, frames in FRAMES.items():
    for variant, options in CONV_VARIANTS.items():
        convlstm.layer(f"{variant}_{ordering}", ConvLSTM2D, 2, 2, 2, shape=frames, ordering=ordering, **options)
    convlstm.layer(f"kernel_31_{ordering}", ConvLSTM2D, 2, 3, 1, border_mode="same", shape=frames, ordering=ordering)
    for variant in ("same", "same_sequences"):
        convlstm.layer(
            f"stateful_{variant}_{ordering}",
            ConvLSTM2D,
            2,
            2,
            2,
            batch_input_shape=(2, *frames),
            stateful=True,
            ordering=ordering,
            **CONV_VARIANTS[variant],
        )
    convlstm.stack(
        f"two_layers_{ordering}",
        frames,
        lambda: [ConvLSTM2D(2, 2, 2, border_mode="same", return_sequences=True), ConvLSTM2D(2, 2, 2)],
        ordering=ordering,
    )
    convlstm.layer(
        f"subsample_{ordering}",
        ConvLSTM2D,
        2,
        2,
        2,
        border_mode="same",
        subsample=(2, 2),
        shape=frames,
        ordering=ordering,
        lost="subsample",
    )

FAMILIES = [recurrent, convlstm]
