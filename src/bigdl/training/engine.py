"""What BigDL's scripts do to its engine before they begin: here there is nothing to start."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bigdl.errors import TrainingError

_LOGGER = logging.getLogger("bigdl")
_OPTIMIZERS = ("optimizerV1", "optimizerV2")


def init_engine(bigdl_type: str = "float") -> None:
    """Does nothing: this library needs no engine. It is here so that scripts run with it."""


def get_bigdl_engine_type(bigdl_type: str = "float") -> str:
    """Returns what computes: ``"torch"``, where BigDL had ``"mklblas"`` or ``"mkldnn"``."""
    return "torch"


def set_optimizer_version(optimizerVersion: str, bigdl_type: str = "float") -> None:
    """Does nothing but check its argument: both of BigDL's optimizers are the same one here.

    Args:
        optimizerVersion: ``"optimizerV1"`` or ``"optimizerV2"``.
        bigdl_type: Kept for BigDL's signature.

    Raises:
        TrainingError: It is neither.
    """
    if optimizerVersion not in _OPTIMIZERS:
        raise TrainingError(
            f"optimizerVersion must be one of {', '.join(_OPTIMIZERS)}. Received: {optimizerVersion!r}."
        )


def get_optimizer_version(bigdl_type: str = "float") -> str:
    """Returns BigDL's default, ``"optimizerV1"``; see ``set_optimizer_version``."""
    return _OPTIMIZERS[0]


def create_tmp_path() -> str:
    """Returns a path in the folder for temporary files at which there is nothing."""
    return os.path.join(tempfile.gettempdir(), f"bigdl-{uuid.uuid4().hex}")


def get_node_and_core_number(bigdl_type: str = "float") -> tuple[int, int]:
    """Returns the number of machines, 1, and of threads that torch computes with."""
    return 1, torch.get_num_threads()


@contextlib.contextmanager
def computing_threads(count: int | None) -> Iterator[None]:
    """Computes with a number of threads for the time of the ``with`` block.

    Args:
        count: How many; None for as many as before.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def show_bigdl_info_logs(bigdl_type: str = "float") -> None:
    """Shows the library's log lines on the standard error."""
    _LOGGER.setLevel(logging.INFO)
    if not any(type(handler) is logging.StreamHandler for handler in _LOGGER.handlers):
        _LOGGER.addHandler(_formatted(logging.StreamHandler()))


def redire_spark_logs(bigdl_type: str = "float", log_path: str | os.PathLike[str] | None = None) -> None:
    """Writes the library's log lines to a file.

    Args:
        bigdl_type: Kept for BigDL's signature.
        log_path: The file; ``bigdl.log`` in the working directory by default.
    """
    path = os.path.abspath(log_path or "bigdl.log")
    _LOGGER.setLevel(logging.INFO)
    known = [handler.baseFilename for handler in _LOGGER.handlers if isinstance(handler, logging.FileHandler)]
    if path not in known:
        _LOGGER.addHandler(_formatted(logging.FileHandler(path, delay=True)))


def _formatted(handler: logging.Handler) -> logging.Handler:
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-5s %(name)s - %(message)s"))
    return handler


class RNG:
    """The random numbers of initial weights, shuffling and dropout.

    Args:
        bigdl_type: Kept for BigDL's signature.
    """

    def __init__(self, bigdl_type: str = "float") -> None:
        pass

    def set_seed(self, seed: int) -> None:
        """Starts them anew from a seed."""
        torch.manual_seed(seed)

    def uniform(self, a: float, b: float, size: Any) -> NDArray[np.float32]:
        """Returns numbers between ``a`` and ``b``, in an array of shape ``size``."""
        return torch.empty(tuple(np.atleast_1d(size).tolist())).uniform_(a, b).numpy()
