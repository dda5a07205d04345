"""Keras 3: its file is written without it, layer by layer, with compositions where it has no layer of the kind."""

from bigdl.export.keras3 import (  # noqa: F401 - they register the layers
    compositions,
    convolution,
    core,
    functions,
    merge,
    normalization,
    pooling,
    recurrent,
    wrappers,
)
from bigdl.export.keras3.model import write_keras3 as write_keras3
