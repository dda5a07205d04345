"""The idx format of the MNIST files: big-endian header, then unsigned bytes (http://yann.lecun.com/exdb/mnist/)."""

import gzip
import math
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from bigdl.errors import FormatError

_UNSIGNED_BYTES = 0x08
_GZIP_MAGIC = b"\x1f\x8b"


def unpack(content: bytes, source: str) -> bytes:
    """Unpacks gzip; what is not packed is returned as it is.

    Args:
        content: The bytes of a file.
        source: The file's name, for messages.

    Returns:
        The plain bytes.

    Raises:
        FormatError: The packed bytes are damaged or incomplete.
    """
    if not content.startswith(_GZIP_MAGIC):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise FormatError(f"{source}: damaged or incomplete gzip file of {len(content):,} bytes ({error})") from error


def parse_idx(content: bytes, dimensions: int, source: str) -> NDArray[np.uint8]:
    """Reads an idx file of unsigned bytes.

    Args:
        content: The plain bytes of the file.
        dimensions: How many dimensions the array must have: 3 for images, 1 for labels.
        source: The file's name, for messages.

    Returns:
        A writable array of the shape that the header announces.

    Raises:
        FormatError: It is no such idx file, or its size is not the one its header announces.
    """
    expected_magic = _UNSIGNED_BYTES << 8 | dimensions
    magic = int.from_bytes(content[:4], "big")
    if magic != expected_magic:
        raise FormatError(
            f"{source}: not an idx file of unsigned bytes with {dimensions} dimension(s): expected the magic number "
            f"{expected_magic}, received {magic} in a file of {len(content):,} bytes"
        )
    header_size = 4 + 4 * dimensions
    if len(content) < header_size:
        raise FormatError(f"{source}: expected an idx header of {header_size} bytes, the file has {len(content)} bytes")
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    expected_size = header_size + math.prod(shape)
    if len(content) != expected_size:
        raise FormatError(
            f"{source}: damaged or incomplete idx file: its header announces an array of shape {shape}, that is "
            f"{expected_size:,} bytes in all, the file has {len(content):,} bytes"
        )
    return np.frombuffer(content, np.uint8, offset=header_size).reshape(shape).copy()
