"""Weights of Keras on Theano, against what the real Keras 1.2.2 computes with them there."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import bigdl
from bigdl import settings
from bigdl.errors import DataError
from bigdl.models import Model
from bigdl.registry.theano import reordered, reordered_rows

GOLDENS = Path(__file__).parents[1] / "goldens_theano"
CASES = sorted(path.stem for path in GOLDENS.glob("*.npz"))
IN_THE_OTHER_ORDERING = sorted(path.stem for path in GOLDENS.glob("*_as_*.json"))
WITHOUT_KERNELS = {"dense", "local2d_tf", "local2d_th", "recurrent"}


def arrays(name: str, key: str) -> list[NDArray[Any]]:
    with np.load(GOLDENS / f"{name}.npz") as file:
        return [file[each] for each in sorted(file.files) if each[0] == key]


def differences(model: Model, inputs: list[NDArray[Any]], expected: list[NDArray[Any]]) -> list[float]:
    """The largest difference of each output, relative to its scale."""
    found = model.predict(inputs if len(inputs) > 1 else inputs[0], batch_size=len(inputs[0]))
    outputs = found if isinstance(found, list) else [found]
    assert [ours.shape for ours in outputs] == [theirs.shape for theirs in expected]
    pairs = zip(outputs, expected, strict=True)
    return [float(np.abs(ours - theirs).max() / max(1, np.abs(theirs).max())) for ours, theirs in pairs]


@pytest.fixture(autouse=True)
def ordering(request):
    if "padded" in request.node.name:
        settings.set_image_dim_ordering("th")


@pytest.mark.parametrize("name", CASES)
def test_with_the_argument_the_outputs_are_theano_s(name):
    model = Model.load_keras(GOLDENS / f"{name}.json", GOLDENS / f"{name}.h5", original_backend="theano")
    assert max(differences(model, arrays(name, "x"), arrays(name, "y"))) <= 1e-5


@pytest.mark.parametrize("name", CASES)
def test_without_it_nothing_is_turned_and_the_log_warns(name, caplog):
    model = Model.load_keras(GOLDENS / f"{name}.json", GOLDENS / f"{name}.h5")
    error = max(differences(model, arrays(name, "x"), arrays(name, "y")))
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    if name in WITHOUT_KERNELS:
        assert error <= 1e-5
        assert warnings == []
    else:
        assert error > 1e-2
        assert len(warnings) == 1
        assert f"{name}.h5" in warnings[0]
        assert "original_backend='theano'" in warnings[0]


def moved(x: NDArray[Any], to: str) -> NDArray[Any]:
    return np.moveaxis(x, -1, 1) if to == "th" else np.moveaxis(x, 1, -1)


@pytest.mark.parametrize("name", IN_THE_OTHER_ORDERING)
def test_weights_of_the_other_ordering(name):
    original, to = name.split("_as_")
    model = Model.load_keras(GOLDENS / f"{name}.json", GOLDENS / f"{original}.h5", original_backend="theano")
    inputs = [moved(x, to) for x in arrays(original, "x")]
    assert max(differences(model, inputs, arrays(original, "y"))) <= 1e-5


@pytest.mark.parametrize("name", ["net_th", "net_tf_as_th"])
def test_by_name(name):
    weights = GOLDENS / f"{name.split('_as_')[0]}.h5"
    expected = Model.load_keras(GOLDENS / f"{name}.json", weights, original_backend="theano")
    model = Model.load_keras(GOLDENS / f"{name}.json", weights, True, original_backend="theano")
    for ours, theirs in zip(model.get_weights(), expected.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)


def test_load_weights_takes_it_too():
    model = Model.load_keras(GOLDENS / "net_th.json")
    model.load_weights(GOLDENS / "net_th.h5", original_backend="theano")
    assert max(differences(model, arrays("net_th", "x"), arrays("net_th", "y"))) <= 1e-5


def test_what_was_turned_is_saved_turned(tmp_path, caplog):
    model = Model.load_keras(GOLDENS / "net_tf.json", GOLDENS / "net_tf.h5", original_backend="theano")
    model.save(tmp_path / "full.h5")
    again = Model.load_keras(tmp_path / "full.h5")
    assert caplog.records == []
    assert max(differences(again, arrays("net_tf", "x"), arrays("net_tf", "y"))) <= 1e-5


def test_the_hint_can_be_silenced(caplog):
    Model.load_keras(GOLDENS / "net_th.json", GOLDENS / "net_th.h5", original_backend="tensorflow")
    assert caplog.records == []


def test_what_is_behind_flatten_and_not_known_is_named(caplog, tmp_path):
    text = (GOLDENS / "net_th_as_tf.json").read_text().replace('"class_name": "Dropout"', '"class_name": "Reshape"')
    path = tmp_path / "model.json"
    path.write_text(text.replace('"p": 0.5', '"target_shape": [-1]'))
    Model.load_keras(path, GOLDENS / "net_th.h5", original_backend="theano")
    assert "Layer 'd' (Reshape)" in caplog.text


def test_a_backend_that_is_none():
    with pytest.raises(DataError, match="'tensorflow' or 'theano'"):
        Model.load_keras(GOLDENS / "dense.json", original_backend="cntk")
    with pytest.raises(DataError, match="'tensorflow' or 'theano'"):
        bigdl.inspect(GOLDENS / "dense.json", original_backend="cntk")


def test_inspection_tells_the_backend_and_what_to_do():
    inspection = bigdl.inspect(GOLDENS / "net_th.json", GOLDENS / "net_th.h5")
    assert (inspection.backend, inspection.loads) == ("theano", True)
    assert "original_backend='theano'" in inspection.notes[-1]
    assert not bigdl.inspect(GOLDENS / "net_th_as_tf.json", GOLDENS / "net_th.h5").loads
    assert bigdl.inspect(GOLDENS / "net_th_as_tf.json", GOLDENS / "net_th.h5", original_backend="theano").loads


def test_reordering_there_and_back():
    kernel = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    last = reordered(kernel, channels_last=True)
    assert last.shape == (4, 5, 3, 2)
    assert last[1, 2, 0, 1] == kernel[1, 0, 1, 2]
    assert np.array_equal(reordered(last, channels_last=False), kernel)


def test_rows_follow_the_image():
    image = np.arange(2 * 3 * 4).reshape(2, 3, 4)  # channels first
    rows = np.arange(24 * 5).reshape(24, 5)
    last = reordered_rows(rows, 0, (3, 4, 2), channels_last=True)
    assert np.array_equal(np.moveaxis(image, 0, -1).reshape(-1) @ last, image.reshape(-1) @ rows)
    assert np.array_equal(reordered_rows(last, 0, (2, 3, 4), channels_last=False), rows)
