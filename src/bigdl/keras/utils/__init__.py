"""Keras 1.2.2's ``utils``."""

from bigdl.keras.utils import data_utils, generic_utils, io_utils, layer_utils, np_utils

__all__ = ["data_utils", "generic_utils", "io_utils", "layer_utils", "np_utils"]
