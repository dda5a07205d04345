"""HDF5 files of Keras 1.x: weights alone, or a whole model with its definition, weights and optimizer."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py

from bigdl import files
from bigdl.errors import FormatError
from bigdl.formats._hdf5 import SafeFile, open_file
from bigdl.formats._text import parse
from bigdl.formats.keras_json import Definition, read_definition
from bigdl.formats.spec import LayerArrays, StoredArray, TrainingSpec, WeightsSpec

_MAX_ARRAYS = 200_000


@contextmanager
def open_hdf5(uri: files.Uri) -> Iterator["KerasHdf5"]:
    """Opens a weights file or a full save; its arrays can be read inside the ``with`` block.

    Raises:
        MissingFileError: There is no such file.
        FormatError: It is no HDF5 file, or a damaged one.
    """
    with files.local_copy(uri) as path, open_local(path, files.display(uri)) as opened:
        yield opened


@contextmanager
def open_local(path: Path, source: str) -> Iterator["KerasHdf5"]:
    """Opens a local file as ``open_hdf5`` does; messages call it ``source``."""
    with open_file(path, source) as file:
        yield KerasHdf5(file)


@dataclass(frozen=True, slots=True)
class KerasHdf5:
    """An open file of Keras.

    Attributes:
        file: The file.
    """

    file: SafeFile

    @property
    def source(self) -> str:
        """The file's URI, for messages."""
        return self.file.source

    def definition(self) -> Definition | None:
        """Returns the model's definition, which a full save holds; None in a weights file.

        Raises:
            FormatError: It is damaged, or not one of Keras 1.x.
        """
        config = self.file.text(self.file.root, "model_config")
        if config is None:
            return None
        version = self.file.text(self.file.root, "keras_version")
        return read_definition(config, f"{self.source} (model_config)", version)

    def training(self) -> TrainingSpec | None:
        """Returns how the model was compiled and its optimizer's state; None where it was not compiled.

        Raises:
            FormatError: It is damaged.
        """
        text = self.file.text(self.file.root, "training_config")
        if text is None:
            return None
        config = parse(text, f"{self.source} (training_config)")
        optimizer = config.get("optimizer_config") if isinstance(config, dict) else None
        if not isinstance(optimizer, Mapping) or not {"class_name", "config"} <= optimizer.keys():
            raise FormatError(
                f"{self.source}: training_config must have an optimizer_config with class_name and config. "
                f"Received: {text[:100]!r}."
            )
        group = self._group(self.file.root, "optimizer_weights")
        return TrainingSpec(config, self._named_arrays(group) if group is not None else ())

    def weights(self) -> WeightsSpec:
        """Returns the arrays by layer.

        Raises:
            FormatError: There are none, or the file is damaged.
        """
        group = self._weights_group()
        number = self.file.integer(group, "nb_layers")
        if number is not None:
            return WeightsSpec(self._numbered_layers(group, number), named=False, source=self.source)
        names = self.file.strings(group, "layer_names") or ()
        if len(set(names)) < len(names):
            raise FormatError(f"{self.source}: layer_names has a name more than once.")
        return WeightsSpec(tuple(self._layers(group, names)), source=self.source)

    def _weights_group(self) -> h5py.Group:
        """Returns the root of a weights file, or the group that holds the weights in a full save."""
        inner = self._group(self.file.root, "model_weights")
        for group in (self.file.root, inner):
            if group is not None and (
                self.file.integer(group, "nb_layers") is not None or self.file.strings(group, "layer_names") is not None
            ):
                return group
        raise FormatError(
            f"{self.source} holds no weights of Keras: attribute layer_names is missing"
            f"{' in the group model_weights' if inner is not None else ', and there is no group model_weights'}. "
            "Expected what save_weights() or save() of Keras 1.x writes."
        )

    def _layers(self, group: h5py.Group, names: tuple[str, ...]) -> Iterator[LayerArrays]:
        total = 0
        for name in names:
            layer = self._group(group, name)
            if layer is None:
                raise FormatError(f"{self.source}: layer_names has {name!r}, but there is no group of that name.")
            arrays = self._named_arrays(layer)
            total += len(arrays)
            self._check_number(total)
            yield LayerArrays(name, arrays)

    def _named_arrays(self, group: h5py.Group) -> tuple[StoredArray, ...]:
        names = self.file.strings(group, "weight_names")
        if names is None:
            raise FormatError(f"{self.source}: group {group.name!r} lacks the attribute weight_names.")
        self._check_number(len(names))
        return tuple(self._array(group, name) for name in names)

    def _numbered_layers(self, group: h5py.Group, number: int) -> tuple[LayerArrays, ...]:
        """Reads the oldest layout: ``layer_0/param_0`` and so on, without names."""
        self._check_number(number)
        layers = []
        total = 0
        for name in (f"layer_{index}" for index in range(number)):
            layer = self._group(group, name)
            arrays = self.file.integer(layer, "nb_params") if layer is not None else None
            if layer is None or arrays is None:
                raise FormatError(f"{self.source}: nb_layers is {number}, but {name!r} with nb_params is missing.")
            total += arrays
            self._check_number(total)
            layers.append(LayerArrays(name, tuple(self._array(layer, f"param_{index}") for index in range(arrays))))
        return tuple(layers)

    def _group(self, parent: h5py.Group, name: str) -> h5py.Group | None:
        found = self.file.child(parent, name)
        if found is not None and not isinstance(found, h5py.Group):
            raise FormatError(f"{self.source}: {name!r} in {parent.name!r} must be a group. Received: an array.")
        return found

    def _array(self, group: h5py.Group, name: str) -> StoredArray:
        found = self.file.child(group, name)
        if not isinstance(found, h5py.Dataset):
            what = "a group" if found is not None else "nothing"
            raise FormatError(f"{self.source}: an array {name!r} must be in {group.name!r}. Found: {what}.")
        return self.file.stored_array(found, name)

    def _check_number(self, number: int) -> None:
        if not 0 <= number <= _MAX_ARRAYS:
            raise FormatError(f"{self.source}: {number} arrays or layers cannot be; at most {_MAX_ARRAYS} are read.")
