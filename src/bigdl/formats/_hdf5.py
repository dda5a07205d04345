"""Reading HDF5 files that nobody vouches for: no other file is ever opened, nothing absurd is ever allocated."""

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from bigdl.errors import FormatError
from bigdl.formats._guard import guarded, shown
from bigdl.formats._hdf5_values import DatasetReader
from bigdl.formats._heaps import check_heaps
from bigdl.formats._sniff import describe, looks_like_hdf5
from bigdl.formats.spec import Array, StoredArray

_MAX_ATTRIBUTE = 64 * 2**20
_MAX_VARIABLE_STRINGS = 2**30
_MAX_DEPTH = 64
_ALWAYS_READ = 2**20
_MAX_CHUNK = 64 * 2**20
_MAX_COMPRESSION = 1100  # deflate cannot do better than 1032


@contextmanager
def open_file(path: Path, source: str) -> Iterator["SafeFile"]:
    """Opens a local file for reading.

    Raises:
        FormatError: It is no HDF5 file, or a damaged one.
    """
    if not looks_like_hdf5(path):
        raise FormatError(
            f"{source} is no HDF5 file but {describe(path)}. Expected what Keras's save_weights() or save() writes."
        )
    with guarded(source, "the file"):
        file = h5py.File(path, "r", locking="best-effort")
    try:
        with guarded(source, "the file"):
            opened = SafeFile(file["/"], path, source)
        yield opened
    finally:
        file.close()


class SafeFile:
    """An open file, and the ways to its contents that are safe.

    Attributes:
        root: Its root group.
        source: Its URI, for messages.
    """

    def __init__(self, root: h5py.Group, path: Path, source: str) -> None:
        self.root = root
        self.source = source
        self._path = path
        self._size = path.stat().st_size
        self._heaps_checked = False

    def child(self, group: h5py.Group, name: str) -> h5py.HLObject | None:
        """Returns what is under a name, which may contain slashes; None where there is nothing.

        Links are looked at one by one before they are followed: a soft or external link may lead to another file.

        Raises:
            FormatError: The way leads over such a link, or to a damaged place.
        """
        node: h5py.HLObject = self.root if name.startswith("/") else group
        steps = [step for step in name.split("/") if step not in ("", ".")]
        if not steps or len(steps) > _MAX_DEPTH:
            raise FormatError(f"{self.source}: {shown(name)} is no name for a part of {group.name!r}.")
        for step in steps:
            with guarded(self.source, f"{shown(name)} in {group.name!r}"):
                key = step.encode("utf8")
                if not isinstance(node, h5py.Group) or not node.id.links.exists(key):
                    return None
                if node.id.links.get_info(key).type != h5py.h5l.TYPE_HARD:
                    raise FormatError(
                        f"{self.source}: {shown(name)} in {group.name!r} is a link that may lead to another file, "
                        "and is not followed. Copy the data into the file."
                    )
                node = self._opened(h5py.h5o.open(node.id, key), name)
        return node

    def _opened(self, identifier: h5py.h5g.GroupID | h5py.h5d.DatasetID, name: str) -> h5py.HLObject:
        if isinstance(identifier, h5py.h5g.GroupID):
            return h5py.Group(identifier)
        if not isinstance(identifier, h5py.h5d.DatasetID):
            raise FormatError(f"{self.source}: {shown(name)} is neither a group nor an array.")
        # Before anything asks for the shape, for which a virtual dataset would open its sources.
        layout = identifier.get_create_plist()
        if layout.get_layout() == h5py.h5d.VIRTUAL or layout.get_external_count():
            raise FormatError(
                f"{self.source}: {shown(name)} keeps its data in another file, which is not read. "
                "Copy the data into the file."
            )
        return h5py.Dataset(identifier)

    def stored_array(self, dataset: h5py.Dataset, name: str) -> StoredArray:
        """Describes a dataset of numbers; its values are read on demand, while the file is open.

        Raises:
            FormatError: It does not hold numbers, or declares more of them than the file can hold.
        """
        with guarded(self.source, f"array {shown(name)}"):
            dtype = dataset.dtype
            if dtype.kind not in "fiub":
                raise FormatError(f"{self.source}: array {shown(name)} must hold numbers. Received: dtype {dtype}.")
            if dataset.shape is None:
                raise FormatError(f"{self.source}: array {shown(name)} has no shape.")
            self._check_size(dataset, name)
            shape = tuple(int(size) for size in dataset.shape)
        native = dtype.newbyteorder("=")
        return StoredArray(name, shape, native, DatasetReader(dataset, shape, native, name, self.source))

    def _check_size(self, dataset: h5py.Dataset, name: str) -> None:
        where = f"{self.source}: array {shown(name)} of shape {dataset.shape}"
        declared = math.prod(dataset.shape) * dataset.dtype.itemsize
        stored = dataset.id.get_storage_size()
        factor = _MAX_COMPRESSION if dataset.id.get_create_plist().get_nfilters() else 1
        if stored > self._size or (declared > _ALWAYS_READ and declared > stored * factor):
            raise FormatError(
                f"{where} takes {declared} bytes, the file has {stored} for it. The file is damaged or truncated; "
                "fetch or save it again."
            )
        if dataset.chunks is None:
            return
        pieces = math.prod(-(-size // chunk) for size, chunk in zip(dataset.shape, dataset.chunks, strict=False))
        if (
            len(dataset.chunks) != len(dataset.shape)
            or math.prod(dataset.chunks) * dataset.dtype.itemsize > max(_MAX_CHUNK, declared)
            or pieces > max(_ALWAYS_READ, stored)
        ):
            raise FormatError(f"{where} is stored in pieces of absurd shape: {dataset.chunks}.")

    def strings(self, node: h5py.HLObject, name: str) -> tuple[str, ...] | None:
        """Returns an attribute that is a list of strings; None where there is none.

        A list too long for one attribute is spread over ``name0``, ``name1``, ...

        Raises:
            FormatError: It is something else.
        """
        if (value := self._attribute(node, name)) is not None:
            return self._as_strings(value, name)
        parts: list[str] = []
        for piece in itertools.count():
            if (value := self._attribute(node, f"{name}{piece}")) is None:
                return tuple(parts) if piece else None
            parts.extend(self._as_strings(value, name))
        return None

    def text(self, node: h5py.HLObject, name: str) -> str | None:
        """Returns an attribute that is one string; None where there is none.

        Raises:
            FormatError: It is something else.
        """
        value = self._attribute(node, name)
        if value is None:
            return None
        found = self._as_strings(value, name)
        if len(found) != 1:
            raise FormatError(f"{self.source}: attribute {name!r} must be one string. Received: {len(found)}.")
        return found[0]

    def integer(self, node: h5py.HLObject, name: str) -> int | None:
        """Returns an attribute that is an integer; None where there is none.

        Raises:
            FormatError: It is something else.
        """
        value = self._attribute(node, name)
        if value is None:
            return None
        if value.size != 1 or value.dtype.kind not in "iu":
            raise FormatError(
                f"{self.source}: attribute {name!r} must be an integer. Received: {value.dtype} {value.shape}."
            )
        return int(value.reshape(-1)[0])

    def _attribute(self, node: h5py.HLObject, name: str) -> Array | None:
        with guarded(self.source, f"attribute {name!r} of {node.name!r}"):
            if name not in node.attrs:
                return None
            attribute = node.attrs.get_id(name)
            shape, dtype = attribute.shape, attribute.dtype
            if shape is None:
                return np.empty(0)
            variable = h5py.check_string_dtype(dtype) is not None and dtype.kind == "O"
            if dtype.kind not in "SUiufb" and not variable:
                raise FormatError(f"{self.source}: attribute {name!r} must hold strings or numbers. Received: {dtype}.")
            size = math.prod(shape)
            absurd = size * max(dtype.itemsize, 1) > _MAX_ATTRIBUTE
            if variable:  # strings kept elsewhere in the file
                self._check_heaps()
                # Many of them may share one place, so that a small file can ask for any amount of memory.
                absurd |= size > 1 and size * self._most_bytes_of_a_string() > _MAX_VARIABLE_STRINGS
            if absurd:
                raise FormatError(
                    f"{self.source}: attribute {name!r} of {node.name!r} is absurdly large: {size} values."
                )
            return np.asarray(node.attrs[name])

    def _check_heaps(self) -> None:
        if not self._heaps_checked:
            if self.root.file.id.get_create_plist().get_sizes() != (8, 8):
                raise FormatError(f"{self.source} has addresses of another length than 8 bytes, which no Keras writes.")
            check_heaps(self._path, self.source)
            self._heaps_checked = True

    def _most_bytes_of_a_string(self) -> int:
        """Returns how large a string in an attribute can be: what the file's arrays leave."""
        arrays = 0

        def count(name: bytes) -> None:
            nonlocal arrays
            found = h5py.h5o.open(self.root.id, name)
            if isinstance(found, h5py.h5d.DatasetID):
                arrays += found.get_storage_size()

        h5py.h5o.visit(self.root.id, count)  # hard links only, each object once
        return max(self._size - arrays, 0)

    def _as_strings(self, value: Array, name: str) -> tuple[str, ...]:
        if value.size == 0:  # Keras writes an empty list as an array of floats
            return ()
        try:
            return tuple(_as_string(item) for item in value.reshape(-1).tolist())
        except (TypeError, UnicodeDecodeError) as error:
            raise FormatError(f"{self.source}: attribute {name!r} must hold strings: {error}.") from error


def _as_string(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf8")
    if isinstance(value, str):
        return value.encode("utf8", "surrogateescape").decode("utf8")  # h5py hides undecodable bytes in surrogates
    raise TypeError(f"received a {type(value).__name__}")
