"""Models in HDFS, by both its protocols; ``make test-hdfs HDFS=hdfs://host:port`` runs these tests."""

import os
import secrets
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import fsspec
import numpy as np
import pytest

from bigdl import files
from bigdl.errors import BigDLError, MissingFileError, StorageError
from bigdl.nn.layer import Model
from tests.remote.conftest import GOLDENS

DEFINITION = GOLDENS / "nets" / "lenet.json"
WEIGHTS = GOLDENS / "nets" / "lenet.h5"
FULL = GOLDENS / "full" / "adam.h5"

pytestmark = pytest.mark.hdfs


def roots() -> dict[str, str]:
    """The addresses of the HDFS; that of WebHDFS is in ``WEBHDFS``, by default the port after the other one."""
    rpc = os.environ["HDFS"].rstrip("/")
    parts = urlsplit(rpc)
    return {"hdfs": rpc, "webhdfs": os.environ.get("WEBHDFS") or f"webhdfs://{parts.hostname}:{(parts.port or 0) + 1}"}


@pytest.fixture(params=["hdfs", "webhdfs"])
def scheme(request) -> str:
    scheme: str = request.param
    return scheme


@pytest.fixture
def folder(scheme) -> Iterator[str]:
    """A new folder, which is removed afterwards."""
    uri = f"{roots()[scheme].rstrip('/')}/bigdl-test-{secrets.token_hex(6)}"
    fs, path = fsspec.core.url_to_fs(uri)
    fs.makedirs(path)
    yield uri
    fs.rm(path, recursive=True)


def names(folder: str) -> list[str]:
    fs, path = fsspec.core.url_to_fs(folder)
    return sorted(entry.rpartition("/")[2] for entry in fs.ls(path, detail=False))


def expect_golden(model: Model, case) -> None:
    with np.load(case.with_suffix(".npz")) as data:
        outputs = model.predict(data["x0"], batch_size=len(data["x0"]))
        np.testing.assert_allclose(outputs, data["y0"], rtol=0, atol=1e-5 * max(1, np.abs(data["y0"]).max()))


def test_loads_what_another_program_wrote(folder):
    fs, path = fsspec.core.url_to_fs(folder)
    for file in (DEFINITION, WEIGHTS, FULL):
        fs.put_file(str(file), f"{path}/{file.name}")
    expect_golden(Model.load_keras(f"{folder}/{DEFINITION.name}", f"{folder}/{WEIGHTS.name}"), WEIGHTS)
    expect_golden(Model.load_keras(f"{folder}/{FULL.name}"), FULL)


@pytest.mark.parametrize("name", ["m.bigdl", "m.h5"])
def test_saves_and_replaces(folder, name):
    uri = f"{folder}/not yet there/{name}"
    Model.load_keras(FULL).save(uri)
    expect_golden(Model.load(uri), FULL)
    other = Model.load_keras(DEFINITION, WEIGHTS)
    with pytest.raises(FileExistsError):
        other.save(uri, over_write=False)
    expect_golden(Model.load(uri), FULL)
    other.save(uri)
    expect_golden(Model.load(uri), WEIGHTS)
    assert names(f"{folder}/not yet there") == [name]


def test_both_protocols_see_the_same_file(folder, scheme):
    uri = f"{folder}/m.bigdl"
    Model.load_keras(FULL).save(uri)
    path = urlsplit(uri).path
    for root in roots().values():
        expect_golden(Model.load(f"{root}{path}"), FULL)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(folder):
    uri = f"{folder}/x"
    files.write_bytes(uri, b"old")

    def fail() -> None:
        with files.write_atomic(uri) as path:
            path.write_bytes(b"half")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        fail()
    assert files.read_bytes(uri) == b"old"
    assert names(folder) == ["x"]


def test_a_refused_rename_leaves_nothing(folder):
    files.write_bytes(f"{folder}/x/below", b"old")
    with pytest.raises(BigDLError, match="/x cannot be written"):
        files.write_bytes(f"{folder}/x", b"new")
    assert names(folder) == ["x"]
    assert files.read_bytes(f"{folder}/x/below") == b"old"


def test_a_missing_file_is_named(folder):
    for arguments in ((f"{folder}/no.json",), (f"{folder}/no.h5",), (DEFINITION, f"{folder}/no.h5")):
        with pytest.raises(MissingFileError, match=rf"^{folder}/no\.\w+ does not exist"):
            Model.load_keras(*arguments)
    assert not files.exists(f"{folder}/no.h5")


@pytest.fixture
def impatient(tmp_path, monkeypatch) -> None:
    """Hadoop's settings with one attempt to connect; by default the driver goes on for three minutes."""
    name, value = "dfs.client.failover.max.attempts", 1
    settings = f"<configuration><property><name>{name}</name><value>{value}</value></property></configuration>"
    (tmp_path / "hdfs-site.xml").write_text(settings)
    (tmp_path / "core-site.xml").write_text("<configuration/>")
    monkeypatch.setenv("HADOOP_CONF_DIR", str(tmp_path))


@pytest.mark.usefixtures("impatient")
def test_no_connection_is_not_called_missing_and_shows_no_credentials(scheme):
    with pytest.raises(BigDLError) as caught:
        Model.load_keras(f"{scheme}://user:hunter22@127.0.0.1:1/no.h5")
    assert not isinstance(caught.value, MissingFileError)
    assert "hunter" not in str(caught.value)


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
