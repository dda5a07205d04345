"""Keras 1.2.2's ``layers.wrappers``."""

from bigdl.layers import Bidirectional, TimeDistributed
from bigdl.layers.wrappers import Wrapper

__all__ = ["Bidirectional", "TimeDistributed", "Wrapper"]
