"""Scripts for Keras 1.2.2, with ``keras`` meaning ``bigdl.keras``.

The measure is Keras's own examples; see ``suite``. Where the developer has no checkout of it, the scripts of this
folder stand for them.
"""

import os
import subprocess
from pathlib import Path

import pytest

from tests.keras import not_applicable, suite

SOURCE = os.environ.get("KERAS122_SOURCE")
OWN: list[tuple[Path, str | None]] = [
    (script, None) for script in sorted((Path(__file__).parent / "scripts").glob("*.py"))
]
EXAMPLES = [
    (script, SOURCE)
    for script in (sorted(Path(SOURCE, "examples").glob("*.py")) if SOURCE else ())
    if script.name not in not_applicable.EXAMPLES
]


@pytest.mark.parametrize(("script", "source"), OWN + EXAMPLES, ids=lambda value: getattr(value, "stem", ""))
def test_scripts(script, source):
    problem = suite.run_example(script, source)
    assert problem is None, problem


@pytest.mark.oracle
@pytest.mark.timeout(600)
@pytest.mark.parametrize("script", [script for script, _ in OWN], ids=lambda script: script.stem)
def test_own_scripts_on_the_real_keras(script, tmp_path):
    """The scripts of this folder are scripts for Keras 1.2.2."""
    python = os.environ.get("KERAS122_PYTHON")
    assert python, "Set KERAS122_PYTHON to the Python of an environment that holds Keras 1.2.2."
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop("PYTHONPATH", None)
    command = [python, "-W", "ignore", str(script)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
