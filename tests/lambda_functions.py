"""The functions of ``tests/layers/functions.json``, made by ``make_functions.py`` beside it."""

import json
from pathlib import Path
from typing import Any

_CONTENT = json.loads((Path(__file__).parent / "layers" / "functions.json").read_text("utf-8"))

INPUTS: dict[str, list[Any]] = _CONTENT["inputs"]
CASES: list[dict[str, Any]] = _CONTENT["cases"]

# (name, the Python that compiled it, the case)
BY_PYTHON = [(case["name"], python, case) for case in CASES for python in sorted(case["functions"])]


def stored(name: str, python: str = "3.6") -> list[Any]:
    """A function as a configuration holds it: code, defaults, closure."""
    found: list[Any] = next(case["functions"][python] for case in CASES if case["name"] == name)
    return found
