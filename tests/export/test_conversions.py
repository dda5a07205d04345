"""The verb: `bigdl convert`, `bigdl.convert` and `Model.export` write what the ending says, whole or not at all."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors
import safetensors.torch

import bigdl
from bigdl import files
from bigdl.cli import main
from bigdl.errors import DataError, ExportError, FormatError
from bigdl.export import CONVERSIONS
from bigdl.graph import Input
from bigdl.layers import BatchNormalization, Dense, Lambda, TimeDistributed
from bigdl.models import Model, Sequential
from tests.golden_cases import CASES

LENET = {case.name: case for case in CASES}["nets/lenet"]
PAGE = Path(__file__).parents[2] / "docs" / "exports.md"

# How a file of each new format begins.
BEGINNINGS = {".onnx": b"\x08", ".pt2": b"PK", ".keras": b"PK"}


def small() -> Sequential:
    return Sequential([Dense(2, input_dim=3)])


@pytest.mark.parametrize("ending", BEGINNINGS)
def test_the_command_writes_what_the_ending_says(ending, tmp_path, capsys):
    path = tmp_path / f"model{ending.upper()}"
    assert main(["convert", str(LENET.definition), "--weights", str(LENET.weights), str(path)]) == 0
    assert capsys.readouterr() == ("", "")
    assert path.read_bytes().startswith(BEGINNINGS[ending])


@pytest.mark.parametrize("ending", [".onnx", ".pt2", ".keras", ".safetensors", ".json", ".h5", ".weights.h5"])
def test_files_become_files_and_anything_goes_that_has_a_uri(ending, tmp_path):
    uri = f"memory://{tmp_path.name}/model{ending}"
    bigdl.convert(LENET.definition, uri, LENET.weights)
    bigdl.convert(LENET.definition, tmp_path / f"model{ending}", weights=LENET.weights)
    assert len(files.read_bytes(uri)) == len((tmp_path / f"model{ending}").read_bytes()) > 1000


def test_an_ending_that_says_nothing(tmp_path):
    for convert in small().export, lambda path: bigdl.convert("no-such-file.json", path):
        with pytest.raises(DataError, match=r"one of: .*\.keras, \.onnx, \.pt2, \.safetensors"):
            convert(tmp_path / "model.tflite")


@pytest.mark.parametrize("ending", [ending for conversion in CONVERSIONS for ending in conversion.endings])
def test_a_file_that_is_there_is_replaced_unless_one_forbids_it(ending, tmp_path):
    path = tmp_path / f"model{ending}"
    path.write_bytes(b"before")
    with pytest.raises(FileExistsError):
        small().export(path, over_write=False)
    assert path.read_bytes() == b"before"
    small().export(path)
    assert path.read_bytes() != b"before"
    assert os.listdir(tmp_path) == [path.name]


def test_what_is_refused_leaves_a_file_as_it_was(tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(b"before")
    with pytest.raises(ExportError, match=r"'lambda_1' \(Lambda\)"):
        Sequential([Lambda(lambda x: x.cumsum(1), input_shape=(3,))]).export(path)
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("ending", [".onnx", ".pt2", ".safetensors"])
def test_what_is_for_prediction_says_so_of_a_compiled_model(ending, tmp_path, caplog):
    model = small()
    model.export(tmp_path / f"model{ending}")
    assert "for prediction" not in caplog.text
    model.compile("sgd", "mse")
    model.export(tmp_path / f"model{ending}")
    assert f"model{ending} is for prediction: loss, metrics and optimizer of model 'sequential_1'" in caplog.text


@pytest.mark.parametrize("ending", [".onnx", ".pt2", ".keras", ".safetensors"])
def test_the_model_stays_as_it_was(ending, tmp_path):
    model = Sequential([Dense(2, input_dim=3), BatchNormalization()])
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.export(tmp_path / f"model{ending}")
    assert model.training
    assert all(p.requires_grad for p in model.parameters())
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    model.train_on_batch(np.ones((2, 3), "float32"), np.zeros((2, 2), "float32"))


STATE_DICT = """
import sys
sys.modules["bigdl"] = None  # importing it fails
import numpy, torch, safetensors.torch
from torch import nn
state = safetensors.torch.load_file(sys.argv[1])
module = nn.ModuleDict({"hidden": nn.Linear(3, 4), "batchnormalization_1": nn.Identity(), "scores": nn.Linear(4, 2)})
norm = nn.BatchNorm1d(4, eps=1e-3).eval()
names = {"weight": "gamma", "bias": "beta", "running_mean": "running_mean", "running_var": "running_variance"}
norm.load_state_dict({k: state.pop("batchnormalization_1." + v) for k, v in names.items()}, strict=False)
module.load_state_dict(state)
x = torch.from_numpy(numpy.load(sys.argv[2]))
numpy.save(sys.argv[3], module["scores"](norm(module["hidden"](x))).detach().numpy())
"""


def test_a_state_dict_is_for_modules_of_torch(tmp_path):
    model = Sequential([Dense(4, input_dim=3, name="hidden"), BatchNormalization(), Dense(2, name="scores")])
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.5, 1.5, array.shape) for array in model.get_weights()])
    model.export(tmp_path / "state.safetensors")
    x = rng.normal(size=(5, 3)).astype("float32")
    np.save(tmp_path / "x.npy", x)
    arguments = [str(tmp_path / name) for name in ("state.safetensors", "x.npy", "y.npy")]
    subprocess.run([sys.executable, "-I", "-c", STATE_DICT, *arguments], check=True)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), model.predict(x), rtol=0, atol=1e-5)


def test_a_state_dict_goes_back_into_the_model(tmp_path):
    shared = Dense(3, input_dim=3, name="shared")
    a, b = Input((2, 3)), Input((3,))
    model = Model([a, b], [TimeDistributed(shared)(a), Sequential([shared, Dense(2)], name="inner")(b)])
    model.export(tmp_path / "state.safetensors")
    with safetensors.safe_open(tmp_path / "state.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt"}
        assert sorted(file.keys()) == sorted(model.state_dict())
    before = model.get_weights()
    model.set_weights([array + 1 for array in before])
    model.load_state_dict(safetensors.torch.load_file(tmp_path / "state.safetensors"))
    np.testing.assert_array_equal(model.get_weights()[0], before[0])


def test_a_state_dict_is_no_model(tmp_path):
    small().export(tmp_path / "state.safetensors")
    with pytest.raises(FormatError, match=r"model\.load_state_dict"):
        Model.load(tmp_path / "state.safetensors")


def test_loading_models_loads_no_format(tmp_path):
    code = "import sys, bigdl.models; print([m for m in sys.modules if m.startswith('bigdl.export.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['bigdl.export.conversions']\n"


def test_every_layer_of_keras_is_written_by_us():
    section = PAGE.read_text().partition("## Layers")[2]  # test_cli.py compares it with the code
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 66
    assert [row[0] for row in rows if "followed by torch's exporter" in row] == ["Lambda"]
    assert [row[0] for row in rows if "refused" in row[1:]] == []


def test_the_page_names_every_format():
    page = PAGE.read_text()
    for conversion in CONVERSIONS:
        for ending in conversion.endings:
            assert f"`{ending}`" in page
