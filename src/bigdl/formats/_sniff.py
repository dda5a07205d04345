"""Which format a file has, by its content."""

from pathlib import Path

import h5py

_HDF5 = b"\x89HDF\r\n\x1a\n"
_LENGTH = 8  # of the number before the header of a safetensors file
_SAFETENSORS = b'{"__metadata__"'  # which begins the header of those with a definition

# What people pass by mistake, by its first bytes.
_MISTAKES: tuple[tuple[bytes, str], ...] = (
    (b"version https://git-lfs", "a Git LFS pointer (run `git lfs pull` to get the file itself)"),
    (b"<", "a page of HTML or XML (was an error page saved in place of the file?)"),
    (b"PK\x03\x04", "a ZIP archive (unpack it first; a .keras file of Keras 3 is not read)"),
    (b"\x1f\x8b", "compressed by gzip (unpack it first)"),
    (b"\x80", "a pickle, which is never read as it can execute code"),
)


def looks_like_hdf5(path: Path) -> bool:
    """Tells whether a file begins as HDF5 does, or has HDF5 behind a user block."""
    return _head(path).startswith(_HDF5) or bool(h5py.is_hdf5(path))


def looks_like_native(path: Path) -> bool:
    """Tells whether a file begins as safetensors does: the length of a JSON header, then the header."""
    head = _head(path)
    return head[_LENGTH : _LENGTH + 1] == b"{" and int.from_bytes(head[:_LENGTH], "little") < path.stat().st_size


def describe(path: Path) -> str:
    """Says what a file is that was expected to be something else."""
    head = _head(path)
    return mistake(path) or ("an HDF5 file" if head.startswith(_HDF5) else f"something that begins with {head!r}")


def mistake(path: Path) -> str | None:
    """Says what a file is that is none of a model; None where it may be one."""
    head = _head(path)
    if head[_LENGTH:].startswith(_SAFETENSORS) and not looks_like_native(path):
        return "a safetensors file whose end is missing (it was cut off: fetch or save it again)"
    head = head.lstrip()
    if not head:
        return "empty"
    return next((text for prefix, text in _MISTAKES if head.startswith(prefix)), None)


def _head(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(24)
