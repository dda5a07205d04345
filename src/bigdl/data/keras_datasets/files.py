"""Where Keras 1.2.2 keeps the files of its data sets."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from bigdl.errors import DataError, FormatError


def data_path(path: str) -> Path:
    """Returns the path of a data set's file: as it is, or in Keras's folder ``~/.keras/datasets``.

    Args:
        path: A path, or a name in that folder.

    Raises:
        DataError: There is no such file.
    """
    candidates = (Path(path).expanduser(), Path("~/.keras/datasets").expanduser() / path)
    found = next((candidate for candidate in candidates if candidate.exists()), None)
    if found is None:
        raise DataError(
            f"There is no {path}. Put Keras's file there, or into {candidates[1].parent}, or give its path. Data sets "
            "other than MNIST are not downloaded."
        )
    return found


def read_file(path: Path) -> bytes:
    """Returns a file's bytes, unpacked where its name ends in ``.gz``.

    Raises:
        FormatError: It cannot be unpacked.
    """
    content = path.read_bytes()
    if path.suffix != ".gz":
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise FormatError(f"{path} cannot be unpacked: {error}.") from error
