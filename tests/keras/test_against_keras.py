"""Backend functions, images, texts and labels against what the real Keras 1.2.2 computed."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import bigdl.data.images as image
from bigdl.data import labels, sequences, text
from bigdl.keras import backend
from tests.keras import cases

GOLDENS = Path(__file__).parent / "goldens"
MADE: dict[str, Callable[[], cases.Arrays]] = {
    "backend": lambda: cases.backend(backend),
    "images": lambda: cases.images(image),
    "texts": lambda: cases.texts(sequences, text),
    "labels": lambda: cases.labels(labels),
}
# Whitening divides by roots of eigenvalues near 0; the rest is float32 arithmetic.
TOLERANCES = {"whitened": 2e-3}


def pairs() -> Iterator[tuple[str, str]]:
    for kind in MADE:
        with np.load(GOLDENS / f"{kind}.npz") as file:
            yield from ((kind, name) for name in file.files)


@pytest.fixture(scope="module")
def results():
    return SimpleNamespace(**{kind: make() for kind, make in MADE.items()})


@pytest.mark.parametrize(("kind", "name"), list(pairs()))
def test_results(results, kind, name):
    with np.load(GOLDENS / f"{kind}.npz") as file:
        expected = file[name]
    found = np.asarray(vars(results)[kind][name])
    assert found.shape == expected.shape
    if expected.dtype.kind == "U":
        assert found.tolist() == expected.tolist()
    else:
        tolerance = TOLERANCES.get(name.split("_")[0], 1e-5)
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_every_case_has_a_golden(results):
    assert {(kind, name) for kind in MADE for name in vars(results)[kind]} == set(pairs())
