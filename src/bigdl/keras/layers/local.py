"""Keras 1.2.2's ``layers.local``."""

from bigdl.layers import LocallyConnected1D, LocallyConnected2D

__all__ = ["LocallyConnected1D", "LocallyConnected2D"]
