"""Keras 1.2.2's ``datasets.cifar100``."""

from bigdl.data.keras_datasets.cifar import load_cifar100 as load_data

__all__ = ["load_data"]
