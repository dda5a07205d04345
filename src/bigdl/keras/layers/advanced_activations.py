"""Keras 1.2.2's ``layers.advanced_activations``."""

from bigdl.layers import ELU, LeakyReLU, ParametricSoftplus, PReLU, SReLU, ThresholdedReLU
from bigdl.layers.custom import InputSpec
from bigdl.layers.custom import KerasLayer as Layer

__all__ = ["ELU", "InputSpec", "Layer", "LeakyReLU", "PReLU", "ParametricSoftplus", "SReLU", "ThresholdedReLU"]
