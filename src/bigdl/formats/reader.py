"""The one door to model files: whatever they are, a ``ModelSpec`` comes out."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from bigdl import files
from bigdl.errors import FormatError
from bigdl.formats import keras_hdf5, native
from bigdl.formats._sniff import describe, looks_like_hdf5, looks_like_native, mistake
from bigdl.formats._text import MAX_BYTES
from bigdl.formats.keras_json import read_definition
from bigdl.formats.spec import ModelSpec, WeightsSpec


@contextmanager
def read_model(def_uri: files.Uri, weights_uri: files.Uri | None = None) -> Iterator[ModelSpec]:
    """Opens a model; its arrays can be read inside the ``with`` block.

    What a file is shows from its content, not from its name.

    Args:
        def_uri: A definition in JSON or YAML, a full HDF5 save, or a model saved by this library.
        weights_uri: An HDF5 file of weights, a full save, or a model saved by this library, whose weights are taken in
            place of those of ``def_uri``; None for those.

    Raises:
        MissingFileError: A file does not exist.
        StorageError: A file cannot be read.
        FormatError: A file is not what it should be.
    """
    if weights_uri is not None and os.fspath(weights_uri) == os.fspath(def_uri):
        weights_uri = None
    with ExitStack() as stack:
        if weights_uri is None:
            yield _model(stack, def_uri, own_weights=True)
        else:
            yield replace(_model(stack, def_uri, own_weights=False), weights=_weights(stack, weights_uri))


def read_architecture(uri: files.Uri) -> ModelSpec:
    """Reads a model without its arrays, also where those are damaged.

    Args:
        uri: A definition in JSON or YAML, a full HDF5 save, or a model saved by this library.

    Raises:
        MissingFileError: There is no such file.
        StorageError: The file cannot be read.
        FormatError: It holds no definition, or a damaged one.
    """
    with ExitStack() as stack:
        return replace(_model(stack, uri, own_weights=False), weights=None, training=None)


@contextmanager
def read_weights(uri: files.Uri) -> Iterator[WeightsSpec]:
    """Opens weights; their arrays can be read inside the ``with`` block.

    Args:
        uri: An HDF5 file of weights, a full save, or a model saved by this library.

    Raises:
        MissingFileError: There is no such file.
        StorageError: The file cannot be read.
        FormatError: It is not what it should be, or holds no weights.
    """
    with ExitStack() as stack:
        yield _weights(stack, uri)


def _model(stack: ExitStack, uri: files.Uri, own_weights: bool) -> ModelSpec:
    path, source = _local(stack, uri)
    if looks_like_hdf5(path):
        return _full_save(stack.enter_context(keras_hdf5.open_local(path, source)), own_weights)
    if looks_like_native(path):
        return stack.enter_context(native.open_local(path, source))
    if (what := mistake(path)) is not None:
        raise FormatError(f"{source} is no model but {what}.")
    with open(path, "rb") as file:
        definition = read_definition(file.read(MAX_BYTES + 1), source)
    return ModelSpec(definition.graph, keras_version=definition.keras_version, source=source)


def _full_save(file: keras_hdf5.KerasHdf5, own_weights: bool) -> ModelSpec:
    definition = file.definition()
    if definition is None:
        raise FormatError(
            f"{file.source} holds no definition of a model (attribute model_config); it may hold weights. Pass the "
            "definition, such as the JSON of model.to_json(), as def_path and this file as weights_path."
        )
    weights = file.weights() if own_weights else None
    return ModelSpec(definition.graph, weights, file.training(), definition.keras_version, file.source)


def _weights(stack: ExitStack, uri: files.Uri) -> WeightsSpec:
    path, source = _local(stack, uri)
    if looks_like_hdf5(path):
        return stack.enter_context(keras_hdf5.open_local(path, source)).weights()
    if looks_like_native(path):
        weights = stack.enter_context(native.open_local(path, source)).weights
        if weights is not None:
            return weights
    raise FormatError(f"{source} holds no weights; it is {describe(path)}. Expected an HDF5 file of Keras.")


def _local(stack: ExitStack, uri: files.Uri) -> tuple[Path, str]:
    return stack.enter_context(files.local_copy(uri)), files.display(uri)
