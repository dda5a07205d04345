"""Files of the net in Keras's folder, ``~/.keras``."""

from __future__ import annotations

import hashlib
import os
import tarfile
from pathlib import Path

from bigdl import files
from bigdl.errors import DataError, FormatError, StorageError


def get_file(
    fname: str,
    origin: str,
    untar: bool = False,
    md5_hash: str | None = None,
    cache_subdir: str = "datasets",
) -> str:
    """Returns the path of a file in Keras's folder, and downloads it if it is not there.

    Args:
        fname: Its name, or that of the folder it is unpacked to.
        origin: Its URL.
        untar: Whether it is an archive, ``fname.tar.gz``, to be unpacked.
        md5_hash: Its MD5; another one that is there is replaced.
        cache_subdir: The folder in ``~/.keras``.

    Raises:
        DataError: It is not there and cannot be downloaded.
        FormatError: What was downloaded is not what the hash says, or no archive.
    """
    folder = Path("~/.keras").expanduser() / cache_subdir
    path = folder / (f"{fname}.tar.gz" if untar else fname)
    if untar and (folder / fname).exists():
        return str(folder / fname)
    if not path.exists() or (md5_hash is not None and not validate_file(path, md5_hash)):
        _download(origin, path, md5_hash)
    if not untar:
        return str(path)
    _unpack(path, folder)
    return str(folder / fname)


def validate_file(fpath: str | os.PathLike[str], md5_hash: str) -> bool:
    """Tells whether a file has this MD5."""
    with open(fpath, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() == md5_hash


def _download(origin: str, path: Path, md5_hash: str | None) -> None:
    print(f"Downloading {origin}")
    try:
        content = files.read_bytes(origin)
    except (StorageError, ImportError) as error:
        raise DataError(
            f"{path} is not there, and cannot be downloaded from {origin}: {error}. Put it there."
        ) from error
    received = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if md5_hash is not None and received != md5_hash:
        raise FormatError(f"{origin}: expected a file with MD5 {md5_hash}. Received: {received}.")
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_bytes(path, content)


def _unpack(path: Path, folder: Path) -> None:
    try:
        with tarfile.open(path) as archive:
            archive.extractall(folder, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise FormatError(
            f"{path} is no archive, or damaged: {error}. Delete it to have it downloaded anew."
        ) from error
