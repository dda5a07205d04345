"""Any URI to bytes or to a local path, and back by an atomic write.

A URI is a local path, ``file://``, or anything fsspec knows: ``s3://`` (also as ``s3a://``), ``hdfs://``, ``webhdfs://``,
``http(s)://``, ``gs://``, ``abfs://``, ``memory://``. Messages show it without user, password and query.
"""

import os
import re
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

from bigdl._secrets import scrub
from bigdl.errors import BigDLError, FormatError, MissingFileError, StorageError

Uri = str | os.PathLike[str]

_SCHEME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+)(?:://|::)")
_FILE = re.compile(r"^file:(?=/)", re.IGNORECASE)

# What to install when fsspec lacks the driver of a scheme.
_INSTALL = {
    "s3": "'bigdl-torch[s3]'",
    "s3a": "'bigdl-torch[s3]'",
    "hdfs": "'bigdl-torch[hdfs]'",
    "viewfs": "'bigdl-torch[hdfs]'",
    "http": "'bigdl-torch[http]'",
    "https": "'bigdl-torch[http]'",
    "webhdfs": "'bigdl-torch[http]'",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "abfs": "adlfs",
    "abfss": "adlfs",
    "az": "adlfs",
}
# Stores in which a half-written file is visible, so that writing goes to another name first. An object store shows an
# object only when it is complete.
_RENAMING = {"hdfs", "viewfs", "webhdfs"}
# Of itself, HDFS's client waits six minutes for a name node that is down: ever longer before each of 15 attempts.
_HDFS_OPTIONS = {"dfs.client.failover.sleep.max.millis": "1000"}
_OPTIONS = {"hdfs": _HDFS_OPTIONS, "viewfs": _HDFS_OPTIONS}
_READ_ONLY = {"http", "https"}


def display(uri: Uri) -> str:
    """Returns ``uri`` as messages may show it: without user, password, query and fragment."""
    return scrub(os.fspath(uri))


def exists(uri: Uri) -> bool:
    """Tells whether there is a file (or folder) at ``uri``.

    Raises:
        StorageError: The store cannot be asked.
    """
    local = _local_path(uri)
    if local is not None:
        return local.exists()
    with _explained(uri, "looked up"):
        fs, path = _remote(uri)
        # Of itself, fsspec's HTTP takes a refused connection for an answer.
        return bool(fs.exists(path, **({"strict": True} if _scheme(uri) in _READ_ONLY else {})))


def read_bytes(uri: Uri, limit: int | None = None) -> bytes:
    """Reads a whole file.

    Args:
        uri: Where it is.
        limit: The most bytes it may have; None for any number.

    Raises:
        MissingFileError: There is no such file.
        StorageError: It cannot be read.
        FormatError: It has more than ``limit`` bytes.
    """
    local = _local_path(uri)
    with _explained(uri, "read"):
        if local is not None:
            with open(local, "rb") as file:
                data = file.read(-1 if limit is None else limit + 1)
        else:
            fs, path = _remote(uri)
            with fs.open(path, "rb") as file:
                data = bytes(file.read(-1 if limit is None else limit + 1))
    if limit is not None and len(data) > limit:
        raise FormatError(f"{display(uri)} has more than {limit} bytes, which is too large for a file of this kind.")
    return data


@contextmanager
def local_copy(uri: Uri) -> Iterator[Path]:
    """Gives a local path with the content of ``uri`` for the time of the ``with`` block.

    A local file is used where it is; any other is fetched into a temporary file.

    Raises:
        MissingFileError: There is no such file.
        StorageError: It cannot be read.
    """
    local = _local_path(uri)
    if local is not None:
        with _explained(uri, "read"), open(local, "rb"):
            pass
        yield local
        return
    with tempfile.TemporaryDirectory(prefix="bigdl-") as folder:
        copy = Path(folder) / "copy"
        with _explained(uri, "read"):
            fs, path = _remote(uri)
            fs.get_file(path, str(copy))
        yield copy


@contextmanager
def write_atomic(uri: Uri) -> Iterator[Path]:
    """Gives a local path to write to; what is there at the end of the ``with`` block appears at ``uri`` as a whole.

    When the block or the transfer fails, a file that was at ``uri`` before is left as it was.

    Raises:
        MissingFileError: The folder does not exist.
        StorageError: The file cannot be written.
    """
    local = _local_path(uri)
    if local is not None:
        yield from _write_local(uri, local)
    else:
        yield from _write_remote(uri)


def make_folder(uri: Uri) -> None:
    """Makes a local folder and those above it, if they are not there; other stores make folders as they are written to.

    Raises:
        StorageError: It cannot be made.
    """
    local = _local_path(uri)
    if local is not None:
        with _explained(uri, "made"):
            local.mkdir(parents=True, exist_ok=True)


def remove_unfinished(folder: Uri) -> None:
    """Removes what killed writers have left in a local folder that nobody writes to now."""
    local = _local_path(folder)
    for path in local.glob(".*.tmp") if local is not None else ():
        with suppress(OSError):
            path.unlink()


def remove(uri: Uri) -> None:
    """Removes a file."""
    local = _local_path(uri)
    with _explained(uri, "removed"):
        if local is not None:
            local.unlink()
        else:
            fs, path = _remote(uri)
            fs.rm_file(path)


def write_bytes(uri: Uri, data: bytes) -> None:
    """Writes a whole file, atomically as ``write_atomic`` does."""
    with write_atomic(uri) as path:
        path.write_bytes(data)


def _write_local(uri: Uri, target: Path) -> Iterator[Path]:
    with _explained(uri, "written"):
        target = target.resolve()  # a link stays a link, what it points to is replaced
        if target.is_dir():
            raise StorageError(f"{display(uri)} cannot be written: there is a folder of that name.")
        temporary = target.with_name(f".{target.name[:200]}.{secrets.token_hex(6)}.tmp")
        temporary.touch(exist_ok=False)
        mode = stat.S_IMODE((target if target.exists() else temporary).stat().st_mode)
    try:
        try:
            yield temporary
        except OSError as error:  # such as a full disk
            raise error if isinstance(error, BigDLError) else _failed(uri, "written", error) from None
        with _explained(uri, "written"):
            temporary.chmod(mode)  # some writers put a file of their own in place of ours
            with open(temporary, "rb+") as file:
                os.fsync(file.fileno())
            os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _write_remote(uri: Uri) -> Iterator[Path]:
    with _explained(uri, "written"):
        if _scheme(uri) in _READ_ONLY:
            raise StorageError(f"{display(uri)} cannot be written: web addresses are for reading only.")
        fs, path = _remote(uri)
    with tempfile.TemporaryDirectory(prefix="bigdl-") as folder:
        temporary = Path(folder) / "new"
        temporary.touch()
        yield temporary
        with _explained(uri, "written"):
            if _scheme(uri) in _RENAMING:
                _upload_and_rename(fs, temporary, path)
            else:
                fs.put_file(str(temporary), path)


def _upload_and_rename(fs: Any, local: Path, path: str) -> None:
    folder, _, name = path.rpartition("/")
    temporary = f"{folder}/.{name}.{secrets.token_hex(6)}.tmp"
    fs.makedirs(folder or "/", exist_ok=True)
    try:
        fs.put_file(str(local), temporary)
        _rename_over(fs, temporary, path)
    except BaseException:
        with suppress(Exception):
            fs.rm(temporary)
        raise


def _rename_over(fs: Any, source: str, target: str) -> None:
    """Renames within HDFS, where an existing target is replaced only on request."""
    if type(fs).__name__ == "WebHDFS":
        # fsspec's own mv has no way to ask for it.
        fs._call("RENAME", method="put", path=source, destination=target, renameoptions="OVERWRITE")
    else:
        fs.mv(source, target, overwrite=True)


def _scheme(uri: Uri) -> str | None:
    match = _SCHEME.match(os.fspath(uri))
    return match.group(1).lower() if match else None


def _local_path(uri: Uri) -> Path | None:
    text = os.fspath(uri)
    if _FILE.match(text):
        parts = urlsplit(text)
        if parts.netloc not in ("", "localhost"):
            raise StorageError(f"{display(uri)}: a file:// URI cannot name another host; write file:///path.")
        return Path(unquote(parts.path))
    if _scheme(uri) is None:
        return Path(text).expanduser()
    return None


def _remote(uri: Uri) -> tuple[Any, str]:
    import fsspec  # here, as it is slow to import and local files do without

    fs, path = fsspec.core.url_to_fs(os.fspath(uri), **_OPTIONS.get(_scheme(uri) or "", {}))
    return fs, path


@contextmanager
def _explained(uri: Uri, done: str) -> Iterator[None]:
    """Turns what the file system raises into this library's errors.

    The cause is not chained: its text and its traceback may hold the URI with its password.
    """
    try:
        yield
    except BigDLError:
        raise
    except FileNotFoundError as error:
        if (cause := _failure_behind(error)) is None:
            _raise_missing(uri, done)
        raise _failed(uri, done, cause) from None
    except ImportError as error:
        package = _INSTALL.get(_scheme(uri) or "")
        remedy = f"pip install {package}" if package else scrub(str(error), uri)
        raise StorageError(
            f"{display(uri)} cannot be {done}: the driver for {_scheme(uri)}:// is not installed. To get it: {remedy}"
        ) from None
    except Exception as error:  # each driver raises its own kinds
        raise _failed(uri, done, error) from None


def _failure_behind(error: FileNotFoundError) -> BaseException | None:
    """Returns what went wrong where fsspec's HTTP calls it a missing file, though it is no connection or no access."""
    cause = error.__cause__
    if isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError):
        return cause
    return cause if getattr(cause, "status", 404) not in (404, 410) else None


def _failed(uri: Uri, done: str, error: BaseException) -> StorageError:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return StorageError(f"{display(uri)} cannot be {done}: {type(error).__name__}: {scrub(text, uri)}")


def _raise_missing(uri: Uri, done: str) -> NoReturn:
    if done == "written":
        raise MissingFileError(f"{display(uri)} cannot be written: its folder or bucket does not exist.") from None
    where = f" (looked in {os.getcwd()})" if _scheme(uri) is None and not os.path.isabs(uri) else ""
    raise MissingFileError(f"{display(uri)} does not exist{where}.") from None
