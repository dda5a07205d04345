"""Every golden case: what is loaded from Keras's files computes, holds and describes what Keras's model did."""

import json
from typing import Any

import numpy as np
import pytest
from tests.golden_cases import CASES, Array, Case

from bigdl.formats.keras_json import read_definition
from bigdl.layers import settings
from bigdl.models import Model
from bigdl.registry import build_graph

TOLERANCE = 1e-5

# What Keras leaves out of a configuration although the layer's constructor takes it.
WRITTEN_BY_US_ONLY = {"dim_ordering", "shared_axes"}


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request) -> Case:
    settings.set_image_dim_ordering(request.param.ordering)
    return request.param


def load(case: Case) -> Model:
    return Model.load_keras(case.definition, case.weights)


def predict(model: Model, inputs: list[Array]) -> list[Array]:
    outputs = model.predict(inputs if len(inputs) > 1 else inputs[0], batch_size=len(inputs[0]))
    return outputs if isinstance(outputs, list) else [outputs]


def assert_outputs(case: Case, model: Model, key: str) -> None:
    expected = case.arrays(key)
    received = predict(model, case.arrays("x"))
    assert [y.shape for y in received] == [y.shape for y in expected]
    for i, (ours, theirs) in enumerate(zip(received, expected, strict=True)):
        error = np.abs(ours.astype("float64") - theirs)
        worst = tuple(map(int, np.unravel_index(error.argmax(), error.shape)))
        assert error.max() <= TOLERANCE * max(1.0, np.abs(theirs).max()), (
            f"output {i} of shape {theirs.shape} differs most at {worst}: expected {theirs[worst]}, "
            f"received {ours[worst]}; {np.mean(error > TOLERANCE):.0%} of its values differ"
        )


def differences(ours: Any, theirs: Any, where: str = "") -> list[str]:
    """Lists where a configuration differs from Keras's, keys that only we write aside."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        keys = [key for key in sorted(ours.keys() | theirs.keys()) if key in theirs or key not in WRITTEN_BY_US_ONLY]
        nothing = object()
        return [d for k in keys for d in differences(ours.get(k, nothing), theirs.get(k, nothing), f"{where}.{k}")]
    if isinstance(theirs, list) and isinstance(ours, list) and len(ours) == len(theirs):
        return [d for i in range(len(ours)) for d in differences(ours[i], theirs[i], f"{where}[{i}]")]
    return [] if ours == theirs else [f"{where}: expected {theirs}, received {ours}"]


def test_outputs(case):
    model = load(case)
    assert_outputs(case, model, "y")
    if case.notes.get("stateful"):
        assert_outputs(case, model, "z")
        model.reset_states()
        assert_outputs(case, model, "y")


def test_weights_are_those_of_the_file(case):
    expected = case.stored_weights()
    received = load(case).get_weights()
    assert [array.shape for array in received] == [array.shape for _, array in expected]
    for (name, theirs), ours in zip(expected, received, strict=True):
        assert np.array_equal(ours, theirs), name


def test_definition_is_that_of_the_file(case):
    ours = json.loads(load(case).to_json())
    assert differences(ours, json.loads(case.definition.read_text())) == []


def test_definition_round_trip(case):
    model = load(case)
    copy = build_graph(read_definition(model.to_json()).graph)
    copy.set_weights(model.get_weights())
    assert_outputs(case, copy, "y")
