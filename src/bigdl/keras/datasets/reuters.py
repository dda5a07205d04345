"""Keras 1.2.2's ``datasets.reuters``."""

from bigdl.data.keras_datasets.words import load_reuters as load_data
from bigdl.data.keras_datasets.words import reuters_word_index as get_word_index

__all__ = ["get_word_index", "load_data"]
