"""Keras 1.2.2's ``layers.advanced_activations``."""

from bigdl.layers import ELU, LeakyReLU, ParametricSoftplus, PReLU, SReLU, ThresholdedReLU

__all__ = ["ELU", "LeakyReLU", "PReLU", "ParametricSoftplus", "SReLU", "ThresholdedReLU"]
