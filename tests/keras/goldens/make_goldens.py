"""Computes the cases of ``cases.py`` with the real Keras 1.2.2; lists the public names of its modules, and arguments.

``KERAS_BACKEND=tensorflow $KERAS122_PYTHON -W ignore tests/keras/goldens/make_goldens.py``
"""

import importlib
import inspect
import json
import os
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import cases  # noqa: E402
from keras import backend  # noqa: E402
from keras.preprocessing import image, sequence, text  # noqa: E402
from keras.utils import np_utils  # noqa: E402

MODULES = {
    "activations": [],
    "applications": ["imagenet_utils", "inception_v3", "music_tagger_crnn", "resnet50", "vgg16", "vgg19", "xception"],
    "backend": [],
    "callbacks": [],
    "constraints": [],
    "datasets": ["cifar10", "cifar100", "imdb", "mnist", "reuters"],
    "engine": ["topology", "training"],
    "initializations": [],
    "layers": [
        "advanced_activations",
        "convolutional",
        "convolutional_recurrent",
        "core",
        "embeddings",
        "local",
        "noise",
        "normalization",
        "pooling",
        "recurrent",
        "wrappers",
    ],
    "metrics": [],
    "models": [],
    "objectives": [],
    "optimizers": [],
    "preprocessing": ["image", "sequence", "text"],
    "regularizers": [],
    "utils": ["data_utils", "generic_utils", "io_utils", "layer_utils", "np_utils"],
    "wrappers": ["scikit_learn"],
}
# Those that hold something themselves; the others are folders.
FOLDERS = ("datasets", "preprocessing", "utils", "wrappers")
# Its classes are layers, whose arguments the goldens of layers are for.
LAYERS = ("layers",)


def names(module):
    """The public functions and classes of a module that are Keras's; with other names for them."""
    found = importlib.import_module("keras." + module)
    return sorted(
        name
        for name, value in vars(found).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and (getattr(value, "__module__", None) or "").startswith("keras")
    )


def arguments(module):
    """The names of the arguments of a module's own functions, constructors and methods."""
    found = importlib.import_module("keras." + module)
    taken = {}
    for name in names(module):
        value = getattr(found, name)
        if not value.__module__.startswith(found.__name__) or module == "engine":
            continue
        if inspect.isfunction(value):
            taken[name] = named(value)
        elif module.split(".")[0] not in LAYERS:
            methods = {key: member for key, member in vars(value).items() if inspect.isfunction(member)}
            public = {key: member for key, member in methods.items() if key == "__init__" or not key.startswith("_")}
            taken.update(("{}.{}".format(name, key), named(member)[1:]) for key, member in public.items())
    return taken


def named(function):
    """The names of a function's arguments."""
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [name for name, p in inspect.signature(function).parameters.items() if p.kind not in kinds]


if __name__ == "__main__":
    made = {
        "backend": cases.backend(backend),
        "images": cases.images(image),
        "texts": cases.texts(sequence, text),
        "labels": cases.labels(np_utils),
    }
    for kind, arrays in made.items():
        np.savez_compressed(os.path.join(HERE, kind + ".npz"), **arrays)
    chosen = [top for top in MODULES if top not in FOLDERS]
    chosen += ["{}.{}".format(top, name) for top, inner in MODULES.items() for name in inner]
    for list_of, kind in ((names, "names"), (arguments, "arguments")):
        with open(os.path.join(HERE, kind + ".json"), "w") as file:
            listed = {module: list_of(module) for module in chosen}
        json.dump(listed, file, indent=1 if kind == "names" else None, sort_keys=True)
