"""The settings made at import: in fresh processes, because they are made once."""

import os
import subprocess
import sys

import pytest

NAMES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
SHOW = f"import bigdl, os; print(*map(os.environ.get, {NAMES}))"


def shown(code: str = SHOW, **environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if name not in (*NAMES, "BIGDL_TUNE")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=kept | environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_waiting_threads_sleep():
    assert shown() == "PASSIVE 5000"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE None"),
        ({"GOMP_SPINCOUNT": "0"}, "PASSIVE 0"),
        ({"BIGDL_TUNE": "0"}, "None None"),
    ],
)
def test_the_user_s_word_counts(environment, expected):
    assert shown(**environment) == expected


def test_nothing_is_pretended_when_torch_was_first():
    assert shown("import torch\n" + SHOW) == "None None"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's mallopt")
def test_freed_memory_is_kept():
    code = """
import bigdl, ctypes, resource
import numpy as np
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        np.ones(8_000_000)  # above the threshold that glibc adapts by itself
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(faults())
"""
    small_pages = {"NUMPY_MADVISE_HUGEPAGE": "0"}
    assert int(shown(code, **small_pages)) < 1000 < int(shown(code, BIGDL_TUNE="0", **small_pages))
