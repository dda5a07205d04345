"""What a script of BigDL does to a model beside training it."""

from typing import Any

import numpy as np
import pytest
import torch

from bigdl.errors import TrainingError, UnsupportedLayerError
from bigdl.keras.optimization import OptimConverter
from bigdl.layers import Convolution2D as KerasConvolution2D
from bigdl.models import Model as LoadedModel
from bigdl.nn import criterion
from bigdl.nn.keras.layer import BatchNormalization, Convolution2D, Dense, Flatten, GlobalMaxPooling2D, MaxPooling2D
from bigdl.nn.keras.topology import Sequential
from bigdl.optim.optimizer import Adam, MaxIteration, Optimizer, Top1Accuracy
from bigdl.training import objectives, optimizers
from bigdl.util import common

RNG = np.random.RandomState(0)


def channels_first_net() -> Any:
    model = Sequential(name="net")
    model.add(Convolution2D(4, 3, 3, input_shape=(2, 8, 7), name="conv"))
    model.add(BatchNormalization())
    model.add(MaxPooling2D())
    model.add(Flatten())
    model.add(Dense(3, activation="softmax", name="fc"))
    return model


def test_channels_come_first_as_in_bigdl(tmp_path):
    model = channels_first_net()
    assert model.get_input_shape() == (None, 2, 8, 7)
    assert model.layers[0].output_shape == (None, 4, 6, 5)
    assert model.layers[1].get_config()["axis"] == 1
    assert model.get_output_shape() == (None, 3)
    assert Convolution2D(4, 3, 3, dim_ordering="tf", input_shape=(8, 7, 2)).dim_ordering == "tf"
    assert GlobalMaxPooling2D("tf").dim_ordering == "tf"
    x = RNG.rand(4, 2, 8, 7)
    model.save(tmp_path / "net.bigdl")
    again: Any = LoadedModel.load(tmp_path / "net.bigdl")
    assert type(again.layers[0]) is KerasConvolution2D
    np.testing.assert_array_equal(again.predict(x), model.predict(x))


def test_a_model_of_bigdls_own_api_is_trained():
    model = channels_first_net()
    x, y = RNG.rand(12, 2, 8, 7), RNG.randint(0, 3, 12)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, batch_size=4, nb_epoch=1, validation_data=(x, y), distributed=False)
    assert sorted(history.history) == ["acc", "loss", "val_acc", "val_loss"]
    assert model.predict(x, distributed=False).shape == (12, 3)


def test_gradients_by_hand():
    model: Any = Sequential([Dense(2, input_shape=(3,), name="only")])
    model.training()
    x, gradient = RNG.rand(4, 3).astype("float32"), RNG.rand(4, 2).astype("float32")
    w, b = model.get_weights()
    np.testing.assert_allclose(model.forward(x), x @ w + b, rtol=1e-5)
    model.zero_grad_parameters()
    np.testing.assert_allclose(model.backward(x, gradient), gradient @ w.T, rtol=1e-5)
    model.backward(x, gradient)  # gradients add up
    model.update_parameters(0.1)
    np.testing.assert_allclose(model.get_weights()[0], w - 0.2 * x.T @ gradient, rtol=1e-5)
    np.testing.assert_allclose(model.get_weights()[1], b - 0.2 * gradient.sum(0), rtol=1e-5)
    assert model.is_with_weights()
    assert model.set_name("other").name == "other"
    model.set_seed(7)
    assert torch.initial_seed() == 7
    trained = model.get_weights()
    fresh = model.reset().get_weights()
    assert fresh[1].tolist() == [0, 0]
    assert np.abs(fresh[0] - trained[0]).max() > 0.01


def test_weights_in_a_file_of_their_own(tmp_path):
    model = channels_first_net()
    model.saveModel(tmp_path / "net", tmp_path / "net.weights.h5")
    with pytest.raises(FileExistsError):
        model.saveModel(tmp_path / "net")
    model.saveModel(tmp_path / "net", over_write=True)
    other = channels_first_net()
    other.save_weights(tmp_path / "other.weights.h5")
    again = LoadedModel.loadModel(tmp_path / "net", tmp_path / "other.weights.h5")
    np.testing.assert_array_equal(again.get_weights()[0], other.get_weights()[0])
    assert LoadedModel.loadModel(tmp_path / "net").layers[0].name == "conv"


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("categorical_crossentropy", criterion.CategoricalCrossEntropy),
        ("sparse_categorical_crossentropy", criterion.ClassNLLCriterion),
        ("mse", criterion.MSECriterion),
        ("MAE", criterion.AbsCriterion),
        ("squared_hinge", criterion.MarginCriterion),
        ("kld", criterion.KullbackLeiblerDivergenceCriterion),
    ],
)
def test_criterions_of_objectives(loss, expected):
    assert type(OptimConverter.to_bigdl_criterion(loss)) is expected


@pytest.mark.parametrize("loss", ["mse", "msle", "mape", "hinge", "squared_hinge", "kld", "poisson", "cosine"])
def test_criterions_give_what_objectives_give(loss):
    o, t = (torch.from_numpy(RNG.rand(5, 3) + 0.1) for _ in range(2))
    expected = float(objectives.get(loss)(t, o).mean())
    assert float(OptimConverter.to_bigdl_criterion(loss)(o, t)) == pytest.approx(expected, rel=1e-6)


def test_optim_methods_and_validation_methods():
    method = OptimConverter.to_bigdl_optim_method(optimizers.RMSprop(0.02, rho=0.8))
    assert isinstance(method, optimizers.RMSprop)
    assert [float(method.lr), float(method.rho)] == pytest.approx([0.02, 0.8])
    assert isinstance(OptimConverter.to_bigdl_optim_method(Adam(0.1)), optimizers.Adam)
    (validation,) = OptimConverter.to_bigdl_metrics(["accuracy"])
    assert isinstance(validation, Top1Accuracy)
    model = channels_first_net()
    data = RNG.rand(8, 2, 8, 7), RNG.randint(1, 4, 8)
    found = OptimConverter.to_bigdl_criterion("sparse_categorical_crossentropy")
    Optimizer(model, data, found, MaxIteration(1), 4, method).optimize(verbose=0)
    assert method.iterations == 1


def test_what_bigdl_has_not():
    with pytest.raises(UnsupportedLayerError, match="no criterion for the objective 'mine'"):
        OptimConverter.to_bigdl_criterion("mine")
    with pytest.raises(UnsupportedLayerError, match="no validation method for 'mse'"):
        OptimConverter.to_bigdl_metrics(["mse"])
    with pytest.raises(UnsupportedLayerError):
        OptimConverter.to_bigdl_optim_method("mine")


def test_layers_of_nested_models():
    inner = Sequential([Dense(2, input_shape=(3,), name="a"), Dense(3, name="b")], name="inner")
    model: Any = Sequential([inner, Dense(1, name="c")], name="outer")
    assert [layer.name for layer in model.flattened_layers()] == ["a", "b", "c"]
    assert [layer.name for layer in model.flattened_layers(include_container=True)] == ["inner", "a", "b", "c"]


def test_what_scripts_ask_the_engine():
    common.set_optimizer_version("optimizerV2")
    assert common.get_optimizer_version() == "optimizerV1"
    assert common.get_bigdl_engine_type() == "torch"
    with pytest.raises(TrainingError, match=r"optimizerV1, optimizerV2\. Received: 'V3'"):
        common.set_optimizer_version("V3")
    conf = common.create_spark_conf()
    assert {name: conf.get(name) for name in common.get_bigdl_conf()} == common.get_bigdl_conf()
