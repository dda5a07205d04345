"""Keras 1.2.2's ``engine``."""

from bigdl.graph import Input, InputLayer
from bigdl.graph import source_inputs as get_source_inputs
from bigdl.layers import Merge, merge
from bigdl.layers.custom import InputSpec
from bigdl.layers.custom import KerasLayer as Layer
from bigdl.models import Model

__all__ = ["Input", "InputLayer", "InputSpec", "Layer", "Merge", "Model", "get_source_inputs", "merge"]
