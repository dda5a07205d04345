"""The dim_ordering of layers whose files lack it: the argument, the layers around, what fits, keras.json."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bigdl
from bigdl import settings
from bigdl.errors import LayerError
from bigdl.formats import read_architecture
from bigdl.formats.dim_ordering import infer_orderings, unordered_layers
from bigdl.models import Model
from tests.golden_cases import CASES, Case

TH = [case for case in CASES if case.ordering == "th" and unordered_layers(read_architecture(case.definition).graph)]
SHOWN = [case for case in TH if not unordered_layers(infer_orderings(read_architecture(case.definition).graph))]
OPEN = [case for case in TH if case not in SHOWN]


def named(cases: list[Case]) -> dict[str, Any]:
    return {"argvalues": cases, "ids": [case.name for case in cases]}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder of its own, and a process in which nobody has set an ordering."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(settings._settings, "image_dim_ordering", None)
    settings._configured_dim_ordering.cache_clear()
    yield tmp_path
    settings._configured_dim_ordering.cache_clear()


def write_keras_json(home: Path, text: str) -> None:
    (home / ".keras").mkdir()
    (home / ".keras" / "keras.json").write_text(text)


def assert_keras_s_outputs(case: Case, model: Model) -> None:
    inputs, expected = case.arrays("x"), case.arrays("y")
    outputs = model.predict(inputs if len(inputs) > 1 else inputs[0], batch_size=len(inputs[0]))
    for ours, theirs in zip(outputs if isinstance(outputs, list) else [outputs], expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5 * max(1, np.abs(theirs).max()))


@pytest.mark.parametrize("case", **named(SHOWN))
def test_the_layers_around_show_it(case: Case, caplog):
    caplog.set_level(logging.INFO, "bigdl")
    assert_keras_s_outputs(case, Model.load_keras(case.definition, case.weights))
    assert "Taken: that of the layers around." in caplog.text


@pytest.mark.parametrize("case", **named(TH))
def test_the_argument(case: Case, caplog):
    caplog.set_level(logging.INFO, "bigdl")
    assert_keras_s_outputs(case, Model.load_keras(case.definition, case.weights, dim_ordering="th"))
    assert "Taken: 'th', as asked for." in caplog.text


@pytest.mark.parametrize("case", **named(OPEN))
def test_keras_json(case: Case, home, caplog):
    write_keras_json(home, '{"image_dim_ordering": "th", "floatx": "float32"}')
    caplog.set_level(logging.INFO, "bigdl")
    assert_keras_s_outputs(case, Model.load_keras(case.definition, case.weights))
    assert "Taken: 'th', " in caplog.text


@pytest.mark.parametrize(
    "text", [None, "{}", '{"image_dim_ordering": "tf"}', "not JSON", "[1]", '{"image_dim_ordering": 1}']
)
def test_without_a_word_in_keras_json_it_is_tf(text, home):
    if text is not None:
        write_keras_json(home, text)
    assert settings.image_dim_ordering() == "tf"


def test_what_was_set_wins_over_keras_json(home):
    write_keras_json(home, '{"image_dim_ordering": "th"}')
    assert settings.image_dim_ordering() == "th"
    settings.set_image_dim_ordering("tf")
    assert settings.image_dim_ordering() == "tf"


def model_of(tmp_path: Path, *layers: tuple[str, dict[str, Any]]) -> Path:
    path = tmp_path / "model.json"
    config = [{"class_name": name, "config": config} for name, config in layers]
    path.write_text(json.dumps({"class_name": "Sequential", "config": config}))
    return path


PAD = ("ZeroPadding2D", {"name": "pad", "padding": [1, 1], "batch_input_shape": [None, 3, 5, 6]})
DENSE = ("Dense", {"name": "dense", "output_dim": 2})


def test_only_one_ordering_fits_the_layers(tmp_path, caplog):
    caplog.set_level(logging.INFO, "bigdl")
    path = model_of(tmp_path, PAD, ("Reshape", {"name": "r", "target_shape": [3, 56]}))
    model = Model.load_keras(path)
    assert model.output_shape == (None, 3, 56)  # 3 x (5 + 2) x (6 + 2), which channels last has not
    assert "would not fit" in caplog.text


def test_only_one_ordering_fits_the_weights(tmp_path):
    path = model_of(tmp_path, PAD, ("Flatten", {"name": "f"}), DENSE)
    weights = tmp_path / "weights.h5"
    Model.load_keras(path, dim_ordering="th").save_weights(weights)
    assert Model.load_keras(path).layers[0].dim_ordering == "tf"
    assert Model.load_keras(path, weights).layers[0].dim_ordering == "th"


def test_the_kernels_show_it_where_even_convolutions_lack_it(tmp_path):
    config = {"name": "c", "nb_filter": 4, "nb_row": 3, "nb_col": 3, "batch_input_shape": [None, 3, 8, 9]}
    path = model_of(tmp_path, ("Convolution2D", config))
    weights = tmp_path / "weights.h5"
    Model.load_keras(path, dim_ordering="th").save_weights(weights)
    assert Model.load_keras(path, weights).output_shape == (None, 4, 6, 7)


def test_what_a_layer_says_of_itself_stays(tmp_path):
    pool = ("MaxPooling2D", {"name": "pool", "dim_ordering": "tf"})
    model = Model.load_keras(model_of(tmp_path, PAD, pool), dim_ordering="th")
    assert [layer.dim_ordering for layer in model.layers] == ["th", "tf"]


def test_an_ordering_that_is_none(tmp_path):
    with pytest.raises(LayerError, match="'tf', 'th'"):
        Model.load_keras(model_of(tmp_path, PAD), dim_ordering="channels_first")


def test_inspection_says_what_was_taken(tmp_path):
    inspection = bigdl.inspect(model_of(tmp_path, PAD), dim_ordering="th")
    assert inspection.layers[0].output_shapes == ((None, 3, 7, 8),)
    assert any("'th', as asked for" in note for note in inspection.notes)
    assert "Note: " in str(inspection)
