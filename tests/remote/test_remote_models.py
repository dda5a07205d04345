"""Models from anywhere and to anywhere: S3 by its real API, the web, memory, file URIs."""

from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest

import bigdl
from bigdl.cli import main
from bigdl.errors import FormatError, MissingFileError, StorageError, WeightMismatchError
from bigdl.models import Model
from tests.remote.conftest import BUCKET, GOLDENS, SECRET

LENET = GOLDENS / "nets" / "lenet"
FULL = GOLDENS / "full" / "adam"
BOTH = ("s3", "s3a")


def data(case: Path) -> Any:
    with np.load(f"{case}.npz") as file:
        return {name: file[name] for name in file.files}


def assert_keras_s_outputs(model: Model, case: Path) -> None:
    arrays = data(case)
    outputs = model.predict(arrays["x0"], batch_size=len(arrays["x0"]))
    np.testing.assert_allclose(outputs, arrays["y0"], rtol=0, atol=1e-5 * max(1, np.abs(arrays["y0"]).max()))


@pytest.fixture
def memory(tmp_path):
    """A folder in memory that nobody else has."""
    return f"memory://{tmp_path.name}"


@pytest.fixture
def uploaded(s3) -> Any:
    for path in (Path(f"{LENET}.json"), Path(f"{LENET}.h5"), Path(f"{FULL}.h5")):
        s3.upload_file(str(path), BUCKET, f"in/{path.name}")
    return s3


@pytest.mark.parametrize("scheme", BOTH)
def test_load_from_s3(scheme, uploaded):
    folder = f"{scheme}://{BUCKET}/in"
    assert_keras_s_outputs(Model.load_keras(f"{folder}/lenet.json", f"{folder}/lenet.h5"), LENET)
    assert_keras_s_outputs(Model.load_keras(f"{folder}/adam.h5"), FULL)


@pytest.mark.parametrize("scheme", BOTH)
@pytest.mark.parametrize("name", ["m.h5", "m.bigdl"])
def test_save_to_s3(scheme, name, s3):
    uri = f"{scheme}://{BUCKET}/out/{name}"
    model = Model.load_keras(f"{LENET}.json", f"{LENET}.h5")
    model.save(uri)
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == [f"out/{name}"]
    assert_keras_s_outputs(Model.load(uri), LENET)


def test_weights_and_definitions_on_s3(s3):
    folder = f"s3://{BUCKET}/parts"
    model = Model.load_keras(f"{LENET}.json", f"{LENET}.h5")
    model.save_weights(f"{folder}/w.h5")
    s3.put_object(Bucket=BUCKET, Key="parts/m.json", Body=model.to_json().encode())
    assert_keras_s_outputs(Model.load_keras(f"{folder}/m.json", f"{folder}/w.h5"), LENET)
    other = Model.load_keras(f"{folder}/m.json")
    other.load_weights(f"{folder}/w.h5", by_name=True)
    assert_keras_s_outputs(other, LENET)


def test_saving_over_what_is_there(s3):
    uri = f"s3://{BUCKET}/m.bigdl"
    model = Model.load_keras(f"{LENET}.json", f"{LENET}.h5")
    model.save(uri)
    with pytest.raises(FileExistsError, match=r"m\.bigdl"):
        model.save(uri, over_write=False)
    model.save(uri)


def test_a_failed_save_leaves_the_old_object(s3, monkeypatch):
    uri = f"s3://{BUCKET}/m.h5"
    model = Model.load_keras(f"{LENET}.json", f"{LENET}.h5")
    model.save(uri)
    before = s3.head_object(Bucket=BUCKET, Key="m.h5")["ETag"]
    monkeypatch.setattr(type(model), "get_config", lambda self: {"layers": object()})
    with pytest.raises(FormatError):
        model.save(uri)
    assert s3.head_object(Bucket=BUCKET, Key="m.h5")["ETag"] == before
    assert len(s3.list_objects_v2(Bucket=BUCKET)["Contents"]) == 1


def test_what_is_not_on_s3(s3):
    with pytest.raises(MissingFileError, match=r"models/nothing\.json does not exist"):
        Model.load_keras(f"s3://{BUCKET}/nothing.json")
    with pytest.raises(StorageError, match="no-such-bucket"):
        Model.load_keras("s3://no-such-bucket/model.json")


def test_a_truncated_object(uploaded):
    uploaded.put_object(Bucket=BUCKET, Key="in/short.h5", Body=LENET.with_suffix(".h5").read_bytes()[:2000])
    with pytest.raises(FormatError, match=r"s3://models/in/short\.h5"):
        Model.load_keras(f"s3://{BUCKET}/in/lenet.json", f"s3://{BUCKET}/in/short.h5")


def test_weights_of_another_model_are_named_by_their_uri(uploaded):
    with pytest.raises(WeightMismatchError, match=r"s3://models/in/adam\.h5"):
        Model.load_keras(f"s3://{BUCKET}/in/lenet.json", f"s3://{BUCKET}/in/adam.h5")


def test_no_access_shows_no_credentials(s3_server, monkeypatch, caplog):
    fsspec.filesystem("s3").clear_instance_cache()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://user:{SECRET}@127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(StorageError) as raised:
        Model.load_keras(f"s3://{BUCKET}/model.json")
    assert SECRET not in str(raised.value)
    assert SECRET not in caplog.text
    fsspec.filesystem("s3").clear_instance_cache()


def test_inspect_and_the_command_on_s3(uploaded, capsys):
    folder = f"s3://{BUCKET}/in"
    inspection = bigdl.inspect(f"{folder}/lenet.json", f"{folder}/lenet.h5")
    assert inspection.loads
    assert inspection.weights_source == f"{folder}/lenet.h5"
    assert main(["convert", f"{folder}/lenet.json", "--weights", f"{folder}/lenet.h5", f"s3://{BUCKET}/m.h5"]) == 0
    assert capsys.readouterr() == ("", "")
    assert_keras_s_outputs(Model.load_keras(f"s3a://{BUCKET}/m.h5"), LENET)


def test_predict_from_and_to_s3(uploaded, tmp_path):
    np.save(tmp_path / "x.npy", data(LENET)["x0"])
    uploaded.upload_file(str(tmp_path / "x.npy"), BUCKET, "x.npy")
    folder, output = f"s3://{BUCKET}/in", f"s3://{BUCKET}/y.npy"
    arguments = [f"{folder}/lenet.json", "--weights", f"{folder}/lenet.h5", f"s3://{BUCKET}/x.npy", "-o", output]
    assert main(["predict", *arguments]) == 0
    uploaded.download_file(BUCKET, "y.npy", str(tmp_path / "y.npy"))
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), data(LENET)["y0"], atol=1e-5)


def test_load_from_the_web(web):
    assert_keras_s_outputs(Model.load_keras(f"{web}/nets/lenet.json", f"{web}/nets/lenet.h5"), LENET)
    assert_keras_s_outputs(Model.load_keras(f"{web}/full/adam.h5"), FULL)
    with pytest.raises(MissingFileError, match=r"nothing\.json"):
        Model.load_keras(f"{web}/nets/nothing.json")


def test_the_web_is_for_reading_only(web):
    with pytest.raises(StorageError, match="for reading only"):
        Model.load_keras(f"{FULL}.h5").save(f"{web}/m.h5")


def test_load_from_and_save_to_memory(memory):
    for suffix in (".json", ".h5"):
        fsspec.filesystem("memory").pipe_file(f"{memory}/in{suffix}", LENET.with_suffix(suffix).read_bytes())
    model = Model.load_keras(f"{memory}/in.json", f"{memory}/in.h5")
    assert_keras_s_outputs(model, LENET)
    for name in ("out.h5", "out.bigdl"):
        model.save(f"{memory}/{name}")
        assert_keras_s_outputs(Model.load(f"{memory}/{name}"), LENET)


def test_load_from_and_save_to_file_uris(tmp_path):
    model = Model.load_keras(Path(f"{LENET}.json").as_uri(), Path(f"{LENET}.h5").as_uri())
    uri = (tmp_path / "with a space.h5").as_uri()
    model.save(uri)
    assert_keras_s_outputs(Model.load_keras(uri), LENET)


def test_definition_and_weights_from_different_places(uploaded, web):
    assert_keras_s_outputs(Model.load_keras(f"{web}/nets/lenet.json", f"s3://{BUCKET}/in/lenet.h5"), LENET)
