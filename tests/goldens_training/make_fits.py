"""Makes fits.json and fits.npz: what fit, evaluate and the verbs on batches of the real Keras 1.2.2 return."""

# mypy: ignore-errors
import json
import os

import numpy as np
import tensorflow as tf
from keras import backend as K
from keras import callbacks as keras_callbacks
from keras import optimizers
from keras.layers import LSTM, Dense, Input, Masking, TimeDistributed
from keras.models import Model, Sequential

HERE = os.path.dirname(os.path.abspath(__file__))
ROWS = 103


def updates_from_old_values():
    """Makes every update of a training step wait for all new values; see README.md."""
    original = K.function
    K.update = lambda variable, value: (variable, value)
    K.update_add = lambda variable, increment: (variable, variable + increment)

    def function(inputs, outputs, updates=(), **kwargs):
        values = [update[1] for update in updates if isinstance(update, tuple)]
        with tf.control_dependencies(values):
            return original(inputs, outputs, updates=list(updates), **kwargs)

    K.function = function


def make_data():
    rng = np.random.RandomState(0)
    labels = rng.randint(0, 4, ROWS)
    weights = rng.rand(ROWS)
    weights[::7] = 0
    sequence = rng.rand(ROWS, 5, 3)
    sequence[::2, 3:] = 0
    data = {
        "x": rng.rand(ROWS, 6),
        "columns": np.eye(4)[labels],
        "labels": labels[:, None],
        "flags": rng.randint(0, 2, (ROWS, 1)),
        "sequence": sequence,
        "steps": rng.rand(ROWS, 5, 2),
        "weights": weights,
        "step_weights": rng.randint(0, 3, (ROWS, 5)),
        "part_x": rng.rand(30, 6),
        "part_columns": np.eye(4)[rng.randint(0, 4, 30)],
        "part_weights": rng.rand(30),
    }
    return {name: array.astype("float32") for name, array in data.items()}


def classifier():
    return Sequential(
        [
            Dense(8, input_dim=6, activation="relu", W_regularizer="l2", name="hidden"),
            Dense(4, activation="softmax", activity_regularizer="activity_l2", name="out"),
        ]
    )


def two_outputs():
    x = Input((6,), name="x")
    hidden = Dense(8, activation="tanh", name="hidden")(x)
    return Model(
        x, [Dense(4, activation="softmax", name="kind")(hidden), Dense(1, activation="sigmoid", name="flag")(hidden)]
    )


def masked_sequence():
    return Sequential(
        [
            Masking(input_shape=(5, 3), name="mask"),
            LSTM(4, return_sequences=True, name="lstm"),
            TimeDistributed(Dense(2), name="steps"),
        ]
    )


# name: model, arguments of compile, of fit (names of arrays stand for them), callbacks
ONE = {"x": "x", "y": "columns"}
CASES = {
    "plain": (classifier, {"metrics": ["accuracy", "mae"]}, ONE, []),
    "sparse": (
        classifier,
        {"loss": "sparse_categorical_crossentropy", "metrics": ["acc"]},
        {"x": "x", "y": "labels"},
        [],
    ),
    "shuffle_batch": (classifier, {}, dict(ONE, shuffle="batch"), []),
    "in_order": (classifier, {}, dict(ONE, shuffle=False), []),
    "split": (classifier, {"metrics": ["accuracy"]}, dict(ONE, validation_split=0.2), []),
    "validation_data": (
        classifier,
        {"metrics": ["accuracy"]},
        dict(ONE, validation_data=["part_x", "part_columns", "part_weights"]),
        [],
    ),
    "class_weight": (classifier, {}, dict(ONE, class_weight=[[0, 1.0], [1, 2.0], [2, 0.5], [3, 0.0]]), []),
    "sample_weight": (classifier, {}, dict(ONE, sample_weight="weights"), []),
    "initial_epoch": (classifier, {}, dict(ONE, initial_epoch=1), []),
    "two_outputs": (
        two_outputs,
        {
            "loss": {"kind": "categorical_crossentropy", "flag": "binary_crossentropy"},
            "loss_weights": {"flag": 0.3},
            "metrics": {"kind": "acc", "flag": ["acc", "mse"]},
        },
        {"x": "x", "y": ["columns", "flags"], "validation_split": 0.1},
        [],
    ),
    "two_outputs_weighted": (
        two_outputs,
        {"loss": ["categorical_crossentropy", "mse"], "loss_weights": [1.0, 2.0], "metrics": ["mae"]},
        {"x": "x", "y": ["columns", "flags"], "sample_weight": ["weights", "weights"]},
        [],
    ),
    "masked": (masked_sequence, {"loss": "mse", "metrics": ["mae"]}, {"x": "sequence", "y": "steps"}, []),
    "temporal": (
        masked_sequence,
        {"loss": "mse", "sample_weight_mode": "temporal"},
        {"x": "sequence", "y": "steps", "sample_weight": "step_weights"},
        [],
    ),
    "early_stopping": (
        classifier,
        {"lr": 1.0},
        dict(ONE, nb_epoch=12, validation_split=0.3),
        [["EarlyStopping", {"patience": 1}]],
    ),
    "early_stopping_max": (
        classifier,
        {"lr": 0.5, "metrics": ["accuracy"]},
        dict(ONE, nb_epoch=12, validation_split=0.3),
        [["EarlyStopping", {"monitor": "val_acc", "min_delta": 0.02, "patience": 2}]],
    ),
    "plateau": (
        classifier,
        {"lr": 0.8},
        dict(ONE, nb_epoch=10, validation_split=0.3),
        [["ReduceLROnPlateau", {"patience": 1, "factor": 0.5, "cooldown": 1, "epsilon": 0.01, "min_lr": 0.1}]],
    ),
}


def given(value, data):
    """Puts arrays in the place of their names."""
    if isinstance(value, list):
        return [given(item, data) for item in value]
    return data.get(value, value) if isinstance(value, str) else value


def numbers(values):
    return [float(value) for value in np.atleast_1d(values)]


def run(build, compile_args, fit_args, callbacks, data):
    model = build()
    rng = np.random.RandomState(1)
    model.set_weights([rng.normal(0, 0.5, w.shape).astype("float32") for w in model.get_weights()])
    start = [w.tolist() for w in model.get_weights()]
    settings = dict(compile_args)
    optimizer = optimizers.SGD(lr=settings.pop("lr", 0.1), momentum=0.9)
    model.compile(optimizer, settings.pop("loss", "categorical_crossentropy"), **settings)
    arguments = {name: given(value, data) for name, value in fit_args.items()}
    if "class_weight" in arguments:
        arguments["class_weight"] = dict(map(tuple, arguments["class_weight"]))
    x, y, weight = arguments.pop("x"), arguments.pop("y"), arguments.get("sample_weight")
    if "validation_data" in arguments:
        arguments["validation_data"] = tuple(arguments["validation_data"])
    np.random.seed(5)  # noqa: NPY002 - what Keras shuffles by
    made = [getattr(keras_callbacks, name)(**kwargs) for name, kwargs in callbacks]
    options = dict({"batch_size": 20, "nb_epoch": 3, "verbose": 0}, **arguments)
    history = model.fit(x, y, callbacks=made, **options)
    first = [part[:9] for part in y] if isinstance(y, list) else y[:9]
    few = [part[:9] for part in weight] if isinstance(weight, list) else weight[:9] if weight is not None else None
    return {
        "definition": json.loads(model.to_json()),
        "compile": compile_args,
        "fit": fit_args,
        "callbacks": callbacks,
        "start": start,
        "epoch": history.epoch,
        "history": {name: numbers(values) for name, values in history.history.items()},
        "metrics_names": model.metrics_names,
        "evaluate": numbers(model.evaluate(x, y, verbose=0, sample_weight=weight)),
        "test_on_batch": numbers(model.test_on_batch(x[:9], first, sample_weight=few)),
        "train_on_batch": numbers(model.train_on_batch(x[:9], first, sample_weight=few)),
        "weights": [w.tolist() for w in model.get_weights()],
        "next_random": float(np.random.rand()),  # noqa: NPY002
    }


def main():
    updates_from_old_values()
    data = make_data()
    np.savez_compressed(os.path.join(HERE, "fits.npz"), **data)
    cases = {}
    for name, case in sorted(CASES.items()):
        K.clear_session()
        cases[name] = run(*case, data=data)
    with open(os.path.join(HERE, "fits.json"), "w") as file:
        json.dump(cases, file, sort_keys=True)


main()
