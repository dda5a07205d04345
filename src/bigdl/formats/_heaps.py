"""A check of the part of HDF5 files that the HDF5 library does not check itself.

Strings of variable length are kept in "global heap collections". Where an object in one claims to have no bytes, the
library (2.0 and before) reads it again for ever. Layout: HDF5 File Format Specification, III.E "Disk Format: Level 1E".
"""

import mmap
import re
import struct
from itertools import islice
from pathlib import Path

from bigdl.errors import FormatError

# Signature, version 1 and three reserved bytes; then the size of the collection, which counts this header.
_COLLECTION = re.compile(rb"GCOL\x01\x00\x00\x00")
_HEADER = 16
_OBJECT = struct.Struct("<HHIQ")  # index, references, reserved, size
_MAX_IN_COLLECTION = 2**16  # indices have 16 bits
_MAX_OBJECTS = 1_000_000


def check_heaps(path: Path, source: str) -> None:
    """Walks all heap collections of a file whose lengths have 8 bytes.

    Raises:
        FormatError: One of them would hang the HDF5 library.
    """
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        # The matches are taken first: while they are looked for, the map cannot be closed.
        starts = [match.start() for match in islice(_COLLECTION.finditer(data), _MAX_OBJECTS)]
        objects = len(starts)
        for start in starts:
            objects += _walk(data, start, source)
            if objects >= _MAX_OBJECTS:
                raise FormatError(f"{source} has more strings than any file of Keras.")


def _walk(data: mmap.mmap, start: int, source: str) -> int:
    """Walks one collection and returns how many objects it has."""
    if start + _HEADER > len(data):
        return 0
    (size,) = struct.unpack_from("<Q", data, start + 8)
    position, end = start + _HEADER, start + size
    if end > len(data):  # not a collection, or one that the library refuses
        return 0
    objects = 0
    while end - position >= _OBJECT.size:
        index, _, _, length = _OBJECT.unpack_from(data, position)
        # The object with index 0 is the free space, whose length counts its own header.
        step = length if index == 0 else _OBJECT.size + (length + 7) // 8 * 8
        objects += 1
        if not 0 < step <= end - position or objects > _MAX_IN_COLLECTION:
            raise FormatError(
                f"{source}: the strings at byte {start} cannot be read. The file is damaged or truncated; "
                "fetch or save it again."
            )
        position += step
    return objects
