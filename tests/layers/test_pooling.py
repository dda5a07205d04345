"""Pooling, against NumPy formulas."""

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from bigdl.errors import LayerError
from bigdl.graph import Layer
from bigdl.layers import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from tests.layers.checks import assert_channels_last_stays, assert_gradients, assert_round_trip, built

Array = NDArray[Any]
Case = tuple[Callable[..., Layer], tuple[int, ...]]
CASES: dict[str, Case] = {
    "max1d": (partial(MaxPooling1D, 3, 2, "same"), (5, 2)),
    "max2d": (partial(MaxPooling2D, (2, 3), (1, 2), "same"), (4, 5, 2)),
    "max2d_th": (partial(MaxPooling2D, (2, 3), dim_ordering="th"), (2, 4, 5)),
    "max3d": (partial(MaxPooling3D, (2, 2, 1), (1, 2, 1)), (3, 4, 2, 2)),
    "average1d": (partial(AveragePooling1D, 2), (5, 2)),
    "average2d": (partial(AveragePooling2D, (2, 3), (1, 2), "same"), (4, 5, 2)),
    "average3d_th": (partial(AveragePooling3D, (2, 2, 2), (1, 2, 1), "same", dim_ordering="th"), (2, 3, 4, 3)),
    "global_max1d": (GlobalMaxPooling1D, (4, 3)),
    "global_max2d_th": (partial(GlobalMaxPooling2D, dim_ordering="th"), (3, 4, 2)),
    "global_max3d": (GlobalMaxPooling3D, (2, 3, 2, 3)),
    "global_average1d": (GlobalAveragePooling1D, (4, 3)),
    "global_average2d": (GlobalAveragePooling2D, (4, 2, 3)),
    "global_average3d_th": (partial(GlobalAveragePooling3D, dim_ordering="th"), (3, 2, 3, 2)),
}


@pytest.mark.parametrize("name", CASES)
def test_gradients(name):
    make, shape = CASES[name]
    assert_gradients(make(), *shape)


@pytest.mark.parametrize("name", CASES)
def test_config_round_trip(name):
    make, shape = CASES[name]
    assert_round_trip(make(), *shape)


@pytest.mark.parametrize("cls", [MaxPooling2D, AveragePooling2D])
@pytest.mark.parametrize("border_mode", ["valid", "same"])
def test_channels_last_stays(cls, border_mode):
    assert_channels_last_stays(cls((3, 3), (2, 2), border_mode), 6, 5, 2)


def windows(length: int, size: int, step: int, same: bool) -> list[slice]:
    """The cells inside the input that each window covers: TensorFlow's definition."""
    if same:
        count = -(-length // step)
        first = -(max((count - 1) * step + size - length, 0) // 2)
    else:
        count, first = -(-(length - size + 1) // step), 0
    starts = [first + i * step for i in range(count)]
    return [slice(max(start, 0), min(start + size, length)) for start in starts]


def pooled(x: Array, sizes: tuple[int, ...], steps: tuple[int, ...], same: bool, reduce: Callable[..., Any]) -> Array:
    """Pools ``(batch, *spatial, channels)``."""
    grids = [windows(*axis, same) for axis in zip(x.shape[1:-1], sizes, steps, strict=True)]
    cells = [reduce(x[(slice(None), *place)], axis=tuple(range(1, x.ndim - 1))) for place in itertools.product(*grids)]
    return np.stack(cells, 1).reshape(len(x), *map(len, grids), x.shape[-1])


KINDS: dict[str, tuple[Any, Any, Any, Callable[..., Any]]] = {
    "max": (MaxPooling1D, MaxPooling2D, MaxPooling3D, np.max),
    "average": (AveragePooling1D, AveragePooling2D, AveragePooling3D, np.mean),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("border_mode", ["valid", "same"])
def test_sequences_of_all_lengths(kind, border_mode):
    cls, reduce = KINDS[kind][0], KINDS[kind][3]
    rng = np.random.default_rng(0)
    for length, size, step in itertools.product(range(1, 8), range(1, 6), range(1, 6)):
        if border_mode == "valid" and size > length:
            continue
        x = rng.normal(size=(2, length, 3)).astype("float32") - 5
        y = built(cls(size, step, border_mode), length, 3)(torch.from_numpy(x)).numpy()
        expected = pooled(x, (size,), (step,), border_mode == "same", reduce)
        np.testing.assert_allclose(y, expected, rtol=1e-6, err_msg=f"{length=} {size=} {step=}")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ordering", ["tf", "th"])
@pytest.mark.parametrize("steps", [(1, 2, 3), (3, 1, 2), (2, 2, 1)])
@pytest.mark.parametrize("sizes", [(2, 3, 2), (4, 1, 2)])
def test_images_and_volumes(kind, ordering, steps, sizes):
    _, images, volumes, reduce = KINDS[kind]
    for rank, cls in ((2, images), (3, volumes)):
        x = np.random.default_rng(rank).normal(size=(2, *(5, 4, 3)[:rank], 2)).astype("float32") - 5
        expected = pooled(x, sizes[:rank], steps[:rank], True, reduce)
        data = torch.from_numpy(x) if ordering == "tf" else torch.from_numpy(x).movedim(-1, 1).contiguous()
        layer = built(cls(sizes[:rank], steps[:rank], "same", dim_ordering=ordering), *data.shape[1:])
        y = layer(data) if ordering == "tf" else layer(data).movedim(1, -1)
        np.testing.assert_allclose(y.numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("cls", [MaxPooling2D, AveragePooling2D])
def test_open_lengths(cls):
    layer = built(cls(border_mode="same"), None, None, 2)
    assert layer.get_output_shape_for((None, None, 5, 2)) == (None, None, 3, 2)


def test_windows_are_as_long_as_they_move_by_default():
    assert MaxPooling1D(3).get_config()["stride"] == 3
    assert AveragePooling2D((3, 2)).get_config()["strides"] == (3, 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MaxPooling1D(2, border_mode="full"), "border_mode must be one of valid, same"),
        (lambda: MaxPooling2D((2, 2, 2)), "pool_size must be 2 integers"),
        (lambda: AveragePooling3D((2, 2, 2), (1, 0, 1)), "strides must be 3 integers of at least 1"),
        (lambda: built(MaxPooling2D((4, 2)), 3, 3, 2).get_output_shape_for((None, 3, 3, 2)), "too small"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(LayerError, match=message):
        make()
