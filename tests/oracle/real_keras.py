"""The real Keras 1.2.2, run in its own process."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.golden_cases import Array

SCRIPT = Path(__file__).with_name("make_results.py")
TOLERANCE = 1e-5


def keras_reads(cases: Sequence[dict[str, Any]], folder: Path) -> dict[str, str]:
    """Lets the real Keras read files; see ``make_results.py``.

    Args:
        cases: The cases.
        folder: Where there is room.

    Returns:
        What fails, by the name of the case.
    """
    python = os.environ.get("KERAS122_PYTHON")
    if python is None:
        pytest.fail("Set KERAS122_PYTHON to the Python of an environment that holds Keras 1.2.2.")
    (folder / "cases.json").write_text(json.dumps(cases))
    done = subprocess.run(
        [python, "-W", "ignore", SCRIPT, folder / "cases.json"],
        env={**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    errors: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return errors


def difference(key: str, expected: Sequence[Array], received: Sequence[Array]) -> str | None:
    """Says where arrays differ; None where they do not."""
    if [a.shape for a in expected] != [a.shape for a in received]:
        return f"{key}: expected {len(expected)} arrays, received {len(received)}, or of other shapes"
    for a, b in zip(expected, received, strict=True):
        error = np.abs(a.astype("float64") - b).max(initial=0)
        if not error <= TOLERANCE * max(1.0, np.abs(a).max(initial=0)):
            return f"{key}: differs by {error}"
    return None
