"""Graphs of layers: how they are built, ordered, planned and run."""

from bigdl.graph.container import Container as Container
from bigdl.graph.input import Input as Input
from bigdl.graph.input import InputLayer as InputLayer
from bigdl.graph.layer import Layer as Layer
from bigdl.graph.matching import matching_layers as matching_layers
from bigdl.graph.names import reset_names as reset_names
from bigdl.graph.names import unique_name as unique_name
from bigdl.graph.sequential import SequentialContainer as SequentialContainer
from bigdl.graph.sequential import source_inputs as source_inputs
from bigdl.graph.tensor import MaskKind as MaskKind
from bigdl.graph.tensor import Node as Node
from bigdl.graph.tensor import Shape as Shape
from bigdl.graph.tensor import SymbolicTensor as SymbolicTensor
from bigdl.graph.weight import SAME as SAME
from bigdl.graph.weight import Layout as Layout
from bigdl.graph.weight import Weight as Weight
from bigdl.graph.weight import without_initialization as without_initialization
from bigdl.graph.weighted import attribute_changes as attribute_changes
