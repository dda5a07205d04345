"""Columns of Arrow become arrays, and bad rows are told."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bigdl.spark.decode import Field

INTS = pa.list_(pa.int32())


def decoded(field: Field, values: pa.Array) -> tuple[Any, dict[int, str]]:
    return field.decode(values)


@pytest.mark.parametrize(
    ("field", "values", "expected"),
    [
        (Field("x", "number", ()), pa.array([1.5, 2.5]), np.array([1.5, 2.5], "float32")),
        (Field("x", "number", (), double=True), pa.array([1.5, 2.5]), np.array([1.5, 2.5])),
        (Field("x", "number"), pa.array([1, 2], pa.int8()), np.array([1, 2], "int8")),
        (Field("x", "number"), pa.array([True, False]), np.array([True, False])),
        (Field("x", "array", (2,)), pa.array([[1, 2], [3, 4]], INTS), np.array([[1, 2], [3, 4]], "int32")),
        (Field("x", "array", (2, 1)), pa.array([[1, 2], [3, 4]], INTS), np.array([[[1], [2]], [[3], [4]]], "int32")),
        (Field("x", "array"), pa.array([[0], [1], [3]], INTS)[1:], np.array([[1], [3]], "int32")),
        (Field("x", "array", (None,)), pa.array([[1.0, 2.0]]), np.array([[1, 2]], "float32")),
        (Field("x", "array", (2, 1)), pa.array([[[1], [2]]]), np.array([[[1], [2]]])),
        (Field("x", "array"), pa.array([[[1, 2], [3, 4]]]), np.array([[[1, 2], [3, 4]]])),
        (Field("x", "array", (2,)), pa.array([], INTS), np.empty((0, 2), "int32")),
        (Field("x", "bytes", (2, 1)), pa.array([b"\1\2", b"\3\4"])[1:], np.array([[[3], [4]]], "uint8")),
        (Field("x", "bytes", (1,)), pa.array([np.float32(2.5).tobytes()]), np.array([[2.5]], "float32")),
        (Field("x", "bytes", (1,)), pa.array([np.float64(2.5).tobytes()]), np.array([[2.5]], "float32")),
        (Field("x", "bytes", None, "<i8"), pa.array([np.arange(3).tobytes()]), np.array([[0, 1, 2]])),
        (Field("x", "bytes", (), "<i8"), pa.array([np.int64(7).tobytes()]), np.array([7])),
        (Field("x", "bytes", (3,)), pa.array([], pa.large_binary()), np.empty((0, 3), "uint8")),
    ],
)
def test_good_rows(field, values, expected):
    array, bad = decoded(field, values)
    assert bad == {}
    assert array.dtype == expected.dtype
    np.testing.assert_array_equal(array, expected)


@pytest.mark.parametrize(
    ("field", "values", "expected", "bad"),
    [
        (Field("x", "number", ()), pa.array([1.5, None]), [1.5, 0], {1: "it is null"}),
        (
            Field("x", "array", (2,)),
            pa.array([None, [1, 2], [3], [4, None], [5, 6]], INTS),
            [[0, 0], [1, 2], [0, 0], [0, 0], [5, 6]],
            {0: "it is null", 2: "expected 2 values, received 1", 3: "it holds a null"},
        ),
        (
            Field("x", "array"),
            pa.array([[[1, 2]], [[3]], [[4, 5], [6, 7]], [None]]),
            [[[1, 2]], [[0, 0]], [[0, 0]], [[0, 0]]],
            {
                1: "expected 2 values along axis 1, received 1",
                2: "expected 1 values along axis 0, received 2",
                3: "it holds a null",
            },
        ),
        (
            Field("x", "bytes", (2,)),
            pa.array([b"\1\2", b"\3", None]),
            [[1, 2], [0, 0], [0, 0]],
            {1: "expected 2 values of uint8 (2 bytes), received 1 bytes", 2: "it is null"},
        ),
        (Field("x", "array", (2,)), pa.array([None], INTS), [[0, 0]], {0: "it is null"}),
    ],
)
def test_bad_rows(field, values, expected, bad):
    array, found = decoded(field, values)
    assert found == bad
    np.testing.assert_array_equal(array, expected)


def test_images():
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    rows = [
        {"height": 2, "width": 3, "nChannels": 3, "data": pixels[..., ::-1].tobytes()},  # blue, green, red
        {"height": 2, "width": 2, "nChannels": 3, "data": bytes(12)},
        {"height": 2, "width": 3, "nChannels": 3, "data": bytes(5)},
        None,
    ]
    array, bad = decoded(Field("x", "image", (2, 3, 3)), pa.array(rows))
    np.testing.assert_array_equal(array[0], pixels)
    assert bad == {
        1: "expected an image of 2 x 3 x 3, received one of 2 x 2 x 3",
        2: "expected 18 bytes of image data",
        3: "it is null",
    }
    first, _ = decoded(Field("x", "image", (3, 2, 3)), pa.array(rows[:1]))
    np.testing.assert_array_equal(first[0], pixels.transpose(2, 0, 1))
