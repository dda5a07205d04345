"""Keras 1.2.2's ``keras``: a script for it runs when ``keras`` in its imports becomes ``bigdl.keras``."""

from bigdl.formats.keras_json import KERAS_VERSION as __version__
from bigdl.keras import (
    activations,
    backend,
    callbacks,
    constraints,
    datasets,
    engine,
    initializations,
    layers,
    metrics,
    models,
    objectives,
    optimizers,
    preprocessing,
    regularizers,
    utils,
)

__all__ = [
    "__version__",
    "activations",
    "backend",
    "callbacks",
    "constraints",
    "datasets",
    "engine",
    "initializations",
    "layers",
    "metrics",
    "models",
    "objectives",
    "optimizers",
    "preprocessing",
    "regularizers",
    "utils",
]
