"""Full saves, weights of other models, and the older layouts of weights files."""

import h5py
import numpy as np
import tensorflow as tf
from keras import backend as K
from keras import optimizers
from keras.layers import (
    LSTM,
    BatchNormalization,
    Convolution1D,
    Convolution2D,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    MaxPooling2D,
    merge,
)
from keras.models import Model, Sequential, load_model, model_from_json
from make_write import Case, Family, check, default_inputs, floats, parts, place, predict, randomise, save_arrays, start


def updates_from_old_values():
    """Makes every update of a training step wait for all new values.

    TensorFlow 1 lets an update overtake what still reads the old value, and results then vary from run to run.
    """
    original = K.function
    K.update = lambda variable, value: (variable, value)
    K.update_add = lambda variable, increment: (variable, variable + increment)

    def function(inputs, outputs, updates=(), **kwargs):
        values = [update[1] for update in updates if isinstance(update, tuple)]
        with tf.control_dependencies(values):
            return original(inputs, outputs, updates=list(updates), **kwargs)

    K.function = function


updates_from_old_values()


# Full saves: x, targets t, predictions y of the model read back, losses l of two more steps on (x, t), predictions r
# after them
def write_full(family, case):
    """A full save after three training steps, and how training goes on from it."""
    stem, rng = place(family, case)
    start(case.ordering)
    model = case.build()
    randomise(model, rng)
    inputs = default_inputs(model, rng, case.high)
    targets = [targets_like(rng, array) for array in predict(model, inputs)]
    if getattr(model, "optimizer", None):
        for _ in range(3):
            model.train_on_batch(inputs, targets)
    model.save(stem + ".h5")
    start(case.ordering)
    again = load_model(stem + ".h5")
    outputs = predict(again, inputs)
    check(stem, [outputs])
    arrays = {"x": inputs, "y": outputs}
    if getattr(model, "optimizer", None):
        arrays["t"] = targets
        arrays["l"] = [np.float32(np.ravel(again.train_on_batch(inputs, targets))[0]) for _ in range(2)]
        arrays["r"] = predict(again, inputs)
    save_arrays(stem + ".npz", **arrays)
    return {"image_dim_ordering": "th"} if case.ordering == "th" else {}


def targets_like(rng, outputs):
    """One-hot rows of the shape of an output, or numbers where it has one column."""
    if outputs.shape[-1] == 1:
        return rng.uniform(0, 1, outputs.shape).astype("float32")
    return np.eye(outputs.shape[-1], dtype="float32")[rng.randint(0, outputs.shape[-1], len(outputs))]


full = Family("full", write_full)
OPTIMIZERS = {
    "sgd": lambda: optimizers.SGD(lr=0.1),
    "sgd_momentum": lambda: optimizers.SGD(lr=0.1, momentum=0.9),
    "sgd_nesterov": lambda: optimizers.SGD(lr=0.1, momentum=0.9, nesterov=True),
    "sgd_decay": lambda: optimizers.SGD(lr=0.1, momentum=0.5, decay=0.2),
    "rmsprop": lambda: optimizers.RMSprop(lr=0.01),
    "adagrad": lambda: optimizers.Adagrad(lr=0.05),
    "adadelta": lambda: optimizers.Adadelta(),
    "adam": lambda: optimizers.Adam(lr=0.01),
    "adamax": lambda: optimizers.Adamax(lr=0.01),
    "nadam": lambda: optimizers.Nadam(lr=0.01),
    "adam_clipped": lambda: optimizers.Adam(lr=0.01, clipnorm=0.5, clipvalue=0.1),
}


def classifier(optimizer):
    """A small dense classifier, compiled."""
    model = Sequential([Dense(5, input_dim=4, activation="tanh"), Dense(3, activation="softmax", W_regularizer="l2")])
    model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"])
    return model


def two_headed():
    """A functional model with two losses that weigh differently."""
    a, b = Input((4,), name="a"), Input((3,), name="b")
    h = Dense(4, activation="tanh")(merge([a, b], mode="concat"))
    model = Model([a, b], [Dense(3, activation="softmax", name="kind")(h), Dense(1, name="size")(h)])
    losses = {"kind": "categorical_crossentropy", "size": "mse"}
    model.compile("adam", losses, loss_weights={"kind": 1.0, "size": 0.3})
    return model


def image_classifier():
    """A small convolutional classifier, compiled."""
    layers = [Convolution2D(2, 3, 3, activation="relu", input_shape=(6, 6, 1)), MaxPooling2D(), Flatten()]
    model = Sequential([*layers, Dense(3, activation="softmax")])
    model.compile("adadelta", "categorical_crossentropy", metrics=["accuracy"])
    return model


def not_compiled():
    """A model saved without compile."""
    return Sequential([Embedding(6, 3, input_length=4), LSTM(3), Dense(2)])


for name, optimizer in OPTIMIZERS.items():
    full.model(name, lambda optimizer=optimizer: classifier(optimizer()))
full.model("two_headed", two_headed)
full.model("image_classifier", image_classifier)
full.model("not_compiled", not_compiled)


# Weights from another file
class WeightsCase(Case):
    """The weights of one model, read into another.

    Args:
        name: File name without extension.
        target: Returns the model to read into.
        source: Returns the model whose weights are saved.
        save: ``(model, path)``: how they are saved.
        by_name: How they are read.
    """

    def __init__(self, name, target, source=None, save=None, by_name=False):
        super().__init__(name, target)
        self.source = source or target
        self.by_name = by_name
        self.save = save or (lambda model, path: model.save_weights(path))


def write_weights(family, case):
    """The target's definition and first weights (``.init.h5``), the source's weights, the target's predictions."""
    stem, rng = place(family, case)
    start()
    source = case.source()
    randomise(source, rng)
    case.save(source, stem + ".h5")
    start()
    target = case.build()
    with open(stem + ".json", "w") as file:
        file.write(target.to_json() + "\n")
    if case.by_name:
        randomise(target, rng)
        target.save_weights(stem + ".init.h5")
    inputs = default_inputs(target, rng, case.high)
    start()
    with open(stem + ".json") as file:
        again = model_from_json(file.read())
    if case.by_name:
        again.load_weights(stem + ".init.h5")
    again.load_weights(stem + ".h5", by_name=case.by_name)
    outputs = predict(again, inputs)
    check(stem, [outputs])
    save_arrays(stem + ".npz", x=inputs, y=outputs)
    return {"by_name": True} if case.by_name else {}


def values(layer):
    """The arrays of a layer, in file order."""
    return layer.get_weights() if layer.weights else []


def save_numbered(model, path):
    """The layout of Keras 0: layers by number, parameters by number, no names."""
    with h5py.File(path, "w") as file:
        file.attrs["nb_layers"] = len(parts(model))
        for k, layer in enumerate(parts(model)):
            group = file.create_group(f"layer_{k}")
            group.attrs["nb_params"] = len(values(layer))
            for p, value in enumerate(values(layer)):
                group.create_dataset(f"param_{p}", data=value)


def save_old_kernels(model, path):
    """Convolution1D kernels as they were before (filters, inputs, length, 1)."""
    model.save_weights(path)
    with h5py.File(path, "r+") as file:
        for layer in model.layers:
            if isinstance(layer, Convolution1D):
                name = file[layer.name].attrs["weight_names"][0].decode()
                kernel = file[layer.name][name][()]
                del file[layer.name][name]
                file[layer.name].create_dataset(name, data=kernel.transpose(3, 2, 0, 1))


def save_as_theano(model, path):
    """Names as Theano gives them, without ``:0``."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in parts(model)]
        for layer in parts(model):
            group = file.create_group(layer.name)
            names = [variable.name.split(":")[0].encode() for variable in layer.weights]
            group.attrs["weight_names"] = names
            for name, value in zip(names, values(layer)):
                group.create_dataset(name, data=value)


def save_full(model, path):
    """A full save, used for its weights only."""
    model.compile("adam", "mse")
    model.train_on_batch(floats(np.random.RandomState(0), (4, 4)), np.ones((4, 2)))
    model.save(path)


def chain(*names):
    """Dense layers with names, the last of two units."""
    layers = [Dense(4, input_dim=4, activation="tanh", name=names[0])]
    layers += [Dense(2 if name == names[-1] else 4, name=name) for name in names[1:]]
    return Sequential(layers)


def spaced():
    """The shapes of a chain, with layers without weights between."""
    return Sequential([Dropout(0.2, input_shape=(4,)), Dense(4, activation="tanh"), Dropout(0.5), Dense(2)])


def nested(first, inner, kind):
    """A nested model between two layers; read back, a nested Sequential has lost its name."""
    x = Input((4,))
    middle = Model(x, BatchNormalization()(Dense(4)(x)), name=inner)
    if kind == "sequential":
        middle = Sequential([Dense(4, input_dim=4), BatchNormalization()], name=inner)
    return Sequential([Dense(4, input_dim=4, name=first), middle, Dense(2, name="last")])


def functional(*names):
    """The same shapes as a chain, as a functional model."""
    x = Input((4,))
    return Model(x, Dense(2, name=names[1])(Dense(4, activation="tanh", name=names[0])(x)))


def convolutions(filters=(3, 4)):
    """Two Convolution1D."""
    return Sequential([Convolution1D(filters[0], 3, input_shape=(8, 2)), Convolution1D(filters[1], 2)])


def mixed():
    """Layers with and without weights."""
    layers = [Convolution2D(2, 2, 2, input_shape=(4, 4, 1)), MaxPooling2D(), Flatten(), Dropout(0.5), Dense(3)]
    return Sequential([*layers, BatchNormalization(), Dense(2)])


weights = Family("weights", write_weights)
WEIGHTS = [
    ("other_names", lambda: chain("a", "b"), lambda: chain("x", "y")),
    ("other_kind", lambda: functional("a", "b"), lambda: chain("x", "y")),
    ("plain_layers_between", spaced, lambda: chain("x", "y")),
    ("plain_layers_gone", lambda: chain("x", "y"), spaced),
    ("full_file", lambda: chain("a", "b"), None, save_full),
    ("theano_names", lambda: chain("a", "b"), None, save_as_theano),
    ("numbered", mixed, None, save_numbered),
    ("numbered_lstm", lambda: Sequential([LSTM(3, input_shape=(4, 2)), Dense(2)]), None, save_numbered),
    ("old_conv1d", convolutions, None, save_old_kernels),
    ("old_conv1d_square", lambda: convolutions((3, 3)), None, save_old_kernels),
]
BY_NAME = [
    ("by_name", lambda: chain("a", "b"), None),
    ("by_name_new_head", lambda: chain("a", "b", "new"), lambda: chain("a", "b", "old")),
    ("by_name_other_order", lambda: chain("a", "b", "c", "d"), lambda: chain("a", "c", "b", "d")),
    ("by_name_more_in_file", lambda: chain("a", "d"), lambda: chain("a", "b", "c", "d")),
    ("by_name_nothing", lambda: chain("a", "b"), lambda: chain("x", "y")),
    ("by_name_other_kind", lambda: functional("a", "b"), lambda: chain("a", "q", "r")),
    ("by_name_model", lambda: nested("a", "inner", "model"), lambda: nested("x", "inner", "model")),
    ("by_name_sequential", lambda: nested("a", "inner", "sequential"), lambda: nested("a", "inner", "sequential")),
    ("by_name_full_file", lambda: chain("a", "b"), lambda: chain("z", "b"), save_full),
]
weights.cases += [WeightsCase(*case) for case in WEIGHTS]
weights.cases += [WeightsCase(*case, by_name=True) for case in BY_NAME]

FAMILIES = [full, weights]
