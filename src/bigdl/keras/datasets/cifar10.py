"""Keras 1.2.2's ``datasets.cifar10``."""

from bigdl.data.keras_datasets.cifar import load_cifar10 as load_data

__all__ = ["load_data"]
