"""The library's own format: one safetensors file, whose header holds the model's definition as JSON.

Its metadata has the key ``bigdl``: a JSON mapping with ``format`` (its version), ``class_name`` and ``config`` as Keras
1.2.2 has them, ``weights`` and ``optimizer`` (which tensors belong where, in order), ``training`` and ``extra``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from bigdl import files
from bigdl.errors import FormatError
from bigdl.formats._guard import distinct, guarded
from bigdl.formats._pieces import pieces_of
from bigdl.formats._sniff import describe, looks_like_native
from bigdl.formats._text import parse
from bigdl.formats.keras_json import KERAS_VERSION, architecture, dumps
from bigdl.formats.spec import Array, LayerArrays, ModelSpec, StoredArray, TrainingSpec, WeightsSpec

FORMAT_VERSION = 1
_KEY = "bigdl"
_DTYPES = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "U16": "uint16",
    "I16": "int16",
    "U32": "uint32",
    "I32": "int32",
    "U64": "uint64",
    "I64": "int64",
    "F16": "float16",
    "F32": "float32",
    "F64": "float64",
}


def write_native(
    uri: files.Uri,
    class_name: str,
    config: Mapping[str, Any] | Sequence[Any],
    layers: Iterable[LayerArrays],
    training: TrainingSpec | None = None,
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Writes a model, atomically.

    Args:
        uri: Where to.
        class_name: ``"Model"`` or ``"Sequential"``.
        config: Keras 1.2.2's configuration of the model.
        layers: The arrays by layer, layers without arrays included.
        training: How it was compiled, with the optimizer's state; None for a model that was not.
        extra: What else to keep, of what JSON can hold.

    Raises:
        StorageError: The file cannot be written there.
        FormatError: A configuration holds what JSON cannot.
    """
    layers = tuple(layers)
    optimizer = training.optimizer_arrays if training is not None else ()
    owners = [(layer.name, array) for layer in layers for array in layer.arrays]
    owners += [("optimizer", array) for array in optimizer]
    keys = distinct([f"{owner}/{array.name}" for owner, array in owners])
    table = iter(zip((array.name for _, array in owners), keys, strict=True))
    header = {
        "format": FORMAT_VERSION,
        "class_name": class_name,
        "config": config,
        "weights": [[layer.name, [next(table) for _ in layer.arrays]] for layer in layers],
        "optimizer": [next(table) for _ in optimizer],
        "training": training.config if training is not None else None,
        "extra": extra or {},
    }
    metadata = {_KEY: dumps(header)}
    tensors = {
        key: np.ascontiguousarray(array.read()).reshape(array.shape)
        for key, (_, array) in zip(keys, owners, strict=True)
    }
    with files.write_atomic(uri) as path:
        try:
            save_file(tensors, path, metadata=metadata)
        except SafetensorError as error:
            raise OSError(str(error)) from error


@contextmanager
def open_native(uri: files.Uri) -> Iterator[ModelSpec]:
    """Opens a model that ``write_native`` wrote; its arrays can be read inside the ``with`` block.

    Raises:
        MissingFileError: There is no such file.
        FormatError: It is another kind of file, damaged, or of a newer version.
    """
    with files.local_copy(uri) as path, open_local(path, files.display(uri)) as spec:
        yield spec


@contextmanager
def open_local(path: Path, source: str) -> Iterator[ModelSpec]:
    """Opens a local file as ``open_native`` does; messages call it ``source``."""
    if not looks_like_native(path):
        raise FormatError(f"{source} is no model saved by this library but {describe(path)}.")
    with guarded(source, "the file"):
        file = safe_open(path, framework="np")
    with file:
        yield _Reader(file, source).model()


class _Reader:
    def __init__(self, file: Any, source: str) -> None:
        self.file = file
        self.source = source
        with guarded(source, "the header"):
            self.keys = frozenset(file.keys())
            self.metadata = file.metadata() or {}

    def model(self) -> ModelSpec:
        header = self._header()
        class_name, config, extra = header.get("class_name"), header.get("training"), header.get("extra")
        if class_name not in ("Model", "Sequential"):
            raise self._error("class_name must be Model or Sequential")
        if not isinstance(extra, dict) or not isinstance(config, dict | None):
            raise self._error("training and extra must be mappings")
        training = TrainingSpec(config, self._arrays(header.get("optimizer"))) if config is not None else None
        return ModelSpec(
            graph=architecture(header.get("config"), class_name, self.source),
            weights=WeightsSpec(self._layers(header.get("weights")), source=self.source),
            training=training,
            keras_version=KERAS_VERSION,
            source=self.source,
            extra=extra,
        )

    def _header(self) -> dict[str, Any]:
        if _KEY not in self.metadata:
            raise FormatError(
                f"{self.source} is a safetensors file, but no model saved by this library: no {_KEY!r} in its metadata."
                " A state dict is loaded by a model: model.load_state_dict(safetensors.torch.load_file(path))."
            )
        header = parse(self.metadata[_KEY], f"{self.source} (header)")
        version = header.get("format") if isinstance(header, dict) else None
        if not isinstance(header, dict) or not isinstance(version, int) or version < 1:
            raise self._error("the header must be a mapping with the number of its format")
        if version > FORMAT_VERSION:
            raise FormatError(
                f"{self.source} has format {version}; this version of bigdl-torch reads up to {FORMAT_VERSION}. "
                "Update bigdl-torch."
            )
        return header

    def _layers(self, table: Any) -> tuple[LayerArrays, ...]:
        if not isinstance(table, list):
            raise self._error("weights must be a list of layers")
        layers = []
        for row in table:
            match row:
                case [str(name), list(arrays)]:
                    layers.append(LayerArrays(name, self._arrays(arrays)))
                case _:
                    raise self._error("a layer in weights must be [name, arrays]")
        return tuple(layers)

    def _arrays(self, table: Any) -> tuple[StoredArray, ...]:
        if not isinstance(table, list):
            raise self._error("arrays must be a list of [name, tensor]")
        return tuple(self._array(row) for row in table)

    def _array(self, row: Any) -> StoredArray:
        match row:
            case [str(name), str(key)] if key in self.keys:
                pass
            case _:
                raise self._error(f"an array must be [name, tensor in the file]. Received: {str(row)[:200]}")
        with guarded(self.source, f"array {key!r}"):
            entry = self.file.get_slice(key)
            shape, dtype = tuple(entry.get_shape()), entry.get_dtype()
        if dtype not in _DTYPES:
            raise self._error(f"array {key!r} has dtype {dtype}; one of {sorted(_DTYPES)} is read")
        kind = np.dtype(_DTYPES[dtype])
        return StoredArray(name, shape, kind, _TensorReader(self.file, key, shape, kind.itemsize, self.source))

    def _error(self, text: str) -> FormatError:
        return FormatError(f"{self.source}: {text}. The file is damaged; save the model again.")


@dataclass(frozen=True, slots=True)
class _TensorReader:
    """Reads a tensor of an open file."""

    file: Any
    key: str
    shape: tuple[int, ...]
    itemsize: int
    source: str

    def __call__(self) -> Array:
        with guarded(self.source, f"array {self.key!r}"):
            array: Array = self.file.get_tensor(self.key)
        return array

    def pieces(self) -> Iterator[Array]:
        pieces = pieces_of(self.shape, self.itemsize)
        if not pieces:
            yield self()
        for rows in pieces:
            with guarded(self.source, f"array {self.key!r}"):
                piece: Array = self.file.get_slice(self.key)[rows]
            yield piece
