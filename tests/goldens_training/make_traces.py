"""Makes the traces and penalties: training steps and regularization as the real Keras 1.2.2 computes them."""

# mypy: ignore-errors
import json
import os

import numpy as np
import tensorflow as tf
from keras import backend as K
from keras import optimizers
from keras.constraints import maxnorm, nonneg, unitnorm
from keras.layers import (
    ActivityRegularization,
    BatchNormalization,
    Bidirectional,
    Dense,
    Input,
    SimpleRNN,
    TimeDistributed,
    merge,
)
from keras.models import Model, Sequential, model_from_json
from keras.regularizers import activity_l2, l1l2, l2

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS = 25

OPTIMIZERS = {
    "sgd": ("SGD", {}),
    "sgd_momentum": ("SGD", {"lr": 0.1, "momentum": 0.9}),
    "sgd_nesterov_decay": ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "decay": 0.05}),
    "sgd_clipnorm": ("SGD", {"lr": 0.1, "momentum": 0.5, "clipnorm": 0.3}),
    "sgd_clipvalue": ("SGD", {"lr": 0.1, "clipvalue": 0.05}),
    "sgd_clipnorm_clipvalue": ("SGD", {"lr": 0.1, "clipnorm": 0.5, "clipvalue": 0.1}),
    "rmsprop": ("RMSprop", {}),
    "rmsprop_decay": ("RMSprop", {"lr": 0.01, "rho": 0.8, "epsilon": 1e-4, "decay": 0.1}),
    "adagrad": ("Adagrad", {}),
    "adagrad_decay": ("Adagrad", {"lr": 0.05, "epsilon": 1e-3, "decay": 0.1}),
    "adadelta": ("Adadelta", {}),
    "adadelta_decay": ("Adadelta", {"lr": 0.5, "rho": 0.9, "epsilon": 1e-6, "decay": 0.1}),
    "adam": ("Adam", {}),
    "adam_decay": ("Adam", {"lr": 0.02, "beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-4, "decay": 0.1}),
    "adam_clipnorm": ("Adam", {"lr": 0.01, "clipnorm": 0.2}),
    "adamax": ("Adamax", {}),
    "adamax_decay": ("Adamax", {"lr": 0.02, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-4, "decay": 0.1}),
    "nadam": ("Nadam", {}),
    "nadam_schedule": ("Nadam", {"lr": 0.01, "beta_1": 0.8, "beta_2": 0.9, "schedule_decay": 0.1}),
}


def updates_at_once():
    """Makes K.update collect (variable, new value).

    Returns a function that gives the operations which store the new values, once all of them and the loss are known.
    """
    pending = []

    def update(x, new_x):
        pending.append((x, new_x))
        return x, new_x

    def store(loss):
        with tf.control_dependencies([loss] + [new_x for _, new_x in pending]):
            operations = [tf.assign(x, tf.identity(new_x)) for x, new_x in pending]
        del pending[:]
        return operations

    K.update = update
    K.update_add = lambda x, increment: update(x, x + increment)
    return store


def plain_model():
    # The names are not in the order in which Keras sorts its weights.
    return Sequential(
        [
            Dense(5, activation="tanh", input_shape=(4,), name="layer_2"),
            Dense(4, activation="tanh", name="layer_10"),
            Dense(3, activation="softmax", name="a"),
        ]
    )


def regularized_model():
    return Sequential(
        [
            Dense(
                5,
                activation="tanh",
                input_shape=(4,),
                name="first",
                W_regularizer=l1l2(0.01, 0.02),
                b_regularizer=l2(0.1),
            ),
            Dense(4, activation="tanh", name="second", activity_regularizer=activity_l2(0.001)),
            Dense(3, activation="softmax", name="third", W_regularizer=l2(0.05)),
        ]
    )


def constrained_model():
    return Sequential(
        [
            Dense(5, activation="tanh", input_shape=(4,), name="first", W_constraint=maxnorm(0.7)),
            Dense(4, activation="tanh", name="second", W_constraint=unitnorm(), b_constraint=nonneg()),
            Dense(3, activation="softmax", name="third", W_constraint=nonneg()),
        ]
    )


def batches():
    rng = np.random.RandomState(1)
    x = rng.normal(0, 1, (STEPS, 6, 4)).astype("float32")
    return x, np.eye(3, dtype="float32")[rng.randint(0, 3, (STEPS, 6))]


def trace(build, class_name, arguments):
    K.clear_session()
    store = updates_at_once()
    model = build()
    rng = np.random.RandomState(0)
    model.set_weights([rng.normal(0, 0.5, w.shape).astype("float32") for w in model.get_weights()])
    optimizer = getattr(optimizers, class_name)(**arguments)
    model.compile(optimizer, "categorical_crossentropy")
    inner = model.model
    updates = optimizer.get_updates(inner._collected_trainable_weights, inner.constraints, inner.total_loss)
    for pair in [u for u in updates if isinstance(u, tuple)]:
        if pair[0] is getattr(optimizer, "m_schedule", None):  # Nadam hands this one over as a pair
            K.update(*pair)
    inputs = inner.inputs + inner.targets + inner.sample_weights
    compute = K.function(inputs, [inner.total_loss], updates=store(inner.total_loss))
    weights, losses = [model.get_weights()], []
    for x, y in zip(*batches()):
        losses.append(compute([x, y, np.ones(len(x), "float32")])[0])
        weights.append(model.get_weights())
    arrays = {f"w{i}": np.stack(steps) for i, steps in enumerate(zip(*weights))}
    arrays["losses"] = np.array(losses)
    arrays.update((f"s{i}", w) for i, w in enumerate(optimizer.get_weights()))
    return arrays, {
        "definition": json.loads(model.to_json()),
        "optimizer": {"class_name": class_name, "config": optimizer.get_config()},
    }


def traces():
    cases = {name: (plain_model, *pair) for name, pair in OPTIMIZERS.items()}
    for name, (class_name, arguments) in OPTIMIZERS.items():
        if name in ("sgd_momentum", "adam", "adadelta"):
            cases[name + "_regularized"] = (regularized_model, class_name, arguments)
            cases[name + "_constrained"] = (constrained_model, class_name, arguments)
    described = {}
    for name, case in sorted(cases.items()):
        arrays, described[name] = trace(*case)
        np.savez_compressed(os.path.join(HERE, "traces", name + ".npz"), **arrays)
    with open(os.path.join(HERE, "traces.json"), "w") as file:
        json.dump(described, file, indent=1, sort_keys=True)
    x, y = batches()
    np.savez_compressed(os.path.join(HERE, "data.npz"), x=x, y=y)


def dense(name, **arguments):
    return Dense(2, W_regularizer=l2(1.0), name=name, **arguments)


def active(name, **arguments):
    return dense(name, activity_regularizer=activity_l2(0.1), **arguments)


def chain(*layers):
    return Sequential(list(layers))


def recurrent(name, **arguments):
    return Bidirectional(SimpleRNN(2, W_regularizer=l2(1.0), name=name, return_sequences=True), name="bi", **arguments)


def on_input(shape, *layers):
    x = y = Input(shape)
    for layer in layers:
        y = layer(y)
    return Model(x, y)


def twice(layer, shape=(2,)):
    return on_input(shape, layer, layer)


def two_inputs():
    a, b, c, d = (Input((2,)) for _ in range(4))
    inner = Model([a, b], merge([active("a")(a), active("b")(b)], mode="sum"))
    return Model([c, d], inner([c, d]))


def siamese():
    a, b = Input((2,)), Input((2,))
    shared = chain(active("a", input_shape=(2,)), Dense(2))
    return Model([a, b], merge([shared(a), shared(b)], mode="concat"))


PENALTIES = {
    "flat": lambda: chain(active("a", input_shape=(2,)), Dense(1)),
    "layer_twice": lambda: twice(active("a")),
    "first_of_sequential": lambda: chain(chain(active("a", input_shape=(2,))), Dense(1)),
    "first_of_first": lambda: chain(chain(chain(active("a", input_shape=(2,)))), Dense(1)),
    "second_of_sequential": lambda: chain(Dense(2, input_shape=(2,)), chain(active("a", input_shape=(2,)))),
    "nested_once": lambda: on_input((2,), on_input((2,), active("a"))),
    "nested_twice": lambda: twice(on_input((2,), active("a"))),
    "nested_sequential_twice": lambda: twice(chain(active("a", input_shape=(2,)))),
    "nested_with_layer_twice": lambda: on_input((2,), twice(active("a"))),
    "two_deep": lambda: on_input((2,), on_input((2,), on_input((2,), active("a")))),
    "two_deep_inner_twice": lambda: on_input((2,), twice(on_input((2,), active("a")))),
    "two_inputs": two_inputs,
    "siamese": siamese,
    "time_distributed": lambda: on_input((3, 2), TimeDistributed(active("a"))),
    "time_distributed_twice": lambda: twice(TimeDistributed(active("a")), (3, 2)),
    "time_distributed_model": lambda: on_input((3, 2), TimeDistributed(chain(dense("a", input_shape=(2,))))),
    "bidirectional": lambda: on_input((3, 2), recurrent("r")),
    "wrappers_in_sequential": lambda: chain(TimeDistributed(dense("a"), input_shape=(3, 2)), recurrent("r")),
    "wrappers_nested": lambda: on_input((3, 2), chain(TimeDistributed(dense("a"), input_shape=(3, 2)), recurrent("r"))),
    "activity_layer": lambda: chain(Dense(2, input_shape=(2,)), ActivityRegularization(l1=0.5, l2=1.0), dense("a")),
    "batch_normalization": lambda: chain(
        BatchNormalization(input_shape=(2,), gamma_regularizer=l2(1.0), beta_regularizer=l1l2(1.0, 2.0))
    ),
}


def penalty(build):
    K.clear_session()
    definition = build().to_json()
    K.clear_session()
    model = model_from_json(definition)
    model.set_weights([np.full(w.shape, 0.5) for w in model.get_weights()])
    model.compile("sgd", "mse")
    inner = getattr(model, "model", model)
    if not inner.losses:
        return json.loads(definition), 0.0
    inputs = [np.ones((2, *tensor._keras_shape[1:])) for tensor in inner.inputs]
    values = K.function([*inner.inputs, K.learning_phase()], inner.losses)([*inputs, 1])
    return json.loads(definition), float(np.sum(values))


def penalties():
    found = {}
    for name, build in sorted(PENALTIES.items()):
        definition, value = penalty(build)
        found[name] = {"definition": definition, "penalty": value}
    with open(os.path.join(HERE, "penalties.json"), "w") as file:
        json.dump(found, file, indent=1, sort_keys=True)


if __name__ == "__main__":
    if not os.path.isdir(os.path.join(HERE, "traces")):
        os.mkdir(os.path.join(HERE, "traces"))
    penalties()
    traces()
