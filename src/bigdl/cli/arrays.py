"""NumPy's files on the command line: ``.npy`` for one array, ``.npz`` for several."""

from __future__ import annotations

import io
import sys
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bigdl import files
from bigdl.errors import DataError

Array = NDArray[Any]


def read_arrays(uri: str, names: Sequence[str]) -> Array | list[Array] | dict[str, Array]:
    """Reads what a model takes.

    Args:
        uri: A path or a URI; ``-`` for standard input.
        names: What the model calls its inputs, or its outputs.

    Returns:
        The array of an ``.npy``; those of an ``.npz`` by name where its names are the model's, else in its order.

    Raises:
        DataError: It is no such file, or has objects instead of numbers in it.
    """
    data = sys.stdin.buffer.read() if uri == "-" else files.read_bytes(uri)
    try:
        loaded = np.load(io.BytesIO(data))
        if isinstance(loaded, np.ndarray):
            return loaded
        found = {name: loaded[name] for name in loaded.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        source = "Standard input" if uri == "-" else files.display(uri)
        raise DataError(f"{source} is no .npy or .npz file of numbers: {error}") from error
    if len(found) > 1 and set(found) == set(names):
        return found
    arrays = list(found.values())
    return arrays[0] if len(arrays) == 1 else arrays


def write_arrays(uri: str, arrays: Mapping[str, Array]) -> None:
    """Writes arrays; to standard output as ``.npy`` or ``.npz``, on a terminal as text.

    Args:
        uri: A path or a URI that ends in ``.npy`` or ``.npz``; ``-`` for standard output.
        arrays: The arrays by name.

    Raises:
        DataError: There are several and the file can hold one, or its ending says nothing.
    """
    if uri == "-" and sys.stdout.isatty():
        print("\n".join(str(array) for array in arrays.values()))
        return
    packed = len(arrays) > 1 if uri == "-" else checked_ending(uri, len(arrays)) == ".npz"
    data = _packed(arrays) if packed else _plain(*arrays.values())
    if uri == "-":
        sys.stdout.buffer.write(data)
    else:
        files.write_bytes(uri, data)


def checked_ending(uri: str, number: int) -> str:
    """Returns the ending of a file that a number of arrays is to be written to.

    Raises:
        DataError: See ``write_arrays``.
    """
    ending = uri[-4:].lower()
    if ending not in (".npy", ".npz"):
        raise DataError(f"Outputs are written to .npy or .npz files. Received: {uri}.")
    if ending == ".npy" and number > 1:
        raise DataError(f"The model has {number} outputs, which an .npy file cannot hold. Give {uri[:-4]}.npz.")
    return ending


def _plain(array: Array) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _packed(arrays: Mapping[str, Array]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:  # np.savez takes no array named "file"
        for name, array in arrays.items():
            archive.writestr(f"{name}.npy", _plain(array))
    return buffer.getvalue()
