"""Keras 1.2.2's ``datasets.imdb``."""

from bigdl.data.keras_datasets.words import imdb_word_index as get_word_index
from bigdl.data.keras_datasets.words import load_imdb as load_data

__all__ = ["get_word_index", "load_data"]
