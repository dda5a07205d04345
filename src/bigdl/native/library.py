"""The library of the kernels, found beside this file where it was built.

It knows neither torch nor Python: it takes the addresses of the tensors' values, so that one build serves all versions
of both. Its work is divided among threads of its own, as many as torch has or ``own_threads`` says; see
``csrc/team.cpp``.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import cache, partial
from itertools import count, takewhile
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

T = TypeVar("T")

_own_threads: ContextVar[int | None] = ContextVar("own_threads", default=None)
_among_others: ContextVar[bool] = ContextVar("among_others", default=False)


def threads() -> int:
    """Returns among how many threads the kernels divide their work: as many as torch, if not told otherwise."""
    return _own_threads.get() or torch.get_num_threads()


@contextlib.contextmanager
def _set(variable: ContextVar[T], value: T) -> Iterator[None]:
    # By the value: a generator may be closed in another context than it began in, where a token is refused.
    before = variable.get()
    variable.set(value)
    try:
        yield
    finally:
        variable.set(before)


def own_threads(count: int) -> contextlib.AbstractContextManager[None]:
    """Lets the kernels have a number of threads whatever torch has, for the time of the ``with`` block.

    Args:
        count: How many.
    """
    return _set(_own_threads, count)


def among_others() -> contextlib.AbstractContextManager[None]:
    """Lets the kernels' threads give way to torch's, which have work in between, for the time of the ``with`` block.

    Threads that wait awake keep torch's from their cores. Where other programs want these, giving way loses them.
    """
    return _set(_among_others, True)


LIBRARY = Path(__file__).with_name("libkernels.so")


class Library:
    """The library, with the best of the instruction sets that this processor has, or with another of them.

    Attributes:
        functions: Its functions.
        instruction_sets: Those that it has: ``"baseline"``, ``"avx2"``, ``"avx512"``, ``"amx"``.
        set: The number of the one in use.
        parallel_for: The address of what divides work among threads; None for one thread.

    Args:
        path: Where the library is.
        instruction_set: The one to use.

    Raises:
        OSError: The library cannot be loaded.
    """

    def __init__(self, path: Path, instruction_set: str | None = None) -> None:
        self.functions = ctypes.CDLL(str(path))
        self.functions.bigdl_instruction_set.restype = ctypes.c_char_p
        self.functions.bigdl_packed_size.restype = ctypes.c_int64
        self.functions.bigdl_tiles_size.restype = ctypes.c_int64
        self.functions.bigdl_winograd_size.restype = ctypes.c_int64
        self.functions.bigdl_lanes.restype = ctypes.c_int64
        found = (self.functions.bigdl_instruction_set(i) for i in count())
        self.instruction_sets = [name.decode() for name in takewhile(bool, found)]
        self.set = self.instruction_sets.index(instruction_set or self.instruction_sets[-1])
        self.parallel_for: Any = ctypes.cast(self.functions.bigdl_parallel_for, ctypes.c_void_p)
        self._threads = 1, False

    def run(self, function: Callable[..., int], argument: ctypes.Structure | ctypes.Array[Any], *choices: Any) -> None:
        """Calls a function.

        Args:
            function: One of ``functions`` that ends with the number of the instruction set and the way to threads.
            argument: What it works on.
            choices: Its arguments between.

        Raises:
            MemoryError: There is not enough memory.
        """
        if (chosen := (threads(), _among_others.get())) != self._threads:
            self.functions.bigdl_use_threads(ctypes.c_int64(chosen[0]), chosen[1])
            self._threads = chosen
        if function(ctypes.byref(argument), *choices, self.set, self.parallel_for):
            raise MemoryError("There is not enough memory for a layer, or there are too many threads.")

    def comparison(self, samples: ctypes.Array[Any], values: Tensor) -> Callable[[], int]:
        """Returns what tells whether samples, one after the other, are bit for bit some values of float32.

        Args:
            samples: Of type ``struct Sample``.
            values: As many as the samples have; they have to live as long as what is returned.
        """
        return partial(self.functions.bigdl_are_same, samples, ctypes.c_int64(len(samples)), _pointer(values))

    def packed(self, matrix: Tensor) -> Tensor:
        """Returns a matrix of float32 (columns, depth) as the kernels read it."""
        columns, depth = matrix.shape
        packed = matrix.new_empty(self.functions.bigdl_packed_size(*map(ctypes.c_int64, matrix.shape), self.set))
        sizes = (ctypes.c_int64(columns), ctypes.c_int64(depth))
        self.functions.bigdl_pack(_pointer(matrix.contiguous()), *sizes, _pointer(packed), self.set)
        return packed

    def tiles(self, matrix: Tensor) -> Tensor | None:
        """Returns a matrix of float32 (columns, depth) as it is read for many rows; None where ``packed`` is all."""
        sizes = tuple(map(ctypes.c_int64, matrix.shape))
        size = self.functions.bigdl_tiles_size(*sizes, self.set)
        if not size:
            return None
        tiles = matrix.new_empty(size)
        self.functions.bigdl_pack_tiles(_pointer(matrix.contiguous()), *sizes, _pointer(tiles), self.set)
        return tiles


def address(tensor: Tensor | None) -> int | None:
    """Returns where a tensor's values lie, None for no tensor."""
    return None if tensor is None else tensor.data_ptr()


def _pointer(tensor: Tensor) -> ctypes.c_void_p:
    return ctypes.c_void_p(tensor.data_ptr())


@cache
def kernels() -> Library | None:
    """Returns the library; None where it was not built, or with ``BIGDL_NATIVE=0`` in the environment."""
    if os.environ.get("BIGDL_NATIVE") == "0" or not LIBRARY.exists():
        return None
    try:
        return Library(LIBRARY)
    except OSError:  # built for another machine
        return None
