"""Reading pickles that hold plain values and arrays, as Keras's data sets do. Nothing in them is executed.

A pickle is a program, but all it can do without naming a function or a class is to build lists, tuples, dicts, strings
and numbers. The reader below refuses every name but those by which bytes and NumPy's arrays are told.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np

from bigdl.errors import FormatError


def _array(subtype: Any, shape: Any, dtype: Any) -> Any:
    """Makes the empty array that a pickle then fills."""
    return np.ndarray.__new__(np.ndarray, (0,), "b")


def _latin1(text: str, encoding: str) -> bytes:
    """Makes bytes of the text by which Python 3 tells them to Python 2."""
    return text.encode("latin-1")


_KNOWN: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _array,
    ("numpy._core.multiarray", "_reconstruct"): _array,
    ("numpy", "ndarray"): np.ndarray,
    ("_codecs", "encode"): _latin1,
    ("numpy", "dtype"): np.dtype,
}


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """Returns what makes an array, and refuses all else."""
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"it names {module}.{name}, which is neither a plain value nor an array"
            ) from None


def read_plain_pickle(content: bytes, source: str) -> Any:
    """Returns the value of a pickle of plain values and arrays.

    Args:
        content: The pickle; one of Python 2 is read as well, its strings as bytes.
        source: Where it comes from, for messages.

    Raises:
        FormatError: It holds something else, or is damaged.
    """
    try:
        return _PlainUnpickler(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # a damaged pickle can fail in any way
        raise FormatError(f"{source} is no pickle of plain values: {error}.") from error
