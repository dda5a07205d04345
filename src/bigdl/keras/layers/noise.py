"""Keras 1.2.2's ``layers.noise``."""

from bigdl.layers import GaussianDropout, GaussianNoise
from bigdl.layers.custom import InputSpec
from bigdl.layers.custom import KerasLayer as Layer

__all__ = ["GaussianDropout", "GaussianNoise", "InputSpec", "Layer"]
