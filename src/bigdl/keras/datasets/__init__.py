"""Keras 1.2.2's ``datasets``."""

from bigdl.keras.datasets import cifar10, cifar100, imdb, mnist, reuters

__all__ = ["cifar10", "cifar100", "imdb", "mnist", "reuters"]
