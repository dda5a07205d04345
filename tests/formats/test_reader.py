"""The one door to model files: what they are shows from their content."""

import shutil
from pathlib import Path

import fsspec
import pytest

from bigdl.errors import FormatError, MissingFileError
from bigdl.formats import read_model, write_native
from bigdl.formats.spec import LayerArrays

DATA = Path(__file__).parent / "data" / "1.2.2"
FULL, JSON, YAML, WEIGHTS = (
    DATA / name for name in ("trained.h5", "legacy_merge.json", "legacy_merge.yaml", "legacy_merge.h5")
)
CONFIG = [{"class_name": "Dense", "config": {"name": "d", "output_dim": 3}}]


@pytest.mark.parametrize("definition", [JSON, YAML])
def test_a_definition_and_weights(definition, tmp_path):
    shutil.copy(definition, tmp_path / "model.h5")  # the name says nothing
    with read_model(tmp_path / "model.h5", str(WEIGHTS)) as spec:
        assert spec.keras_version == "1.2.2"
        assert spec.source == str(tmp_path / "model.h5")
        assert spec.training is None
        assert spec.weights is not None
        assert spec.weights.source == str(WEIGHTS)
        assert next(layer.name for layer in spec.weights if layer.arrays) == "dense_1"
        assert spec.weights.layers[0].arrays[0].read().shape == (4, 3)


def test_a_definition_alone():
    with read_model(JSON) as spec:
        assert spec.weights is None
        assert spec.training is None


@pytest.mark.parametrize("weights", [None, FULL])
def test_a_full_save_alone(weights):
    with read_model(FULL, weights) as spec:
        assert spec.keras_version == "1.2.2"
        assert spec.training is not None
        assert spec.weights is not None
        assert spec.weights.layers[0].arrays[0].read().shape == (4, 3)


def test_a_full_save_gives_its_weights_or_its_definition():
    with read_model(JSON, FULL) as spec:
        assert spec.weights is not None
        assert spec.weights.layers[0].name == "a/b"
    with read_model(FULL, WEIGHTS) as spec:
        assert spec.graph.layers[0].name == "a/b"
        assert spec.weights is not None
        assert spec.weights.layers[0].name == "dense_1"


def test_the_librarys_own_format(tmp_path):
    path = tmp_path / "model.json"
    write_native(path, "Sequential", CONFIG, [LayerArrays("d", ())])
    with read_model(path) as spec:
        assert spec.graph.layers[0].name == "d"
    with read_model(JSON, path) as spec:
        assert spec.weights is not None
        assert spec.weights.layers[0].name == "d"


def test_a_remote_file_is_fetched_once(monkeypatch):
    memory = fsspec.filesystem("memory")
    memory.pipe_file("/reader/full.h5", FULL.read_bytes())
    fetched = []
    original = type(memory).get_file

    def get_file(self, path, *args, **kwargs):
        fetched.append(path)
        return original(self, path, *args, **kwargs)

    monkeypatch.setattr(type(memory), "get_file", get_file)
    with read_model("memory://reader/full.h5") as spec:
        assert spec.source == "memory://reader/full.h5"
        assert spec.weights is not None
        assert spec.weights.layers[0].arrays[0].read().shape == (4, 3)
    assert fetched == ["/reader/full.h5"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((WEIGHTS,), r"legacy_merge\.h5 holds no definition .* as def_path and this file as weights_path"),
        ((JSON, YAML), r"legacy_merge\.yaml holds no weights"),
    ],
)
def test_files_in_the_wrong_place(arguments, message):
    with pytest.raises(FormatError, match=message), read_model(*arguments):
        pass


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is no model but empty"),
        (b"\x80\x04K\x01.", "is no model but a pickle"),
        (b"PK\x03\x04 ", "a ZIP archive"),
        (b"\n<!DOCTYPE html>", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "git lfs pull"),
        (b"\x00\x01\x02\x03", "m "),
    ],
)
def test_files_that_are_no_model(tmp_path, content, message):
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(FormatError, match=message), read_model(tmp_path / "m"):
        pass


def test_a_missing_file():
    with pytest.raises(MissingFileError, match=r"no\.json does not exist"), read_model("no.json"):
        pass
    with pytest.raises(MissingFileError, match=r"no\.h5 does not exist"), read_model(JSON, "no.h5"):
        pass
