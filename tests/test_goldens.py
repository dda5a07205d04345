"""Every golden case: what is loaded from Keras's files computes, holds and describes what Keras's model did."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bigdl.errors import BigDLError
from bigdl.formats import read_definition
from bigdl.layers import settings
from bigdl.models import Model
from bigdl.models.keras_definition import for_keras
from bigdl.registry import build_graph
from tests.golden_cases import CASES, REFUSALS, Array, Case, Refusal

TOLERANCE = 1e-5

# What Keras leaves out of a configuration although the layer's constructor takes it; ``input_dtype`` Keras itself adds
# to a stateful layer once it has read one back.
WRITTEN_BY_US_ONLY = {"dim_ordering", "input_dtype", "shared_axes"}

WITH_OWN_WEIGHTS = [case for case in CASES if case.family != "weights"]
WITH_JSON = [case for case in CASES if case.family != "yaml"]


def named(cases: list[Any]) -> dict[str, Any]:
    return {"argvalues": cases, "ids": [case.name for case in cases]}


@pytest.fixture
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    settings.set_image_dim_ordering(found.ordering)
    return found


def load(case: Case) -> Model:
    if not case.notes.get("by_name"):
        return Model.load_keras(case.definition, case.weights)
    model = Model.load_keras(case.definition, case.path(".init.h5"))
    model.load_weights(case.path(".h5"), by_name=True)
    return model


def predict(model: Any, inputs: list[Array]) -> list[Array]:
    outputs = model.predict(inputs if len(inputs) > 1 else inputs[0], batch_size=len(inputs[0]))
    return outputs if isinstance(outputs, list) else [outputs]


def assert_outputs(case: Case, model: Any, key: str) -> None:
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
        return [d for k in keys for d in differences(ours.get(k, "no key"), theirs.get(k, "no key"), f"{where}.{k}")]
    if isinstance(theirs, list) and isinstance(ours, list) and len(ours) == len(theirs):
        return [d for i in range(len(ours)) for d in differences(ours[i], theirs[i], f"{where}[{i}]")]
    return [] if ours == theirs else [f"{where}: expected {theirs}, received {ours}"]


@pytest.mark.parametrize("case", **named(CASES), indirect=True)
def test_outputs(case):
    model = load(case)
    assert_outputs(case, model, "y")
    if case.notes.get("stateful"):
        assert_outputs(case, model, "z")
        model.reset_states()
        assert_outputs(case, model, "y")


@pytest.mark.parametrize("case", **named(WITH_OWN_WEIGHTS), indirect=True)
def test_weights_are_those_of_the_file(case):
    layers = [layer for layer in load(case).weight_layers if layer.weights]
    stored = case.stored_weights()
    assert [len(layer.weights) for layer in layers] == [len(arrays) for arrays in stored]
    for layer, arrays in zip(layers, stored, strict=True):
        for weight, array in zip(layer.weights, arrays, strict=True):
            assert np.array_equal(weight.numpy(), array), f"{weight.name} of {layer.name}"


@pytest.mark.parametrize("case", **named(WITH_JSON), indirect=True)
def test_definition_is_that_of_the_file(case):
    ours = json.loads(load(case).to_json())
    theirs = for_keras(case.keras_json["config"])  # as it is, but where Keras itself could not read it
    assert differences(ours["config"], theirs) == []


@pytest.mark.parametrize("case", **named(CASES), indirect=True)
def test_definition_round_trip(case):
    model = load(case)
    copy = build_graph(read_definition(model.to_json()).graph)
    copy.set_weights(model.get_weights())
    assert_outputs(case, copy, "y")


@pytest.mark.parametrize("refusal", **named(REFUSALS))
def test_what_keras_refuses(refusal: Refusal, tmp_path):
    path = tmp_path / "model.json"
    path.write_text(json.dumps(refusal.definition))
    with pytest.raises(BigDLError) as raised:
        load_and_predict(path, refusal)
    assert any(name in str(raised.value) for name in refusal.names()), raised.value


def load_and_predict(path: Path, refusal: Refusal) -> None:
    model = Model.load_keras(path, refusal.weights, refusal.by_name)
    if refusal.stage == "predict":
        predict(model, refusal.inputs)
