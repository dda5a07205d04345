"""Keras 1.2.2's ``layers.normalization``."""

from bigdl.layers import BatchNormalization

__all__ = ["BatchNormalization"]
