"""Functions that users wrote for TensorFlow's tensors are exported as they compute."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bigdl.errors import ExportError
from bigdl.graph import Input
from bigdl.layers import Lambda, merge
from bigdl.models import Model, Sequential
from tests.export.runtimes import Array, open_onnx, open_program, run_keras3

MEAN = np.array([1.0, 2.0, 3.0])
X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


def preprocess(x: Any) -> Any:
    y = x[:, ::-1]
    before = y
    y -= MEAN
    return (MEAN - y) / 2.0 + before


# With NumPy, whose y -= MEAN would change what the other name holds too.
EXPECTED = np.concatenate([(MEAN - (X[:, ::-1] - MEAN)) / 2.0 + X[:, ::-1], X], axis=1)


def model() -> Model:
    x = Input((3,))
    return Model(x, merge([Lambda(preprocess)(x), x], mode="concat"))


def by_keras3(path: Path) -> Array:
    np.savez(path.with_suffix(".npz"), x0=X)
    case = {"name": "model", "file": str(path), "data": str(path.with_suffix(".npz")), "result": f"{path}.npz"}
    assert run_keras3([case], path.parent) == {}
    with np.load(f"{path}.npz") as file:
        received: Array = file["y0"]
    return received


RUN = {".pt2": lambda path: open_program(path)([X])[0], ".onnx": lambda path: open_onnx(path)([X])[0]}
RUN[".keras"] = by_keras3


@pytest.mark.parametrize("ending", RUN)
def test_new_tensors_arrays_and_slices_backwards(ending, tmp_path):
    before = X.copy()
    path = tmp_path / f"model{ending}"
    model().export(path)
    np.testing.assert_allclose(RUN[ending](path), EXPECTED, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("ending", [".onnx", ".keras"])
def test_a_function_that_changes_its_input_is_refused(ending, tmp_path):
    changing = Sequential([Lambda(lambda x: x.mul_(2.0), input_shape=(3,))])
    with pytest.raises(ExportError, match=r"'lambda_1' \(Lambda\).* changes its input in place"):
        changing.export(tmp_path / f"model{ending}")


@pytest.mark.parametrize("array", [np.ones((2, 3)), np.ones((2, 1, 3))])
def test_an_array_of_another_shape_is_refused_for_keras_3(array, tmp_path):
    with pytest.raises(ExportError, match=r"'lambda_1' \(Lambda\).*array of shape"):
        Sequential([Lambda(lambda x: array + x, batch_input_shape=(2, 3))]).export(tmp_path / "model.keras")


@pytest.mark.parametrize("ending", [".onnx", ".keras", ".pt2"])
def test_a_function_for_one_length_only_is_refused_where_the_length_is_open(ending, tmp_path):
    unrolled = Sequential([Lambda(lambda x: sum(x[:, i] for i in range(x.shape[1])), input_shape=(None, 3))])
    with pytest.raises(ExportError, match="full input_shape"):
        unrolled.export(tmp_path / f"model{ending}")
    assert list(tmp_path.iterdir()) == []
