"""Keras 1.2.2's ``models``."""

from bigdl.graph import source_inputs as get_source_inputs
from bigdl.layers import Merge
from bigdl.layers.custom import KerasLayer as Layer
from bigdl.models import Model, Sequential
from bigdl.models.definitions import model_from_config, model_from_json, model_from_yaml
from bigdl.models.loading import load_model
from bigdl.models.saving import save_model

__all__ = [
    "Layer",
    "Merge",
    "Model",
    "Sequential",
    "get_source_inputs",
    "load_model",
    "model_from_config",
    "model_from_json",
    "model_from_yaml",
    "save_model",
]
