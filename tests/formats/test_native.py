"""The library's own format."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from bigdl.errors import FormatError, MissingFileError
from bigdl.formats import open_native, read_model, read_weights, write_native
from bigdl.formats.spec import LayerArrays, StoredArray, TrainingSpec

CONFIG = [{"class_name": "Dense", "config": {"name": "d", "output_dim": 3, "p": float("inf")}}]
W = np.arange(6, dtype="float32").reshape(2, 3)
LAYERS = [
    LayerArrays("d", (StoredArray.of("d_W:0", W), StoredArray.of("d_b:0", W[0]))),
    LayerArrays("empty", ()),
    LayerArrays("e", (StoredArray.of("same", W.T), StoredArray.of("same", W[:, ::2].astype("f2")))),
]
TRAINING = TrainingSpec({"optimizer_config": {}, "loss": "mse"}, (StoredArray.of("iterations", np.array(3.0)),))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "m.bigdl"


def header_of(path: Path) -> dict[str, object]:
    with safe_open(path, framework="np") as file:
        header: dict[str, object] = json.loads(file.metadata()["bigdl"])
    return header


def rewrite(path: Path, **changes: object) -> None:
    """Writes a model, then changes its header."""
    write_native(path, "Sequential", CONFIG, LAYERS, TRAINING)
    header = {**header_of(path), **changes}
    save_file({"d/d_W:0": W}, path, metadata={"bigdl": json.dumps(header)})


def refused(path: Path, match: str) -> None:
    with pytest.raises(FormatError, match=match) as caught, open_native(path):
        pass
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("place", ["local", "memory"])
def test_what_is_written_is_read(path, place):
    uri = path if place == "local" else f"memory://{path.parent.name}/m.bigdl"
    write_native(uri, "Sequential", CONFIG, LAYERS, TRAINING, extra={"frozen": ["d"]})
    with open_native(uri) as spec:
        assert spec.graph.kind == "Sequential"
        assert [layer.name for layer in spec.graph.layers] == ["d"]
        assert spec.graph.layers[0].config["p"] == float("inf")
        assert spec.extra == {"frozen": ["d"]}
        assert spec.training is not None
        assert spec.training.config == TRAINING.config
        assert spec.training.optimizer_arrays[0].read() == 3
        assert spec.weights is not None
        assert [layer.name for layer in spec.weights] == ["d", "empty", "e"]
        for layer, expected in zip(spec.weights, LAYERS, strict=True):
            for array, original in zip(layer.arrays, expected.arrays, strict=True):
                assert (array.name, array.shape, array.dtype) == (original.name, original.shape, original.dtype)
                np.testing.assert_array_equal(array.read(), original.read())


def test_a_model_without_training(path):
    write_native(path, "Sequential", CONFIG, [])
    with open_native(path) as spec:
        assert spec.training is None
        assert spec.extra == {}
        assert spec.weights is not None
        assert spec.weights.layers == ()


def test_any_reader_of_safetensors_opens_it(path):
    write_native(path, "Sequential", CONFIG, LAYERS, TRAINING)
    with safe_open(path, framework="np") as file:
        assert sorted(file.keys()) == ["d/d_W:0", "d/d_b:0", "e/same", "e/same_1", "optimizer/iterations"]
        np.testing.assert_array_equal(file.get_tensor("d/d_W:0"), W)


def test_a_failed_write_leaves_the_old_file(path):
    write_native(path, "Sequential", CONFIG, LAYERS)
    before = path.read_bytes()
    with pytest.raises(FormatError, match="cannot be written as JSON"):
        write_native(path, "Sequential", [object()], LAYERS)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_foreign_and_damaged_files_are_refused(path):
    with pytest.raises(MissingFileError, match="does not exist"), open_native(path):
        pass
    path.write_bytes(b"\x80\x04K\x01.")
    refused(path, "a pickle, which is never read")
    save_file({"a": W}, path)
    refused(path, "a safetensors file, but no model saved by this library")
    write_native(path, "Sequential", CONFIG, LAYERS)
    data = path.read_bytes()
    for size in (4, 30, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        refused(path, "damaged|no model saved by this library")
    path.write_bytes(data[: len(data) // 2])
    for read in (read_model, read_weights):
        with pytest.raises(FormatError, match="a safetensors file whose end is missing"), read(path):
            pass


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "has format 2; .* reads up to 1. Update bigdl-torch"),
        ({"format": "1"}, "the number of its format"),
        ({"config": 3}, "config of a Sequential must be a list"),
        ({"class_name": None}, "class_name must be Model or Sequential"),
        ({"weights": None}, "weights must be a list"),
        ({"weights": [["d"]]}, r"must be \[name, arrays\]"),
        ({"weights": [["d", [["d_W:0", "nowhere"]]]]}, "tensor in the file"),
        ({"weights": [["d", [["d_W:0"]]]]}, "tensor in the file"),
        ({"optimizer": None}, "arrays must be a list"),
        ({"training": []}, "training and extra must be mappings"),
        ({"extra": None}, "training and extra must be mappings"),
    ],
)
def test_a_wrong_header_is_refused(path, changes, message):
    rewrite(path, **{"weights": [], "optimizer": [], **changes})
    refused(path, message)
