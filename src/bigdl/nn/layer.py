"""BigDL's ``bigdl.nn.layer``: ``from bigdl.nn.layer import *`` gives ``Model`` with ``Model.load_keras``."""

from bigdl.graph import Container as Container
from bigdl.graph import Layer as Layer
from bigdl.models import Model as Model
from bigdl.models import Sequential as Sequential
from bigdl.registry import register_layer as register_layer
from bigdl.registry import supported_layers as supported_layers

__all__ = ["Container", "Layer", "Model", "Sequential", "register_layer", "supported_layers"]
