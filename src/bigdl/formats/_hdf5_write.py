"""Writing the HDF5 files that Keras 1.2.2 opens."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import h5py
import numpy as np

from bigdl import files
from bigdl.errors import FormatError
from bigdl.formats._guard import distinct
from bigdl.formats.keras_json import KERAS_VERSION, dumps
from bigdl.formats.spec import Array, LayerArrays, StoredArray, TrainingSpec

# An object's attributes share 64 KiB in the format that every version of the HDF5 library reads.
_MAX_NAMES = 60_000


def write_weights(uri: files.Uri, layers: Iterable[LayerArrays]) -> None:
    """Writes a weights file, as Keras 1.2.2's ``save_weights``; one array at a time is in memory.

    Args:
        uri: Where to.
        layers: The arrays by layer, layers without arrays included.

    Raises:
        StorageError: The file cannot be written there.
        FormatError: Names occur more than once.
    """
    layers = tuple(layers)
    with files.write_atomic(uri) as path, h5py.File(path, "w", libver=_version(layers)) as file:
        _write_layers(file, layers)


def write_full(
    uri: files.Uri,
    class_name: str,
    config: Mapping[str, Any] | Sequence[Any],
    layers: Iterable[LayerArrays],
    training: TrainingSpec | None = None,
) -> None:
    """Writes definition, weights and training state, as Keras 1.2.2's ``save``; one array at a time is in memory.

    Args:
        uri: Where to.
        class_name: ``"Model"`` or ``"Sequential"``.
        config: Keras 1.2.2's configuration of the model.
        layers: The arrays by layer, layers without arrays included.
        training: How it was compiled, with the optimizer's state; None for a model that was not.

    Raises:
        StorageError: The file cannot be written there.
        FormatError: Names occur more than once, or the configuration holds what JSON cannot.
    """
    layers = tuple(layers)
    with files.write_atomic(uri) as path, h5py.File(path, "w", libver=_version(layers, training)) as file:
        file.attrs["keras_version"] = KERAS_VERSION.encode("utf8")
        file.attrs["model_config"] = dumps({"class_name": class_name, "config": config}).encode("utf8")
        _write_layers(file.create_group("model_weights"), layers)
        if training is None:
            return
        file.attrs["training_config"] = dumps(training.config).encode("utf8")
        if training.optimizer_arrays:
            _write_arrays(file.create_group("optimizer_weights"), training.optimizer_arrays)


def _version(layers: Sequence[LayerArrays], training: TrainingSpec | None = None) -> str | tuple[str, str]:
    """Returns the version of the format: the oldest, or HDF5 1.8's where a list of names needs the room."""
    lists = [[layer.name for layer in layers]]
    lists += [[array.name for array in layer.arrays] for layer in layers]
    lists += [[array.name for array in training.optimizer_arrays]] if training is not None else []
    return "earliest" if all(_encoded(names).nbytes <= _MAX_NAMES for names in lists) else ("v108", "v108")


def _write_layers(group: h5py.Group, layers: Sequence[LayerArrays]) -> None:
    names = [layer.name for layer in layers]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise FormatError(f"Two layers have the name {twice!r}; an HDF5 file of Keras needs a name for each.")
    group.attrs["layer_names"] = _encoded(names)
    for layer in layers:
        _write_arrays(group.create_group(layer.name), layer.arrays)


def _write_arrays(group: h5py.Group, arrays: Sequence[StoredArray]) -> None:
    names = distinct([array.name for array in arrays])  # Keras takes the order from the attribute, whatever the names
    group.attrs["weight_names"] = _encoded(names)
    for name, array in zip(names, arrays, strict=True):
        group.create_dataset(name, data=np.asarray(array.read()))


def _encoded(names: Sequence[str]) -> Array:
    """Returns names as an array of bytes of one length; h5py would store a list in another way, as of its version 3."""
    return np.array([name.encode("utf8") for name in names])
