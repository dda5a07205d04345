"""Computes the cases of ``cases.py`` with the real Keras 1.2.2, and lists the public names of its modules.

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


if __name__ == "__main__":
    made = {
        "backend": cases.backend(backend),
        "images": cases.images(image),
        "texts": cases.texts(sequence, text),
        "labels": cases.labels(np_utils),
    }
    for kind, arrays in made.items():
        np.savez_compressed(os.path.join(HERE, kind + ".npz"), **arrays)
    with open(os.path.join(HERE, "names.json"), "w") as file:
        chosen = [top for top in MODULES if top not in FOLDERS]
        chosen += ["{}.{}".format(top, name) for top, inner in MODULES.items() for name in inner]
        json.dump({module: names(module) for module in chosen}, file, indent=1, sort_keys=True)
