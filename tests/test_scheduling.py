"""Tests are spread over processes, of which one may die."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = """
import os
import pytest

@pytest.mark.parametrize("number", range(12))
def test_one(number):
    if number == {dies}:
        os._exit(1)
"""


def outcome(folder: Path, dies: int) -> str:
    (folder / "conftest.py").write_text(
        "from tests.conftest import BySession, pytest_xdist_make_scheduler  # noqa: F401\n"
    )
    (folder / "test_one.py").write_text(TESTS.format(dies=dies))
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--rootdir", str(folder), "-p", "no:cacheprovider"]
    done = subprocess.run([*command, str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout.splitlines()[-1]


def test_a_process_that_dies_is_replaced(tmp_path):
    """The others' tests go on, and so do those that it still had."""
    assert "1 failed, 11 passed" in outcome(tmp_path, dies=4)
