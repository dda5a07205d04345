"""Keras 1.2.2's ``layers.convolutional_recurrent``."""

from bigdl.layers import ConvLSTM2D

__all__ = ["ConvLSTM2D"]
