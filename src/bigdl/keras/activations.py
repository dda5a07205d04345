"""Keras 1.2.2's ``activations``."""

from bigdl.layers.activations import elu, get, hard_sigmoid, linear, relu, sigmoid, softmax, softplus, softsign, tanh

__all__ = ["elu", "get", "hard_sigmoid", "linear", "relu", "sigmoid", "softmax", "softplus", "softsign", "tanh"]
