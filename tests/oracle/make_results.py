"""What the real Keras 1.2.2 makes of files; run by its own Python (CPython 3.6).

    KERAS_BACKEND=tensorflow $KERAS122_PYTHON -W ignore tests/oracle/make_results.py CASES.json

``CASES.json`` is a list of cases: ``name``, ``full`` (a full save), ``definition`` and ``weights`` (the same in two
files; null for none), ``ordering``, ``stateful``, ``data`` (npz: inputs ``x0``, ..., targets ``t0``, ... where training
goes on) and ``result``. There is written, in npz, what the model of the full save predicts (``y``, and ``z`` a second
time where it is stateful), the losses of two more steps (``l``) and the predictions after them (``r``). What fails is
printed, by case, as JSON.
"""

import json
import os
import sys

import numpy as np
from keras.models import load_model, model_from_json

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "goldens"))
import make_files  # noqa: F401 - makes Keras's updates wait for all new values
from make_write import predict, save_arrays, start, two_predictions


def arrays(data, key):
    """The arrays ``key0``, ``key1``, ... of an npz."""
    return [data[key + str(i)] for i in range(sum(name[0] == key for name in data.files))]


def weights_of_parts(case):
    """The weights of the model that is in two files."""
    start(case["ordering"])
    with open(case["definition"]) as file:
        model = model_from_json(file.read())
    if case["weights"]:
        model.load_weights(case["weights"])
    return model.get_weights()


def read(case):
    """Reads the files of a case, and writes what the model computes."""
    data = np.load(case["data"])
    inputs, targets = arrays(data, "x"), arrays(data, "t")
    expected = weights_of_parts(case) if case["definition"] else None
    start(case["ordering"])
    model = load_model(case["full"])
    if expected is not None:
        np.testing.assert_equal(model.get_weights(), expected)
    outputs = two_predictions(model, inputs, case["stateful"])
    results = {"y": outputs[0], "z": outputs[1] if case["stateful"] else []}
    if targets:
        results["l"] = [np.float32(np.ravel(model.train_on_batch(inputs, targets))[0]) for _ in range(2)]
        results["r"] = predict(model, inputs)
    save_arrays(case["result"], **results)


def main(path):
    """Reads all cases; prints the errors by case."""
    errors = {}
    with open(path) as file:
        cases = json.load(file)
    for case in cases:
        try:
            read(case)
        except Exception as error:
            errors[case["name"]] = f"{type(error).__name__}: {error}"
    print(json.dumps(errors))


main(sys.argv[1])
