"""Makes the traces of models of many kinds, and models.json: twenty steps as the real Keras 1.2.2 computes them."""

# mypy: ignore-errors
import json
import os

import numpy as np
from keras import backend as K
from keras import optimizers
from keras.layers import (
    GRU,
    LSTM,
    Activation,
    AveragePooling2D,
    BatchNormalization,
    Bidirectional,
    Convolution1D,
    Convolution2D,
    Dense,
    Embedding,
    Flatten,
    GlobalAveragePooling2D,
    Highway,
    Input,
    Masking,
    MaxoutDense,
    MaxPooling2D,
    PReLU,
    SimpleRNN,
    SReLU,
    TimeDistributed,
    merge,
)
from keras.models import Model, Sequential
from keras.regularizers import WeightRegularizer, l2
from make_traces import updates_at_once

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = 20
BATCHES = 4


def conv(ordering):
    shape = (7, 7, 3) if ordering == "tf" else (3, 7, 7)
    return Sequential(
        [
            Convolution2D(
                4, 3, 3, input_shape=shape, border_mode="same", dim_ordering=ordering, W_regularizer=l2(0.01)
            ),
            BatchNormalization(axis=-1 if ordering == "tf" else 1, momentum=0.8),
            Activation("relu"),
            MaxPooling2D((2, 2), dim_ordering=ordering),
            Convolution2D(5, 2, 2, subsample=(2, 2), border_mode="same", bias=False, dim_ordering=ordering),
            AveragePooling2D((2, 2), strides=(1, 1), border_mode="same", dim_ordering=ordering),
            Flatten(),
            Dense(3, activation="softmax"),
        ]
    )


def residual():
    x = Input((6, 6, 2))
    # No bias: its gradient would be 0 but for rounding, which Adam would make large.
    y = Convolution2D(4, 3, 3, border_mode="same", dim_ordering="tf", bias=False, name="first")(x)
    y = BatchNormalization(momentum=0.7, gamma_regularizer=l2(0.1), name="norm")(y)
    z = Convolution2D(4, 3, 3, border_mode="same", dim_ordering="tf", activation="tanh", name="second")(y)
    y = Activation("relu")(merge([y, z], mode="sum"))
    pooled = GlobalAveragePooling2D(dim_ordering="tf")(y)
    return Model(x, [Dense(3, activation="softmax", name="label")(pooled), Dense(1, name="value")(pooled)])


def words(layer):
    return Sequential(
        [
            Embedding(7, 4, input_length=5, mask_zero=True, W_regularizer=l2(0.01)),
            layer,
            Dense(3, activation="softmax"),
        ]
    )


def tagger():
    return Sequential(
        [
            Masking(input_shape=(5, 3)),
            Bidirectional(GRU(4, return_sequences=True)),
            SimpleRNN(4, return_sequences=True, W_regularizer=l2(0.02), U_regularizer=l2(0.03)),
            TimeDistributed(Dense(2, activation="softmax")),
        ]
    )


def siamese():
    a, b = Input((4,)), Input((4,))
    shared = Sequential(
        [
            Dense(5, input_shape=(4,), W_regularizer=WeightRegularizer(l1=0.01)),
            PReLU(),
            BatchNormalization(mode=1),
            MaxoutDense(3, nb_feature=2),
        ]
    )
    both = merge([shared(a), shared(b)], mode="concat")
    return Model([a, b], Dense(1, activation="sigmoid")(Highway(activation="tanh")(both)))


def steps():
    return Sequential(
        [
            Convolution1D(4, 3, input_shape=(6, 3), border_mode="same", subsample_length=2),
            SReLU(),
            LSTM(4, activation="tanh", consume_less="gpu", return_sequences=True),
            LSTM(3, go_backwards=True, consume_less="mem"),
        ]
    )


def one_hot(rng, *shape):
    return np.eye(shape[-1], dtype="float32")[rng.randint(0, shape[-1], shape[:-1])]


def normal(rng, *shape):
    return rng.normal(0, 1, shape).astype("float32")


def ending(rng, *shape):
    """Sequences of different lengths, zeros after their ends."""
    x = normal(rng, *shape)
    for row, length in zip(x, rng.randint(1, shape[1] + 1, shape[0])):
        row[length:] = 0
    return x


def word_rows(rng):
    return [rng.randint(1, 7, (6, 5)) * (np.arange(5) >= rng.randint(0, 4, (6, 1)))]


# Name: model, compile arguments, inputs, targets, sample weights.
CASES = {
    "conv_tf": (
        lambda: conv("tf"),
        {"optimizer": ["SGD", {"lr": 0.1, "momentum": 0.9}], "loss": "categorical_crossentropy"},
        lambda rng: [normal(rng, 6, 7, 7, 3)],
        lambda rng: [one_hot(rng, 6, 3)],
        lambda rng: [np.ones(6)],
    ),
    "conv_th": (
        lambda: conv("th"),
        {"optimizer": ["Adadelta", {}], "loss": "categorical_crossentropy"},
        lambda rng: [normal(rng, 6, 3, 7, 7)],
        lambda rng: [one_hot(rng, 6, 3)],
        lambda rng: [rng.uniform(0.5, 2, 6)],
    ),
    "two_outputs": (
        residual,
        {
            "optimizer": ["Adam", {"lr": 0.01}],
            "loss": ["categorical_crossentropy", "mse"],
            "loss_weights": [1.0, 0.3],
        },
        lambda rng: [normal(rng, 6, 6, 6, 2)],
        lambda rng: [one_hot(rng, 6, 3), normal(rng, 6, 1)],
        lambda rng: [rng.uniform(0.5, 2, 6), (rng.uniform(size=6) < 0.6) * 1.0],
    ),
    "words_lstm": (
        lambda: words(LSTM(4, W_regularizer=l2(0.01), b_regularizer=l2(0.02))),
        {"optimizer": ["RMSprop", {"lr": 0.01}], "loss": "sparse_categorical_crossentropy"},
        word_rows,
        lambda rng: [rng.randint(0, 3, (6, 1))],
        lambda rng: [np.ones(6)],
    ),
    "words_gru": (
        lambda: words(GRU(4, consume_less="gpu")),
        {"optimizer": ["Nadam", {"lr": 0.01}], "loss": "categorical_crossentropy"},
        word_rows,
        lambda rng: [one_hot(rng, 6, 3)],
        lambda rng: [np.ones(6)],
    ),
    "tagger": (
        tagger,
        {
            "optimizer": ["Adamax", {"lr": 0.01, "decay": 0.01}],
            "loss": "categorical_crossentropy",
            "sample_weight_mode": "temporal",
        },
        lambda rng: [ending(rng, 6, 5, 3)],
        lambda rng: [one_hot(rng, 6, 5, 2)],
        lambda rng: [rng.uniform(0.5, 2, (6, 5)) * (rng.uniform(size=(6, 5)) < 0.8)],
    ),
    "siamese": (
        siamese,
        {"optimizer": ["Adagrad", {"lr": 0.05}], "loss": "binary_crossentropy"},
        lambda rng: [normal(rng, 6, 4), normal(rng, 6, 4)],
        lambda rng: [rng.randint(0, 2, (6, 1)).astype("float32")],
        lambda rng: [np.ones(6)],
    ),
    "steps": (
        steps,
        {"optimizer": ["SGD", {"lr": 0.1, "nesterov": True, "momentum": 0.5, "clipnorm": 0.5}], "loss": "mae"},
        lambda rng: [normal(rng, 6, 6, 3)],
        lambda rng: [normal(rng, 6, 3)],
        lambda rng: [np.ones(6)],
    ),
}


def start(rng, variable):
    shape = K.get_variable_shape(variable)
    return rng.uniform(0.5, 1.5, shape) if "running_std" in variable.name else rng.normal(0, 0.4, shape)


def trace(name):
    build, compiled, inputs, targets, weights = CASES[name]
    K.clear_session()
    store = updates_at_once()
    model = build()
    rng = np.random.RandomState(0)
    for variable in model.weights:
        K.set_value(variable, start(rng, variable))
    optimizer = getattr(optimizers, compiled["optimizer"][0])(**compiled["optimizer"][1])
    model.compile(optimizer, **{key: value for key, value in compiled.items() if key != "optimizer"})
    inner = getattr(model, "model", model)
    updates = optimizer.get_updates(inner._collected_trainable_weights, inner.constraints, inner.total_loss)
    for pair in [u for u in updates if isinstance(u, tuple)]:
        if pair[0] is getattr(optimizer, "m_schedule", None):
            K.update(*pair)
    placeholders = inner.inputs + inner.targets + inner.sample_weights
    compute = K.function(
        [*placeholders, K.learning_phase()], [inner.total_loss], updates=store(inner.total_loss) + inner.updates
    )
    batches = [(inputs(rng), targets(rng), weights(rng)) for _ in range(BATCHES)]
    found, losses = [model.get_weights()], []
    for step in range(STEPS):
        x, y, w = batches[step % BATCHES]
        losses.append(compute([*x, *y, *w, 1])[0])
        found.append(model.get_weights())
    arrays = {"losses": np.array(losses)}
    arrays.update((f"w{i}", np.stack(kept)) for i, kept in enumerate(zip(*found)))
    for key, place in (("x", 0), ("t", 1), ("v", 2)):
        for i in range(len(batches[0][place])):
            arrays[f"{key}{i}"] = np.stack([batch[place][i] for batch in batches]).astype("float32")
    np.savez_compressed(os.path.join(HERE, "models", name + ".npz"), **arrays)
    described = {key: value for key, value in compiled.items() if key != "optimizer"}
    described["optimizer"] = {"class_name": compiled["optimizer"][0], "config": optimizer.get_config()}
    return {"definition": json.loads(model.to_json()), "compile": described}


if __name__ == "__main__":
    if not os.path.isdir(os.path.join(HERE, "models")):
        os.mkdir(os.path.join(HERE, "models"))
    with open(os.path.join(HERE, "models.json"), "w") as file:
        json.dump({name: trace(name) for name in sorted(CASES)}, file, indent=1, sort_keys=True)
