"""Programs of torch.export: they run without this library, with any number of rows and steps."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from bigdl.errors import ExportError
from bigdl.layers import (
    GRU,
    LSTM,
    ActivityRegularization,
    AveragePooling2D,
    Bidirectional,
    Convolution2D,
    Dense,
    Embedding,
    GlobalMaxPooling2D,
    Lambda,
    MaxPooling2D,
    TimeDistributed,
)
from bigdl.models import Model, Sequential
from tests.export.runtimes import open_program
from tests.golden_cases import CASES

GOLDENS = {case.name: case for case in CASES}

WITHOUT_US = """
import sys
sys.modules["bigdl"] = None  # importing it fails
import numpy, torch
program = torch.export.load(sys.argv[1]).module()
numpy.save(sys.argv[3], program(torch.from_numpy(numpy.load(sys.argv[2]))).numpy())
"""


def exported(model: Model, folder: Path) -> Path:
    path = folder / "model.pt2"
    model.export(path)
    return path


def same(path: Path, model: Model, x: np.ndarray) -> None:
    np.testing.assert_allclose(open_program(path)([x])[0], model.predict(x, batch_size=len(x)), rtol=0, atol=1e-5)


def test_runs_where_this_library_is_not(tmp_path):
    case = GOLDENS["nets/tagger"]
    path = exported(Model.load_keras(case.definition, case.weights), tmp_path)
    np.save(tmp_path / "x.npy", case.arrays("x")[0].astype("int32"))
    arguments = [path, tmp_path / "x.npy", tmp_path / "y.npy"]
    subprocess.run([sys.executable, "-I", "-c", WITHOUT_US, *map(str, arguments)], check=True)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), case.arrays("y")[0], rtol=0, atol=1e-5)


@pytest.mark.parametrize("inner", [LSTM(3, return_sequences=True, go_backwards=True), GRU(2)])
def test_any_number_of_rows_and_steps(inner, tmp_path):
    model = Sequential([Embedding(9, 3, mask_zero=True), Bidirectional(inner), Dense(2)][: 3 - inner.return_sequences])
    path = exported(model, tmp_path)
    rng = np.random.default_rng(0)
    for shape in (4, 7), (1, 3), (2, 1):
        same(path, model, rng.integers(0, 9, shape).astype("int32"))


@pytest.mark.parametrize("pooling", [MaxPooling2D, AveragePooling2D])
def test_any_size_of_images(pooling, tmp_path):
    model = Sequential(
        [
            Convolution2D(2, 3, 4, border_mode="same", subsample=(2, 1), input_shape=(None, None, 3)),
            pooling((2, 3), strides=(2, 2), border_mode="same"),
            GlobalMaxPooling2D(),
        ]
    )
    path = exported(model, tmp_path)
    rng = np.random.default_rng(0)
    for shape in (2, 9, 6, 3), (1, 10, 7, 3), (3, 4, 2, 3):
        same(path, model, rng.normal(size=shape).astype("float32"))


def test_a_wrong_shape_is_refused_by_the_program(tmp_path):
    run = open_program(exported(Sequential([Dense(2, input_dim=3)]), tmp_path))
    with pytest.raises(AssertionError, match="dense_input_1"):
        run([np.zeros((1, 4), "float32")])


def test_loops_over_time_are_one_operator(tmp_path):
    program = torch.export.load(exported(Sequential([LSTM(3, input_shape=(50, 2))]), tmp_path))
    targets = [str(node.target) for node in program.graph.nodes]
    assert targets.count("scan") == 1
    assert len(targets) < 40


def test_parameters_ask_for_no_gradients_there_but_here(tmp_path):
    model = Sequential([Dense(2, input_dim=3), ActivityRegularization(l2=0.1)])
    program = torch.export.load(exported(model, tmp_path)).module()
    assert not any(p.requires_grad for p in program.parameters())
    assert all(p.requires_grad for p in model.parameters())
    assert [list(program.state_dict()), model.training] == [list(model.state_dict()), True]


def test_the_layer_that_torch_cannot_follow_is_named(tmp_path):
    model = Sequential([Dense(3, input_dim=2), Lambda(lambda x: x if x.sum() > 0 else -x, output_shape=(3,))])
    with pytest.raises(ExportError, match=r"'lambda_1' \(Lambda\)"):
        model.export(tmp_path / "model.pt2")
    assert list(tmp_path.iterdir()) == []


def test_a_length_that_would_be_fixed_is_refused(tmp_path):
    model = Sequential([TimeDistributed(LSTM(3), batch_input_shape=(2, None, 4, 3))])
    with pytest.raises(ExportError, match="'timedistributed_input_1' open"):
        model.export(tmp_path / "model.pt2")
