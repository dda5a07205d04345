"""Keras 1.2.2's ``utils.generic_utils``."""

from bigdl.registry import get_custom_objects
from bigdl.registry.keras_objects import CustomObjectScope, custom_object_scope, get_from_module, make_tuple
from bigdl.training.progbar import Progbar

__all__ = ["CustomObjectScope", "Progbar", "custom_object_scope", "get_custom_objects", "get_from_module", "make_tuple"]
