"""Files made byte by byte, by the descriptions of their formats."""

import io
import struct
import tarfile
from collections.abc import Mapping

import numpy as np

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def idx_bytes(array: np.ndarray) -> bytes:
    """Writes an idx file by the format's description: 0, 0, type 8, dimensions, sizes big-endian, data."""
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}i", *array.shape) + array.tobytes()


def archive_of(members: Mapping[str, bytes]) -> bytes:
    """Packs files as ``npm pack`` does: a gzipped tar."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return stream.getvalue()
