"""What this library writes, opened by the real Keras 1.2.2: every golden case, loaded, saved and read back."""

from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from bigdl.layers import settings
from tests.golden_cases import CASES, Case, read_arrays
from tests.oracle.real_keras import difference, keras_reads
from tests.test_goldens import load

pytestmark = [pytest.mark.oracle, pytest.mark.timeout(1800)]

FAMILIES = {family: list(cases) for family, cases in groupby(CASES, lambda case: case.family)}

# A layer is called again on what others made of its own output. No file of Keras 1.2.2 can hold that.
UNREADABLE = {f"graphs/random_{number}" for number in ("01", "02", "10", "11", "13", "14", "19")}


def give_back(case: Case, folder: Path) -> dict[str, Any]:
    """Loads a case and saves it again, as one file and as two; returns what ``make_results.py`` is to know of it."""
    settings.set_image_dim_ordering(case.ordering)
    model = load(case)
    stem = folder / case.name.replace("/", "-")
    model.save(f"{stem}.h5")
    model.save_weights(f"{stem}.weights.h5")
    Path(f"{stem}.json").write_text(model.to_json())
    return {
        "name": case.name,
        "full": f"{stem}.h5",
        "definition": f"{stem}.json",
        "weights": f"{stem}.weights.h5" if model.get_weights() else None,
        "ordering": case.ordering,
        "stateful": bool(case.notes.get("stateful")),
        "data": str(case.path(".npz")),
        "result": f"{stem}.npz",
    }


def problem(case: Case, result: Path, errors: dict[str, str]) -> str | None:
    if case.name in UNREADABLE:
        return None if "Missing layer" in errors.get(case.name, "") else "Keras can read it, contrary to UNREADABLE"
    if case.name in errors:
        return errors[case.name]
    found = (difference(key, case.arrays(key), read_arrays(result, key)) for key in "yzlr")
    return next((text for text in found if text is not None), None)


@pytest.mark.parametrize("family", FAMILIES)
def test_keras_opens_what_we_write(family, tmp_path):
    cases = FAMILIES[family]
    written = [give_back(case, tmp_path) for case in cases]
    errors = keras_reads(written, tmp_path)
    problems = [(case.name, problem(case, entry["result"], errors)) for case, entry in zip(cases, written, strict=True)]
    found = [f"{name}: {text}" for name, text in problems if text is not None]
    assert not found, "\n".join(found)
