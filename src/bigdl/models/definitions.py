"""Definitions in memory, Keras 1.2.2's ``model_from_json`` and its like; and BigDL's way to write them to files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bigdl import files
from bigdl.errors import FormatError
from bigdl.files import Uri
from bigdl.formats import read_definition
from bigdl.formats.spec import ModelSpec
from bigdl.graph import Layer
from bigdl.models.loading import from_spec
from bigdl.models.model import Model
from bigdl.registry import custom_object_scope
from bigdl.registry import layer_from_config as make_layer_from_config
from bigdl.training.engine import create_tmp_path

Objects = Mapping[str, Any]


def model_from_json(json_string: str, custom_objects: Objects | None = None) -> Model:
    """Makes a model from what ``to_json`` returned, weights at their initial values.

    Args:
        json_string: The definition.
        custom_objects: The user's own layers and functions, by name.

    Raises:
        FormatError: It is no definition.
        UnsupportedLayerError: A layer's class is not known.
        UnsafeModelError: A layer could only be had by executing code from the definition.
    """
    definition = read_definition(json_string, "the definition")
    return from_spec(ModelSpec(definition.graph, keras_version=definition.keras_version), custom_objects=custom_objects)


def model_from_yaml(yaml_string: str, custom_objects: Objects | None = None) -> Model:
    """Makes a model from what ``to_yaml`` returned; see ``model_from_json``."""
    return model_from_json(yaml_string, custom_objects)


def model_from_config(config: Any, custom_objects: Objects | None = None) -> Layer:
    """Makes a model from ``{"class_name": ..., "config": ...}``; see ``model_from_json``.

    Raises:
        FormatError: It is no such mapping.
    """
    if isinstance(config, list):
        raise FormatError(
            "model_from_config expects a mapping, not a list. Did you mean Sequential.from_config(config)?"
        )
    return layer_from_config(config, custom_objects)


def layer_from_config(config: Mapping[str, Any], custom_objects: Objects | None = None) -> Layer:
    """Makes a layer or a model from ``{"class_name": ..., "config": ...}``.

    Args:
        config: The configuration.
        custom_objects: The user's own layers and functions, by name.

    Raises:
        FormatError: It is no such mapping.
        UnsupportedLayerError: The class is not known.
    """
    with custom_object_scope(custom_objects):
        return make_layer_from_config(config)


def save_keras_definition(keras_model: Any, path: Uri) -> None:
    """Writes the definition of a model, which is all that BigDL needs of one without weights.

    Args:
        keras_model: Anything with ``to_json``.
        path: A path or a URI.
    """
    files.write_bytes(path, keras_model.to_json().encode())


def dump_keras(
    keras_model: Any, json_path: Uri | None = None, hdf5_path: Uri | None = None, dump_weights: bool = False
) -> tuple[Uri, Uri]:
    """Writes a model to temporary files.

    Args:
        keras_model: Anything with ``to_json`` and ``save``.
        json_path: Where the definition goes, if it matters.
        hdf5_path: Where the full save goes, if it matters.
        dump_weights: Whether there is to be one.

    Returns:
        Both paths.
    """
    path = create_tmp_path()
    json_path, hdf5_path = json_path or f"{path}.json", hdf5_path or f"{path}.hdf5"
    save_keras_definition(keras_model, json_path)
    if dump_weights:
        keras_model.save(hdf5_path)
    return json_path, hdf5_path
