"""Keras 1.2.2's ``layers.noise``."""

from bigdl.layers import GaussianDropout, GaussianNoise

__all__ = ["GaussianDropout", "GaussianNoise"]
