"""Makes weight_orders.json: for golden cases of nested models, the place in the file of each array of ``get_weights``.

``KERAS_BACKEND=tensorflow $KERAS122_PYTHON -W ignore tests/graph/make_weight_orders.py``
"""

import glob
import json
import os

import h5py
import numpy as np
from keras.models import model_from_json

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDENS = os.path.join(HERE, os.pardir, "goldens")


def stored(path):
    """The arrays of a file of weights, in its order."""
    with h5py.File(path, "r") as file:
        groups = [file[name] for name in file.attrs["layer_names"]]
        return [group[name][()] for group in groups for name in group.attrs["weight_names"]]


def order(stem):
    """The place in the file of each array that ``get_weights`` returns."""
    with open(stem + ".json") as file:
        model = model_from_json(file.read())
    model.load_weights(stem + ".h5")
    arrays = stored(stem + ".h5")
    places = []
    for value in model.get_weights():
        same = [i for i, array in enumerate(arrays) if array.shape == value.shape and np.array_equal(array, value)]
        assert len(same) == 1, stem
        places.append(same[0])
    return places


def main():
    """Writes the file."""
    with open(os.path.join(GOLDENS, "notes.json")) as file:
        live = {name for name, notes in json.load(file).items() if "live" in notes}
    found = {}
    for family in ("legacy_merge", "nested"):
        for path in sorted(glob.glob(os.path.join(GOLDENS, family, "*.h5"))):
            name = family + "/" + os.path.basename(path)[:-3]
            if name not in live:
                found[name] = order(path[:-3])
    lines = [json.dumps(name) + ": " + json.dumps(places) for name, places in sorted(found.items())]
    with open(os.path.join(HERE, "weight_orders.json"), "w") as file:
        file.write("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
