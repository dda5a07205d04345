"""The package is installed with a compiler and without one, for every version of Python and torch."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARY = "bigdl/native/libkernels.so"


def wheel(folder: Path, **environment: str) -> zipfile.ZipFile:
    """Builds the package's wheel from a copy of its sources."""
    kept = shutil.ignore_patterns("*.so", "*.egg-info", "__pycache__")
    for name in ("src", "csrc"):
        shutil.copytree(ROOT / name, folder / name, ignore=kept)
    for name in ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", "dist", "."]
    subprocess.run(command, cwd=folder, env={**os.environ, **environment}, check=True, capture_output=True)
    (made,) = (folder / "dist").iterdir()
    return zipfile.ZipFile(made)


@pytest.mark.parametrize("environment", [{"CC": "false", "CXX": "false"}, {"PATH": ""}], ids=["fails", "missing"])
def test_without_a_compiler(tmp_path, environment):
    with wheel(tmp_path, **environment) as made:
        names = made.namelist()
    assert "bigdl/layers/recurrent/kernels/stepwise.py" in names
    assert LIBRARY not in names
    assert "-py3-none-" in Path(str(made.filename)).name
