"""Keras 1.2.2's ``layers.normalization``."""

from bigdl.layers import BatchNormalization
from bigdl.layers.custom import InputSpec
from bigdl.layers.custom import KerasLayer as Layer

__all__ = ["BatchNormalization", "InputSpec", "Layer"]
