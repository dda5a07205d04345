"""Makes nested_merge.* beside this script, and the outputs of tests/formats/data/0.3.3/legacy_merge, with Keras 0.3.3.

KERAS_BACKEND=theano PYTHONPATH=Keras-0.3.3 $KERAS122_PYTHON -W ignore make_merges.py
"""

# mypy: ignore-errors
import pathlib

import numpy as np
from keras.layers.core import Dense, Merge
from keras.models import Sequential, model_from_json

HERE = pathlib.Path(__file__).resolve().parent
LEGACY = HERE.parents[1] / "formats" / "data" / "0.3.3"


def branch(*sizes):
    model = Sequential()
    for i, size in enumerate(sizes):
        model.add(Dense(size, activation="tanh", **({} if i else {"input_dim": 4})))
    return model


def nested_merge():
    """Branches of different lengths, one of them with branches of its own; all kernels of one shape but the last."""
    right, model = Sequential(), Sequential()
    right.add(Merge([branch(4), branch(4, 4)], mode="mul"))
    right.add(Dense(4))
    model.add(Merge([branch(4, 4, 4), right], mode="concat"))
    model.add(Dense(2))
    return model


def save_outputs(model, inputs, name):
    model.compile("sgd", "mse")
    rows = [np.random.RandomState(i).normal(size=(5, 4)).astype("float32") for i in range(inputs)]
    np.savez(str(HERE / (name + ".npz")), *rows, output=model.predict(rows))


if __name__ == "__main__":
    nested = nested_merge()
    nested.set_weights([np.random.RandomState(7).normal(size=w.shape) for w in nested.get_weights()])
    (HERE / "nested_merge.json").write_text(nested.to_json())
    nested.save_weights(str(HERE / "nested_merge.h5"), overwrite=True)
    save_outputs(nested, 3, "nested_merge")
    legacy = model_from_json((LEGACY / "legacy_merge.json").read_text())
    legacy.load_weights(str(LEGACY / "legacy_merge.h5"))
    save_outputs(legacy, 2, "legacy_merge")
