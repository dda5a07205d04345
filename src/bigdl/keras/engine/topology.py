"""Keras 1.2.2's ``engine.topology``."""

from bigdl.graph import Container, Input, InputLayer, Node
from bigdl.graph import source_inputs as get_source_inputs
from bigdl.layers import Merge, merge
from bigdl.layers.custom import InputSpec
from bigdl.layers.custom import KerasLayer as Layer

__all__ = ["Container", "Input", "InputLayer", "InputSpec", "Layer", "Merge", "Node", "get_source_inputs", "merge"]
