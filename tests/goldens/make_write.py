"""How a golden case is described and how its files are written.

A case is a model built with the real Keras 1.2.2. Its golden is what Keras predicts after reading the JSON and the
HDF5 file back, so what Keras loses on the way is lost in the golden too.
"""

import json
import os
import zlib

import h5py
import numpy as np
from keras import backend as K
from keras.layers import InputLayer
from keras.models import Sequential, model_from_json

HERE = os.path.dirname(os.path.abspath(__file__))
BATCH = 4
TIME = 5  # length of an axis that the model leaves open


class Case:
    """One golden.

    Args:
        name: File name without extension.
        build: Returns the model.
        ordering: Keras's ``image_dim_ordering`` while the model is built and read back.
        inputs: ``rng -> list of arrays``; by default random arrays of the model's input shapes.
        high: Upper bound (exclusive) of default integer inputs.
        live: Why Keras cannot read its own files back; the golden is then the prediction of the model as built.
        lost: What the JSON does not hold, so that the model read back differs from the one that was built.
        functions: The Python expressions of the Lambda layers and Lambda merges, by layer name.
    """

    def __init__(self, name, build, ordering="tf", inputs=None, high=6, live=None, lost=None, functions=None):
        self.name = name
        self.build = build
        self.ordering = ordering
        self.inputs = inputs
        self.high = high
        self.live = live
        self.lost = lost
        self.functions = functions


class Family:
    """The cases of one folder.

    Args:
        name: The folder.
        write: ``(family, case)``: makes the files of a case and returns what there is to note.
        compact: Whether weights go into HDF5's newer layout instead of the one Keras takes.
    """

    def __init__(self, name, write=None, compact=True):
        self.name = name
        self.cases = []
        self.write = write or write_case
        self.compact = compact

    def model(self, name, build, **options):
        """A case from a function that returns a model."""
        if any(case.name == name for case in self.cases):
            raise ValueError("two cases named " + self.name + "/" + name)
        self.cases.append(Case(name, build, **options))

    def stack(self, name, shape, layers, batch=None, **options):
        """A case from a function that returns the layers of a Sequential, without input shape on the first."""

        def build():
            return Sequential([InputLayer(batch_input_shape=(batch, *shape)), *layers()])

        self.model(name, build, **options)

    def layer(self, case, cls, *args, **kwargs):
        """A case of a single layer in a Sequential: class, arguments, ``shape=`` without the batch axis."""
        options = {key: kwargs.pop(key) for key in list(kwargs) if key in OPTIONS}
        if "shape" in kwargs:
            kwargs["input_shape"] = kwargs.pop("shape")
        self.model(case, lambda: Sequential([cls(*args, **kwargs)]), **options)

    def both(self, case, cls, *args, **kwargs):
        """A single layer in both orderings: ``size=`` rows and columns, ``channels=``."""
        size, channels = kwargs.pop("size", (6, 5)), kwargs.pop("channels", 2)
        self.layer(case + "_tf", cls, *args, shape=(*size, channels), ordering="tf", **kwargs)
        self.layer(case + "_th", cls, *args, shape=(channels, *size), ordering="th", **kwargs)


OPTIONS = ("ordering", "inputs", "high", "live", "lost", "functions")


def generator(name):
    """A generator of random numbers that depends on the case's name only."""
    return np.random.RandomState(zlib.crc32(name.encode()) % (2**32))


def floats(rng, shape):
    """Normal numbers with zeros, and some larger ones, among them."""
    x = rng.normal(0, 1, shape)
    x = np.where(rng.uniform(size=shape) < 0.1, 0.0, x)
    return np.where(rng.uniform(size=shape) < 0.1, 4 * x, x).astype("float32")


def sequences(rng, steps, features, value=0.0):
    """Five sequences: full, masked at the end, at the start, in the middle, and altogether."""
    x = rng.normal(0, 1, (5, steps, features)).astype("float32")
    x[1, -2:] = x[2, :2] = x[3, steps // 2] = x[4] = value
    return x


def words(rng, steps, high=6):
    """Five sequences of word numbers from 1, zeros where ``sequences`` masks."""
    x = rng.randint(1, high, (5, steps)).astype("int32")
    x[1, -2:] = x[2, :2] = x[3, steps // 2] = x[4] = 0
    return x


def default_inputs(model, rng, high):
    """Random arrays for every input of a model."""
    arrays = []
    for tensor in model.inputs:
        shape = K.int_shape(tensor)
        shape = (shape[0] or BATCH, *(size or TIME for size in shape[1:]))
        whole = K.dtype(tensor).startswith("int")
        arrays.append(rng.randint(0, high, shape).astype("int32") if whole else floats(rng, shape))
    return arrays


def parts(model):
    """The layers whose arrays a file holds, in order."""
    return getattr(model, "flattened_layers", None) or model.layers


def randomise(model, rng):
    """Gives every weight of a model, biases and statistics included, a random value."""
    for layer in parts(model):
        pairs = []
        for variable in layer.weights:
            shape = K.int_shape(variable)
            value = rng.uniform(0.5, 1.5, shape) if "running_std" in variable.name else rng.normal(0, 0.4, shape)
            pairs.append((variable, value))
        K.batch_set_value(pairs)


def predict(model, inputs):
    """The outputs of a model, as a list, in one batch."""
    outputs = model.predict(inputs if len(inputs) > 1 else inputs[0], batch_size=len(inputs[0]))
    return outputs if isinstance(outputs, list) else [outputs]


def start(ordering="tf"):
    """A fresh session: layer names begin at 1 again."""
    K.clear_session()
    K.set_image_dim_ordering(ordering)


def save_arrays(path, **groups):
    """Writes an npz of lists of arrays: ``x=[a, b]`` becomes ``x0`` and ``x1``."""
    arrays = {key + str(i): a for key in sorted(groups) for i, a in enumerate(groups[key])}
    np.savez_compressed(path, **arrays)


def place(family, case):
    """The path of a case's files without extension, and its random numbers."""
    folder = os.path.join(HERE, family.name)
    os.makedirs(folder, exist_ok=True)
    return os.path.join(folder, case.name), generator(family.name + "/" + case.name)


def write_case(family, case):
    """Definition, weights, and what the model read back from them predicts."""
    stem, rng = place(family, case)

    start(case.ordering)
    model = case.build()
    randomise(model, rng)
    inputs = case.inputs(rng) if case.inputs else default_inputs(model, rng, case.high)
    with open(stem + ".json", "w") as file:
        file.write(model.to_json() + "\n")
    if model.weights:
        with new_file(stem + ".h5", family.compact) as file:
            model.save_weights_to_hdf5_group(file)
    stateful = bool(getattr(model, "stateful", False))
    live = two_predictions(model, inputs, stateful)

    if case.live:
        try:
            read_back(stem, case.ordering)
        except Exception:
            outputs = live
        else:
            raise RuntimeError(stem + ": Keras can read it back, it is no live case")
    else:
        outputs = two_predictions(read_back(stem, case.ordering), inputs, stateful)
        same = all(np.shape(a) == np.shape(b) and np.allclose(a, b, 1e-5, 1e-6) for a, b in pairs(live, outputs))
        if same == bool(case.lost):
            raise RuntimeError(stem + ": the model read back " + ("is the same" if same else "differs"))
    check(stem, outputs)
    save_arrays(stem + ".npz", x=inputs, y=outputs[0], **({"z": outputs[1]} if stateful else {}))
    facts = {"image_dim_ordering": "th" if case.ordering == "th" else None, "live": case.live, "lost": case.lost}
    facts.update(stateful=stateful, functions=case.functions)
    return {key: value for key, value in facts.items() if value}


def read_back(stem, ordering):
    """The model Keras makes of its own files."""
    start(ordering)
    with open(stem + ".json") as file:
        model = model_from_json(file.read())
    if os.path.exists(stem + ".h5"):
        model.load_weights(stem + ".h5")
    return model


def two_predictions(model, inputs, stateful):
    """One prediction; of a stateful model two, the second from the state the first left."""
    if not stateful:
        return [predict(model, inputs)]
    model.reset_states()
    return [predict(model, inputs), predict(model, inputs)]


def pairs(left, right):
    """Pairs of arrays of two lists of lists."""
    flat = [array for outputs in left for array in outputs]
    return [(a, b) for a, b in zip(flat, [array for outputs in right for array in outputs])]


def check(stem, outputs):
    """Refuses a golden that proves little."""
    for array in outputs[0]:
        if not np.isfinite(array).all():
            raise RuntimeError(stem + ": not finite")
        if array.size > 1 and array.std() < 1e-3:
            raise RuntimeError(stem + ": all outputs are alike")


def dump(name, content):
    """Writes a list or a dict as a JSON file beside the scripts, one entry a line."""
    if isinstance(content, dict):
        lines = [json.dumps({key: content[key]}, sort_keys=True)[1:-1] for key in sorted(content)]
        opening, closing = "{\n", "\n}\n"
    else:
        lines = [json.dumps(entry, sort_keys=True) for entry in content]
        opening, closing = "[\n", "\n]\n"
    with open(os.path.join(HERE, name), "w") as file:
        file.write(opening + ",\n".join(lines) + closing)


def without_times():
    """Lets h5py leave the time of writing out, so that the same run gives the same bytes."""
    create_dataset = h5py.Group.create_dataset

    def timeless_dataset(self, *args, **kwargs):
        kwargs.setdefault("track_times", False)
        return create_dataset(self, *args, **kwargs)

    def timeless_group(self, name):
        links = h5py.h5p.create(h5py.h5p.LINK_CREATE)
        links.set_create_intermediate_group(True)
        return h5py.Group(h5py.h5g.create(self.id, name.encode(), lcpl=links, gcpl=timeless(h5py.h5p.GROUP_CREATE)))

    h5py.Group.create_dataset = timeless_dataset
    h5py.Group.create_group = timeless_group


def timeless(kind):
    """Properties of a new HDF5 object that keep no times."""
    properties = h5py.h5p.create(kind)
    properties.set_obj_track_times(False)
    return properties


def new_file(path, compact):
    """A new HDF5 file, in the layout Keras takes or in the newer one, which needs half the room."""
    if not compact:
        return h5py.File(path, "w")
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_libver_bounds(h5py.h5f.LIBVER_LATEST, h5py.h5f.LIBVER_LATEST)
    creation = timeless(h5py.h5p.FILE_CREATE)
    return h5py.File(h5py.h5f.create(path.encode(), h5py.h5f.ACC_TRUNC, fcpl=creation, fapl=access))
