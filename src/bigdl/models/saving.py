"""From a live model to files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from bigdl import files
from bigdl.files import Uri
from bigdl.formats import write_definition, write_full, write_native, write_weights
from bigdl.formats.keras_yaml import as_yaml
from bigdl.formats.spec import LayerArrays, StoredArray
from bigdl.graph import Layer, SequentialContainer, Weight
from bigdl.models.compiled_state import keras_training, moved_weights, native_extra, native_training
from bigdl.models.frozen import frozen_by_layer
from bigdl.models.keras_definition import for_keras

if TYPE_CHECKING:
    from bigdl.models.model import Model

_HDF5_SUFFIXES = (".h5", ".hdf5")


def save(model: Model, path: Uri, over_write: bool = True) -> None:
    """Writes definition, weights and, of a compiled model, training state to one file; see ``Model.save``."""
    check_free(path, over_write)
    if os.fspath(path).lower().endswith(_HDF5_SUFFIXES):
        with frozen_by_layer(model, moved_weights(model)):
            config, training = for_keras(model.get_config()), keras_training(model)
            write_full(path, class_name(model), config, arrays_of(model), training)
    else:
        training, extra = native_training(model), native_extra(model)
        write_native(path, class_name(model), model.get_config(), arrays_of(model), training, extra)


def save_weights(model: Model, path: Uri, over_write: bool = True) -> None:
    """Writes the weights as Keras 1.2.2's HDF5 file; see ``Model.save_weights``."""
    check_free(path, over_write)
    write_weights(path, arrays_of(model))


def save_model(model: Model, filepath: Uri, overwrite: bool = True) -> None:
    """Saves a model; Keras 1.2.2's name of ``Model.save``."""
    save(model, filepath, overwrite)


def to_json(model: Model, **kwargs: Any) -> str:
    """Returns the definition as Keras 1.2.2 writes it; see ``Model.to_json``."""
    return write_definition(class_name(model), for_keras(model.get_config()), **kwargs)


def to_yaml(model: Model) -> str:
    """Returns the definition as YAML."""
    return as_yaml(to_json(model))


def class_name(model: Model) -> str:
    """Returns the class that files give a model; a user's subclass is written as what it is in Keras."""
    return "Sequential" if isinstance(model, SequentialContainer) else "Model"


def arrays_of(model: Model) -> list[LayerArrays]:
    """Describes a model's arrays as weight files hold them: by layer, under Keras's names, read when asked for."""
    return [_layer_arrays(layer) for layer in model.weight_layers]


def _layer_arrays(layer: Layer) -> LayerArrays:
    return LayerArrays(layer.name, tuple(_array(weight) for weight in layer.weights))


def _array(weight: Weight) -> StoredArray:
    dtype = np.dtype(str(weight.parameter.dtype).removeprefix("torch."))
    return StoredArray(f"{weight.module.name}_{weight.name}:0", weight.shape, dtype, weight.numpy)


def check_free(path: Uri, over_write: bool) -> None:
    """Checks that there is no file, unless it may be replaced.

    Raises:
        FileExistsError: There is one.
    """
    if not over_write and files.exists(path):
        raise FileExistsError(f"{files.display(path)} is there already. Say over_write=True to replace it.")
