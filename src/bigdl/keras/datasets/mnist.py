"""Keras 1.2.2's ``datasets.mnist``."""

from bigdl.data.keras_datasets.mnist import load_data

__all__ = ["load_data"]
