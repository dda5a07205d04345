"""From class names and descriptions to live layers; open to users' own layers and weight layouts."""

from bigdl.registry.build import Finding as Finding
from bigdl.registry.build import Survey as Survey
from bigdl.registry.build import build_graph as build_graph
from bigdl.registry.build import layer_from_config as layer_from_config
from bigdl.registry.build import survey as survey
from bigdl.registry.classes import Entry as Entry
from bigdl.registry.classes import entry_for as entry_for
from bigdl.registry.classes import layer as layer
from bigdl.registry.classes import make_layer as make_layer
from bigdl.registry.classes import register_layer as register_layer
from bigdl.registry.classes import supported_layers as supported_layers
from bigdl.registry.objects import NamedObjects as NamedObjects
from bigdl.registry.objects import custom_object as custom_object
from bigdl.registry.objects import custom_object_scope as custom_object_scope
from bigdl.registry.objects import get_custom_objects as get_custom_objects
from bigdl.registry.weights import Adapt as Adapt
from bigdl.registry.weights import LoadReport as LoadReport
from bigdl.registry.weights import load_by_name as load_by_name
from bigdl.registry.weights import load_by_position as load_by_position
