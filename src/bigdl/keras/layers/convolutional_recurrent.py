"""Keras 1.2.2's ``layers.convolutional_recurrent``."""

from bigdl.layers import ConvLSTM2D
from bigdl.layers.custom import InputSpec
from bigdl.layers.custom import KerasLayer as Layer

__all__ = ["ConvLSTM2D", "InputSpec", "Layer"]
