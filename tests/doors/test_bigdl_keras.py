"""BigDL's doors ``bigdl.keras.converter``, ``bigdl.keras.backend`` and ``bigdl.nn.keras``."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bigdl.errors import DataError, TrainingError, UnsupportedLayerError, WeightMismatchError
from bigdl.keras.backend import with_bigdl_backend
from bigdl.keras.converter import DefinitionLoader, LayerConverter, WeightLoader, WeightsConverter, register_layer
from bigdl.layers import Dense as OwnDense
from bigdl.models import Model as OwnModel
from bigdl.nn.keras.layer import Dense, Dropout, Input
from bigdl.nn.keras.topology import Model, Sequential
from bigdl.registry import classes

DATA = Path(__file__).parents[1] / "formats" / "data" / "1.2.2"
JSON, WEIGHTS, FULL = DATA / "sequence.json", DATA / "sequence.h5", DATA / "trained.h5"


@pytest.fixture(autouse=True)
def own_entries(monkeypatch):
    """Takes back what a test registers."""
    monkeypatch.setattr(classes, "_entries", dict(classes._entries))


class SGD:
    """An optimizer of another Keras."""

    def get_config(self) -> dict[str, Any]:
        return {"lr": 0.5, "momentum": 0.0, "decay": 0.0, "nesterov": False}


def mean_squared_error(y_true, y_pred):
    raise AssertionError("another Keras's functions are known by name only")


class KerasModel:
    """A model of another Keras: a definition and arrays."""

    name = "other"

    def __init__(self, model: Any, **compiled: Any) -> None:
        self.model = model
        vars(self).update(compiled)

    def to_json(self):
        return self.model.to_json()

    def get_weights(self) -> Any:
        return self.model.get_weights()


def small() -> Any:
    return Sequential([Dense(3, input_dim=2), Dropout(0.5), Dense(1)])


def assert_same_weights(model: Any, other: Any) -> None:
    for array, expected in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(array, expected)


def test_definitions():
    kmodel, bmodel = DefinitionLoader.from_json_path(JSON)
    assert kmodel is bmodel
    assert DefinitionLoader.from_json_str(JSON.read_text())[1].to_json() == bmodel.to_json()
    copy = DefinitionLoader.from_kmodel(KerasModel(bmodel))
    assert copy is not bmodel
    assert copy.to_json() == bmodel.to_json()


def test_a_full_save_comes_with_its_weights():
    _, bmodel = DefinitionLoader.from_hdf5_path(FULL)
    assert_same_weights(bmodel, OwnModel.load_keras(FULL))


def test_weights():
    expected = OwnModel.load_keras(JSON, WEIGHTS)
    assert_same_weights(WeightLoader.load_weights_from_json_hdf5(JSON, WEIGHTS), expected)
    for by_name in (False, True):
        kmodel, bmodel = DefinitionLoader.from_json_path(JSON)
        WeightLoader.load_weights_from_hdf5(bmodel, kmodel, WEIGHTS, by_name)
        assert_same_weights(bmodel, expected)
    for other in (expected, KerasModel(expected)):
        bmodel = DefinitionLoader.from_kmodel(other)
        WeightLoader.load_weights_from_kmodel(bmodel, other)
        assert_same_weights(bmodel, expected)


def test_weights_of_theano():
    kernel, bias, *_ = OwnModel.load_keras(JSON, WEIGHTS).get_weights()
    _, bmodel = DefinitionLoader.from_json_path(JSON)
    kmodel = KerasModel(OwnModel.load_keras(JSON, WEIGHTS))
    WeightLoader.load_weights_from_kmodel(bmodel, kmodel, original_backend="theano")
    np.testing.assert_array_equal(bmodel.get_weights()[0], kernel[::-1])
    np.testing.assert_array_equal(bmodel.get_weights()[1], bias)


def test_weights_of_another_model():
    bmodel = small()
    with pytest.raises(WeightMismatchError, match="the Keras model 'other'"):
        WeightLoader.load_weights_from_kmodel(bmodel, KerasModel(Sequential([Dense(3, input_dim=2)])))
    with pytest.raises(DataError, match=r"with to_json\(\)\. Received: int"):
        DefinitionLoader.from_kmodel(3)


class FullyConnected:
    """A user's layer of another Keras: the bias first, the kernel turned."""

    def get_config(self) -> dict[str, Any]:
        return {"name": "fc", "units": 3, "features": 2}

    def get_weights(self) -> Any:
        return [np.arange(3.0), np.arange(6.0).reshape(3, 2)]


def test_layers_and_their_weights_as_registered():
    def make(config):
        return Dense(config["units"], input_dim=config["features"])

    def turned(layer, arrays):
        bias, kernel = (array.read() for array in arrays)
        return [kernel.T, bias]

    register_layer("FullyConnected", make, turned)
    klayer = FullyConnected()
    layer = LayerConverter(klayer).create()
    assert isinstance(layer, OwnDense)
    assert (layer.name, layer.output_dim) == ("fc", 3)
    kernel, bias = WeightsConverter.get_bigdl_weights_from_klayer(klayer)
    np.testing.assert_array_equal(kernel, [[0, 2, 4], [1, 3, 5]])
    np.testing.assert_array_equal(bias, [0, 1, 2])
    converted = WeightsConverter.get_converter("FullyConnected")(layer, klayer.get_weights())
    np.testing.assert_array_equal(converted[0], kernel)


def test_layers_that_need_no_converter():
    description = {"class_name": "Dense", "config": {"name": "d", "output_dim": 4, "input_dim": 2}}
    layer = LayerConverter(None, description).create()
    arrays = [np.ones((2, 4)), np.ones(4)]
    assert WeightsConverter.to_bigdl_weights(layer, arrays) == arrays
    with pytest.raises(UnsupportedLayerError, match="FullyConnected"):
        LayerConverter(FullyConnected()).create()
    model = small()
    for array, expected in zip(WeightsConverter.get_weights_from_kmodel(model), model.get_weights(), strict=True):
        np.testing.assert_array_equal(array, expected)


def test_training_a_model_of_another_keras():
    x, y = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0], [2.0]])
    model = Sequential([Dense(1, input_dim=2)])
    kmodel = KerasModel(model, optimizer=SGD(), loss=mean_squared_error, metrics=["mae"])
    wrapper = with_bigdl_backend(kmodel)
    kernel, bias = model.get_weights()
    error = x @ kernel + bias - y
    np.testing.assert_allclose(wrapper.predict(x), x @ kernel + bias, rtol=1e-6)
    np.testing.assert_allclose(wrapper.evaluate(x, y), [abs(error).mean()], rtol=1e-6)
    wrapper.fit(x, y, batch_size=2, nb_epoch=1, verbose=0)
    np.testing.assert_allclose(wrapper.bmodel.get_weights()[0], kernel - 0.5 * x.T @ error, rtol=1e-5)
    np.testing.assert_array_equal(model.get_weights()[0], kernel)


def test_a_model_of_this_library_is_used_as_it_is():
    model = small()
    model.compile("sgd", "mse")
    wrapper = with_bigdl_backend(model)
    assert wrapper.bmodel is model
    with pytest.raises(TrainingError, match="metrics="):
        wrapper.evaluate(np.ones((2, 2)), np.ones((2, 1)))


def test_a_model_that_is_not_compiled_predicts_only():
    model = small()
    wrapper = with_bigdl_backend(KerasModel(model, optimizer=None, loss=None))
    x = np.ones((2, 2))
    np.testing.assert_array_equal(wrapper.predict(x, batch_size=1, verbose=0), model.predict(x))
    with pytest.raises(TrainingError, match="must be compiled"):
        wrapper.fit(x, np.ones((2, 1)))


def test_the_keras_style_api():
    x = Input(shape=(2,))
    model = Model(input=x, output=Dense(3, activation="relu")(x))
    assert model.predict(np.ones((4, 2))).shape == (4, 3)
    assert isinstance(Dense(2), OwnDense)
