"""Keras 1.2.2's ``layers.local``."""

from bigdl.layers import LocallyConnected1D, LocallyConnected2D
from bigdl.layers.custom import InputSpec
from bigdl.layers.custom import KerasLayer as Layer

__all__ = ["InputSpec", "Layer", "LocallyConnected1D", "LocallyConnected2D"]
