"""Keras 1.2.2's ``layers.embeddings``."""

from bigdl.layers import Embedding

__all__ = ["Embedding"]
