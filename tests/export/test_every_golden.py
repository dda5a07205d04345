"""Every golden in every format: what other programs compute from our files is what Keras 1.2.2 computed.

A sample by default; all of them by ``make test-exports``.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from bigdl.errors import ExportError
from bigdl.layers import settings
from bigdl.models import Model
from tests.export.runtimes import Run, difference, open_onnx, open_program, run_keras3
from tests.golden_cases import CASES, Case, read_arrays
from tests.test_goldens import load

EVERY = 30
OPEN = {".pt2": open_program, ".onnx": open_onnx}

# Their outputs depend on the whole batch.
BATCH_DEPENDENT = re.compile(r"normalization/mode2|time_distributed/normalization_mode2")
# A mask before a stateful layer that is not unrolled: see docs/exports.md.
REFUSED = {
    ".keras": re.compile(r"(recurrent|bidirectional)/\w+_stateful_masked(?!_unroll)"),
    ".pt2": None,
    ".onnx": None,
}


def classes(value: Any) -> Iterator[str]:
    """The classes that a definition names."""
    if isinstance(value, dict):
        if isinstance(value.get("class_name"), str):
            yield value["class_name"]
        for inner in value.values():
            yield from classes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from classes(inner)


def sampled() -> set[str]:
    """The names of some cases: every so many, and of each class one at least; of functions, which take long, few."""
    chosen: set[str] = set()
    met: set[str] = set()
    for i, case in enumerate(CASES):
        names = set(classes(case.keras_json)) if case.family != "yaml" else set()
        if (i % EVERY == 0 and case.family != "lambdas") or not names <= met:
            chosen.add(case.name)
            met |= names
    return chosen


SAMPLE = sampled()


def marked(case: Case) -> Any:
    return pytest.param(case, id=case.name, marks=[] if case.name in SAMPLE else pytest.mark.exports)


def model_of(case: Case) -> Model:
    settings.set_image_dim_ordering(case.ordering)
    return load(case)


def is_refused(case: Case, ending: str) -> bool:
    pattern = REFUSED[ending]
    return pattern is not None and pattern.match(case.name) is not None


def assert_refused(model: Model, path: Path) -> None:
    with pytest.raises(ExportError) as raised:
        model.export(path)
    assert any(repr(layer.name) in str(raised.value) for layer in model.modules() if hasattr(layer, "weights"))
    assert not path.exists()


@pytest.mark.parametrize("ending", OPEN)
@pytest.mark.parametrize("case", [marked(case) for case in CASES])
def test_outputs(case, ending, tmp_path):
    path = tmp_path / f"model{ending}"
    model = model_of(case)
    model.export(path)
    run = OPEN[ending](path)
    inputs = [array.astype(tensor.dtype) for array, tensor in zip(case.arrays("x"), model.inputs, strict=True)]
    assert difference(case.arrays("y"), run(inputs)) is None
    if case.notes.get("stateful"):
        assert difference(case.arrays("z"), run(inputs)) is None
    elif all(tensor.shape[0] is None for tensor in model.inputs) and not BATCH_DEPENDENT.match(case.name):
        assert_one_row(case, run, inputs)


def assert_one_row(case: Case, run: Run, inputs: list[Any]) -> None:
    first = run([array[:1] for array in inputs])
    assert difference([y[:1] for y in case.arrays("y")], first) is None


FAMILIES = {family: list(cases) for family, cases in groupby(CASES, lambda case: case.family)}
WHOLE = [pytest.param(family, False, id=family, marks=pytest.mark.exports) for family in FAMILIES]


@pytest.mark.parametrize(("family", "only_sample"), [pytest.param(None, True, id="sample"), *WHOLE])
def test_keras3_outputs(family, only_sample, tmp_path):
    cases = [case for case in CASES if case.name in SAMPLE] if only_sample else FAMILIES[family]
    written: list[dict[str, Any]] = []
    for case in cases:
        stem = tmp_path / case.name.replace("/", "-")
        model = model_of(case)
        if is_refused(case, ".keras"):
            assert_refused(model, stem.with_suffix(".keras"))
            continue
        model.export(f"{stem}.keras")
        again = bool(case.notes.get("stateful"))
        entry = {"name": case.name, "file": f"{stem}.keras", "data": str(case.path(".npz")), "again": again}
        written.append({**entry, "result": f"{stem}.npz"})
    errors = run_keras3(written, tmp_path)
    problems = [(entry["name"], errors.get(entry["name"]) or problem(entry)) for entry in written]
    found = [f"{name}: {text}" for name, text in problems if text is not None]
    assert not found, "\n".join(found)


def problem(entry: dict[str, Any]) -> str | None:
    keys = "yz" if entry["again"] else "y"
    pairs = ((read_arrays(Path(entry["data"]), key), read_arrays(Path(entry["result"]), key)) for key in keys)
    found = [text for text in (difference(*pair) for pair in pairs) if text is not None]
    return found[0] if found else None
