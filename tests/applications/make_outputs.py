"""Writes what Keras 1.2.2 computes for the cases of cases.json (see README.md).

``KERAS_BACKEND=tensorflow $KERAS122_PYTHON -W ignore tests/applications/make_outputs.py [case ...]``
"""

import gzip
import json
import os
import sys
from collections import OrderedDict

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from keras import backend as K
from keras import initializations
from keras.engine import Layer
from keras.layers import core
from keras.models import model_from_json
from seeded import inputs, sample, weights

HERE = os.path.dirname(os.path.abspath(__file__))


class Antirectifier(Layer):
    """The antirectifier example's layer: rows centred and of length 1, positive and negative parts side by side."""

    def call(self, x, mask=None):
        """Computes the output."""
        unit = K.l2_normalize(x - K.mean(x, axis=1, keepdims=True), axis=1)
        return K.concatenate([K.relu(unit), K.relu(-unit)])

    def get_output_shape_for(self, input_shape):
        """Returns the output's shape."""
        return input_shape[0], 2 * input_shape[1]


CUSTOM_OBJECTS = {"Antirectifier": Antirectifier, "<lambda>": initializations.normal}

# What the Lambda of the variational autoencoders refers to. Without spread its noise is 0, and the output certain.
core.batch_size, core.latent_dim, core.epsilon_std = 100, 2, 0.0


def read(name):
    """The model that Keras makes of a definition."""
    with gzip.open(os.path.join(HERE, name + ".json.gz"), "rb") as file:
        return model_from_json(file.read().decode(), CUSTOM_OBJECTS)


def span(variable, ordering, gain):
    """The lowest and the highest value of an array, such that layers neither blow up nor stifle what passes."""
    name, shape = variable.name.split(":")[0], K.int_shape(variable)
    if name.endswith(("running_std", "gamma")):
        return 0.5, 1.5
    if len(shape) == 1:
        return -0.1, 0.1
    if "embedding" in name:
        return -1, 1
    if name.endswith("depthwise_kernel"):
        fan_in = shape[2] * shape[3] if ordering == "th" else shape[0] * shape[1]
    elif len(shape) > 3 and ordering == "th":
        fan_in = np.prod(shape[1:])
    else:
        fan_in = np.prod(shape[:-1])
    recurrent = "_U" in name
    limit = (3 * (0.5 if recurrent else gain) / fan_in) ** 0.5
    return -limit, limit


def variables(model):
    """The arrays of a model, in the order of ``get_weights``, each as a list.

    Keras writes a branch that several Merge layers share into each of them, and makes as many of it when it reads that
    back. Here they are one again: layers of one name get the same values.
    """
    found = OrderedDict()
    for layer in getattr(model, "flattened_layers", None) or model.layers:
        for i, variable in enumerate(layer.weights):
            found.setdefault((layer.name, i), []).append(variable)
    return list(found.values())


def predict(model, arrays, order):
    """The outputs of a model, as a list, in one batch; ``order`` says which array goes into which input."""
    given = [arrays[i] for i in order]
    outputs = model.predict(given if len(given) > 1 else given[0], batch_size=len(given[0]))
    return outputs if isinstance(outputs, list) else [outputs]


def check(outputs):
    """Refuses outputs that prove little; returns their sizes and, of one row, how large and how different they are."""
    facts = []
    for y in outputs:
        if not np.isfinite(y).all() or y.std() < 1e-6 or y.std() < 1e-3 * np.abs(y).max():
            raise SystemExit(f"not finite, or all alike: {y}")
        rows = y.reshape(len(y), -1)
        facts.append(f"{y.shape} up to {np.abs(y).max():.3g}, std {y.std():.3g}")
        if len(y) > 1:
            facts.append(f"rows differ by {np.abs(rows[0] - rows[1]).max():.3g}")
    return facts


def make(name, case):
    """Writes the outputs of a case."""
    K.clear_session()
    ordering = case.get("image_dim_ordering", "tf")
    K.set_image_dim_ordering(ordering)
    model = read(name)
    targets = variables(model)
    ranges = np.array([span(same[0], ordering, case.get("gain", 2.0)) for same in targets], "float32").reshape(-1, 2)
    values = weights(name, [K.int_shape(same[0]) for same in targets], ranges)
    K.batch_set_value([(variable, value) for same, value in zip(targets, values) for variable in same])
    arrays = inputs(name, case["inputs"])
    order = case.get("order", range(len(arrays)))
    outputs = predict(model, arrays, order)
    facts = check(outputs)
    goldens = {"y" + str(i): sample(y) for i, y in enumerate(outputs)}
    if case.get("stateful"):
        goldens.update(("z" + str(i), sample(y)) for i, y in enumerate(predict(model, arrays, order)))
    np.savez_compressed(os.path.join(HERE, name + ".npz"), ranges=ranges, **goldens)
    print(name, *facts)


def main(wanted):
    """Makes the wanted cases, or all of them."""
    with open(os.path.join(HERE, "cases.json")) as file:
        cases = json.load(file)
    for name in wanted or sorted(cases):
        make(name, cases[name])


if __name__ == "__main__":
    main(sys.argv[1:])
