"""A check of the part of HDF5 files that the HDF5 library does not check itself.

Strings of variable length are kept in "global heap collections". Where an object in one claims to have no bytes, the
library (2.0 and before) reads it again for ever. Layout: HDF5 File Format Specification, III.E "Disk Format: Level 1E".
"""

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

from bigdl.errors import FormatError

# Signature, version 1 and three reserved bytes; then the size of the collection, which counts this header.
_COLLECTION = b"GCOL\x01\x00\x00\x00"
_HEADER = 16
_OBJECT = struct.Struct("<HHIQ")  # index, references, reserved, size
_MAX_OBJECTS = 1_000_000


def check_heaps(path: Path, source: str) -> None:
    """Walks all heap collections of a file whose lengths have 8 bytes.

    Raises:
        FormatError: One of them would hang the HDF5 library.
    """
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        objects = 0
        for start in _places(data):
            (size,) = struct.unpack_from("<Q", data, start + 8) if start + _HEADER <= len(data) else (0,)
            position, end = start + _HEADER, start + size
            if end > len(data):  # not a collection, or one the library refuses
                continue
            while end - position >= _OBJECT.size:
                index, _, _, length = _OBJECT.unpack_from(data, position)
                # The object with index 0 is the free space, whose length counts its own header.
                step = length if index == 0 else _OBJECT.size + (length + 7) // 8 * 8
                objects += 1
                if not 0 < step <= end - position or objects > _MAX_OBJECTS:
                    raise FormatError(
                        f"{source}: the strings at byte {start} cannot be read. The file is damaged or truncated; "
                        "fetch or save it again."
                    )
                position += step


def _places(data: mmap.mmap) -> Iterator[int]:
    place = data.find(_COLLECTION)
    while place >= 0:
        yield place
        place = data.find(_COLLECTION, place + 1)
