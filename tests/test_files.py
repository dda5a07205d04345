"""Reading and writing by URI: local files, stores of fsspec, and what messages may show."""

import stat
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import fsspec
import pytest

from bigdl import files
from bigdl.errors import BigDLError, FormatError, MissingFileError, StorageError


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.fixture(params=["path", "str", "file", "memory"])
def uri(request, tmp_path):
    match request.param:
        case "path":
            return tmp_path / "a file.bin"
        case "str":
            return str(tmp_path / "a file.bin")
        case "file":
            return (tmp_path / "a file.bin").as_uri()
    return f"memory://{tmp_path.name}/a file.bin"


def test_write_then_read(uri):
    assert not files.exists(uri)
    files.write_bytes(uri, b"one")
    files.write_bytes(uri, b"two")
    assert files.exists(uri)
    assert files.read_bytes(uri) == b"two"
    with files.local_copy(uri) as path:
        assert path.read_bytes() == b"two"


def test_a_missing_file_is_named(uri):
    for read in (files.read_bytes, lambda u: files.local_copy(u).__enter__()):
        with pytest.raises(MissingFileError, match=r"file\.bin does not exist"):
            read(uri)
        with pytest.raises(FileNotFoundError):
            read(uri)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(uri, tmp_path):
    files.write_bytes(uri, b"old")
    before = names(tmp_path)

    def fail() -> None:
        with files.write_atomic(uri) as path:
            path.write_bytes(b"half")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        fail()
    assert files.read_bytes(uri) == b"old"
    assert names(tmp_path) == before


def test_the_limit_is_kept(uri):
    files.write_bytes(uri, b"12345")
    assert files.read_bytes(uri, limit=5) == b"12345"
    with pytest.raises(FormatError, match="more than 4 bytes"):
        files.read_bytes(uri, limit=4)


def test_a_local_file_is_not_copied(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"x")
    with files.local_copy(path) as copy:
        assert copy == path


def test_a_copy_of_a_remote_file_is_removed():
    fsspec.filesystem("memory").pipe_file("/copied/x", b"x")
    with files.local_copy("memory://copied/x") as copy:
        assert copy.read_bytes() == b"x"
    assert not copy.exists()


def test_file_mode_and_links_are_kept(tmp_path):
    target = tmp_path / "target"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(target)
    files.write_bytes(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_writing_needs_the_folder(tmp_path):
    with pytest.raises(MissingFileError, match="folder or bucket does not exist"):
        files.write_bytes(tmp_path / "no" / "x", b"")


def test_a_folder_is_neither_read_nor_replaced(tmp_path):
    with pytest.raises(StorageError, match="cannot be read"):
        files.read_bytes(tmp_path)
    with pytest.raises(StorageError, match="folder of that name"):
        files.write_bytes(tmp_path, b"")


def test_web_addresses_are_not_written():
    with pytest.raises(StorageError, match="for reading only"):
        files.write_bytes("https://example.org/x", b"")


def test_a_file_uri_of_another_host_is_refused():
    with pytest.raises(StorageError, match="another host"):
        files.read_bytes("file://elsewhere/x")


def test_an_unknown_scheme_is_refused():
    with pytest.raises(StorageError, match="Protocol not known"):
        files.read_bytes("nosuch://x/y")


@pytest.mark.parametrize(
    ("scheme", "package"),
    [("s3", r"bigdl-torch\[s3\]"), ("s3a", r"bigdl-torch\[s3\]"), ("hdfs", r"bigdl-torch\[hdfs\]")],
)
def test_a_missing_driver_names_the_extra(scheme, package, monkeypatch):
    def without_driver(*_args, **_kwargs):
        raise ImportError("no driver")

    monkeypatch.setattr(fsspec.core, "url_to_fs", without_driver)
    with pytest.raises(StorageError, match=f"pip install '{package}'"):
        files.read_bytes(f"{scheme}://bucket/x")


SECRETS = [
    "http://user:hunter22@127.0.0.1:1/model.h5?token=hunter22",
    "http://127.0.0.1:1/model.h5?X-Amz-Signature=hunter22&x=1#hunter22",
    "webhdfs://user:hunter22@127.0.0.1:1/model.h5",
    "nosuch://user:hunter22@host/model.h5",
    "nosuch://user:hunter%32%32@host/model.h5",
    "nosuch://KEY:hunter22/and?more@host/model.h5",
]


@pytest.mark.parametrize("uri", SECRETS)
def test_credentials_never_show(uri):
    assert "hunter" not in files.display(uri)
    with pytest.raises(BigDLError, match=r"model\.h5") as caught:
        files.read_bytes(uri)
    assert "hunter" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_folders_are_made_with_those_above_them(tmp_path):
    folder = tmp_path / "one" / "two"
    files.make_folder(folder)
    files.make_folder(folder)
    assert folder.is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="file/inside cannot be made"):
        files.make_folder(tmp_path / "file" / "inside")


def test_a_store_without_folders_needs_none():
    files.make_folder("memory://nowhere/at/all")
    assert not files.exists("memory://nowhere")


class _Answer(BaseHTTPRequestHandler):
    """Answers ``/ok`` with a body, any other path with the status it names."""

    def do_GET(self):
        status = 200 if self.path == "/ok" else int(self.path[1:4])
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"body")

    do_HEAD = do_GET  # noqa: N815 - the names that http.server looks for

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def web():
    server = HTTPServer(("127.0.0.1", 0), _Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_web_is_read(web):
    assert files.read_bytes(f"{web}/ok") == b"body"
    with files.local_copy(f"{web}/ok") as path:
        assert path.read_bytes() == b"body"
    assert files.exists(f"{web}/ok")
    assert not files.exists(f"{web}/404")
    with pytest.raises(MissingFileError, match="404 does not exist"):
        files.read_bytes(f"{web}/404")


@pytest.mark.parametrize("read", [files.read_bytes, files.exists, lambda uri: files.local_copy(uri).__enter__()])
@pytest.mark.parametrize("status", [401, 403, 500])
def test_no_access_is_not_called_missing(web, status, read):
    with pytest.raises(StorageError, match=str(status)) as caught:
        read(f"{web}/{status}?token=hunter22")
    assert not isinstance(caught.value, MissingFileError)
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize("read", [files.read_bytes, files.exists])
def test_no_connection_is_not_called_missing(read):
    with pytest.raises(StorageError, match="Connect") as caught:
        read("http://user:hunter22@127.0.0.1:1/x")
    assert not isinstance(caught.value, MissingFileError)
    assert "hunter" not in str(caught.value)


def test_a_writer_s_own_file_gets_the_usual_permissions(tmp_path):
    path = tmp_path / "new"
    with files.write_atomic(path) as temporary:
        temporary.unlink()
        temporary.touch(mode=0o600)
    (tmp_path / "usual").touch()
    assert path.stat().st_mode == (tmp_path / "usual").stat().st_mode
