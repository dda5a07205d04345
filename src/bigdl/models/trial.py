"""Loading on trial: nothing is read from the arrays, and no memory is taken for the weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from bigdl.errors import BigDLError
from bigdl.formats.spec import StoredArray, WeightsSpec
from bigdl.graph import Container, without_initialization
from bigdl.registry import Adapt, load_by_name, load_by_position


@contextlib.contextmanager
def on_trial(initialize: bool = False) -> Iterator[None]:
    """Layers built inside take no memory.

    Args:
        initialize: Whether initial values are asked for, which fails where an initialization is not known.
    """
    with torch.device("meta"), contextlib.nullcontext() if initialize else without_initialization():
        yield


def weight_problems(
    model: Container, weights: WeightsSpec, by_name: bool, skip_mismatch: bool, adapt: Adapt | None = None
) -> list[str]:
    """Loads arrays that are not read into a model without memory, and returns what goes wrong.

    Args:
        model: A model on torch's ``meta`` device.
        weights: The file's arrays.
        by_name: Whether they are matched by name.
        skip_mismatch: Whether layers of the same name with other arrays are left alone.
        adapt: Changes the arrays first.
    """
    hollow = replace(weights, layers=tuple(replace(a, arrays=tuple(map(_hollow, a.arrays))) for a in weights))
    try:
        if by_name:
            load_by_name(model, hollow, skip_mismatch, adapt)
        else:
            load_by_position(model, hollow, adapt)
    except BigDLError as error:
        return [str(error)]
    return []


def _hollow(array: StoredArray) -> StoredArray:
    return replace(array, read=lambda: np.zeros(array.shape, array.dtype))  # the system gives memory when it is touched
