"""Models on a real HDFS: `make test-hdfs HDFS=hdfs://host:port`, not part of `make test`.

The environment names the cluster: BIGDL_TEST_HDFS, e.g. ``hdfs://127.0.0.1:9000``, and BIGDL_TEST_WEBHDFS, e.g.
``webhdfs://127.0.0.1:9870``. Everything is written below ``/tmp/bigdl-test-...`` and removed.
"""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest

import bigdl
from bigdl import files
from bigdl.errors import FormatError, MissingFileError, StorageError
from bigdl.models import Model

GOLDENS = Path(__file__).parents[1] / "goldens"
LENET = GOLDENS / "nets" / "lenet"


@pytest.fixture(params=["BIGDL_TEST_HDFS", "BIGDL_TEST_WEBHDFS"])
def folder(request: pytest.FixtureRequest) -> Iterator[str]:
    """A folder of its own on the cluster, by each of the two protocols."""
    address = os.environ.get(request.param)
    assert address, f"set {request.param} to the address of the cluster"
    uri = f"{address.rstrip('/')}/tmp/bigdl-test-{secrets.token_hex(6)}"
    fs, path = fsspec.core.url_to_fs(uri)
    fs.makedirs(path, exist_ok=True)
    yield uri
    fs.rm(path, recursive=True)


def names(folder: str) -> list[str]:
    fs, path = fsspec.core.url_to_fs(folder)
    fs.invalidate_cache()
    return sorted(entry.rstrip("/").rpartition("/")[2] for entry in fs.ls(path, detail=False))


def lenet() -> Model:
    return Model.load_keras(f"{LENET}.json", f"{LENET}.h5")


def assert_keras_s_outputs(model: Model) -> None:
    with np.load(f"{LENET}.npz") as data:
        x, y = data["x0"], data["y0"]
    np.testing.assert_allclose(model.predict(x, batch_size=len(x)), y, rtol=0, atol=1e-5)


def test_load_from_hdfs(folder):
    for suffix in (".json", ".h5"):
        files.write_bytes(f"{folder}/in{suffix}", LENET.with_suffix(suffix).read_bytes())
    assert_keras_s_outputs(Model.load_keras(f"{folder}/in.json", f"{folder}/in.h5"))
    assert bigdl.inspect(f"{folder}/in.json", f"{folder}/in.h5").loads


@pytest.mark.parametrize("name", ["m.h5", "m.bigdl", "a new folder/m.h5"])
def test_save_to_hdfs_and_over_what_is_there(folder, name):
    for _ in range(2):
        lenet().save(f"{folder}/{name}")
    assert_keras_s_outputs(Model.load(f"{folder}/{name}"))
    with pytest.raises(FileExistsError, match=r"m\."):
        lenet().save(f"{folder}/{name}", over_write=False)
    assert names(folder) == [name.partition("/")[0]]


def test_a_failed_save_leaves_the_old_file_and_nothing_else(folder, monkeypatch):
    model = lenet()
    model.save(f"{folder}/m.h5")
    monkeypatch.setattr(type(model), "get_config", lambda self: {"layers": object()})
    with pytest.raises(FormatError):
        model.save(f"{folder}/m.h5")
    assert names(folder) == ["m.h5"]
    assert_keras_s_outputs(Model.load(f"{folder}/m.h5"))


def test_a_transfer_that_breaks_leaves_nothing_half_written(folder, monkeypatch):
    fs, _ = fsspec.core.url_to_fs(folder)
    files.write_bytes(f"{folder}/x", b"old")

    def broken(local: str, remote: str, **_: Any) -> None:
        fs.pipe_file(remote, b"half")
        raise OSError("connection lost")

    monkeypatch.setattr(type(fs), "put_file", staticmethod(broken))
    with pytest.raises(StorageError, match="connection lost"):
        files.write_bytes(f"{folder}/x", b"new")
    assert names(folder) == ["x"]
    assert files.read_bytes(f"{folder}/x") == b"old"


def test_a_file_of_many_blocks(folder):
    data = np.random.default_rng(0).bytes(20 * 2**20)
    files.write_bytes(f"{folder}/large", data)
    with files.local_copy(f"{folder}/large") as path:
        assert path.read_bytes() == data


def test_a_file_that_is_not_there(folder):
    with pytest.raises(MissingFileError, match=r"nothing\.json does not exist"):
        Model.load_keras(f"{folder}/nothing.json")


@pytest.mark.timeout(60)
def test_no_connection(folder):
    scheme = folder.partition("://")[0]
    with pytest.raises(StorageError) as raised:
        Model.load_keras(f"{scheme}://127.0.0.1:1/model.json")
    assert not isinstance(raised.value, MissingFileError)
