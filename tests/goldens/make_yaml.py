"""Definitions as YAML, as ``to_yaml`` writes them: with Python tuples, and in the two styles PyYAML has had."""

from functools import partial

import yaml as pyyaml
from keras.layers import LSTM, Bidirectional, Convolution2D, Dense, Flatten, Input, MaxPooling2D, Reshape, merge
from keras.models import Model, Sequential, model_from_yaml
from make_nested import chain
from make_write import Family, check, default_inputs, new_file, place, predict, randomise, save_arrays, start


def write_yaml(family, case):
    """Definition in YAML, weights, and what the model read back from them predicts."""
    stem, rng = place(family, case)
    start(case.ordering)
    model = case.build()
    randomise(model, rng)
    style = None if case.name.endswith("_flow") else False
    with open(stem + ".yaml", "w") as file:
        file.write(model.to_yaml(default_flow_style=style))
    with new_file(stem + ".h5", family.compact) as file:
        model.save_weights_to_hdf5_group(file)
    inputs = default_inputs(model, rng, case.high)
    start(case.ordering)
    with open(stem + ".yaml") as file:
        again = model_from_yaml(file.read())
    again.load_weights(stem + ".h5")
    outputs = predict(again, inputs)
    check(stem, [outputs])
    save_arrays(stem + ".npz", x=inputs, y=outputs)
    return {}


def convolutional():
    """Arguments that are tuples."""
    layers = [Convolution2D(2, 3, 3, input_shape=(6, 6, 1)), MaxPooling2D((2, 2)), Flatten(), Dense(4), Reshape((2, 2))]
    return Sequential(layers)


def functional():
    """References between layers, a shared layer, two outputs."""
    a, b = Input((4,), name="first"), Input((4,), name="second")
    shared = Dense(3, activation="tanh")
    joined = merge([shared(a), shared(b)], mode="concat", concat_axis=1)
    return Model([a, b], [Dense(2)(joined), joined])


def nested():
    """A model inside a model, and a wrapper."""
    return Sequential([Bidirectional(LSTM(2), input_shape=(3, 2)), chain(), Dense(2)])


# Keras's model_from_yaml counts on PyYAML 3, whose load makes any object: the file may hold NumPy's numbers.
pyyaml.load = partial(pyyaml.load, Loader=pyyaml.UnsafeLoader)
yaml = Family("yaml", write_yaml)
for build in (convolutional, functional, nested):
    for style in ("block", "flow"):
        yaml.model(f"{build.__name__}_{style}", build)

FAMILIES = [yaml]
