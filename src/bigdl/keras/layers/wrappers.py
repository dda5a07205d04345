"""Keras 1.2.2's ``layers.wrappers``."""

from bigdl.layers import Bidirectional, TimeDistributed
from bigdl.layers.custom import InputSpec
from bigdl.layers.custom import KerasLayer as Layer
from bigdl.layers.wrappers import Wrapper

__all__ = ["Bidirectional", "InputSpec", "Layer", "TimeDistributed", "Wrapper"]
