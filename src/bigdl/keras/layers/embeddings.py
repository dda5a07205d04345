"""Keras 1.2.2's ``layers.embeddings``."""

from bigdl.layers import Embedding
from bigdl.layers.custom import InputSpec
from bigdl.layers.custom import KerasLayer as Layer

__all__ = ["Embedding", "InputSpec", "Layer"]
