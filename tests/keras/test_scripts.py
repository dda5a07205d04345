"""Scripts for Keras 1.2.2, with ``keras`` meaning ``bigdl.keras``.

The measure is Keras's own examples; see ``suite``. Where the developer has no checkout of it, the scripts of this
folder stand for them.
"""

import os
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
