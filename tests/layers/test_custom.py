"""Layers written for Keras 1.2.2: weights, masks, losses, updates."""

import copy
import json
from typing import Any

import numpy as np
import pytest
import torch

from bigdl.errors import LayerError
from bigdl.graph import Input
from bigdl.keras import backend as K
from bigdl.keras import initializations
from bigdl.keras.constraints import Constraint
from bigdl.layers import Dense, Dropout, Embedding, Lambda, Masking
from bigdl.layers.custom import InputSpec, KerasLayer
from bigdl.models import Model, Sequential
from bigdl.models.definitions import model_from_json

RNG = np.random.default_rng(0)
X = RNG.random((12, 3)).astype("float32")


class Scale(KerasLayer):
    """Multiplies by weights; counts its calls in training."""

    def build(self, input_shape):
        self.factor = self.add_weight((input_shape[-1],), "one", name=f"{self.name}_W")
        self.calls = self.add_weight((1,), "zero", name=f"{self.name}_n", trainable=False)
        super().build(input_shape)

    def call(self, x, mask=None):
        self.add_update([(self.calls, self.calls + 1)], x)
        return x * self.factor


def test_weights_have_names_places_and_kinds():
    model = Sequential([Scale(input_shape=(3,))])
    layer = model.layers[0]
    assert [weight.name for weight in layer.weights] == ["W", "n"]
    assert list(model.state_dict()) == [f"{layer.name}.factor", f"{layer.name}.calls"]
    assert layer.factor.requires_grad
    assert not layer.calls.requires_grad
    layer.set_weights([np.arange(3.0), np.zeros(1)])
    np.testing.assert_allclose(model.predict(X), X * np.arange(3.0))


def test_updates_are_for_training():
    model = Sequential([Scale(input_shape=(3,))])
    model.compile("sgd", "mse")
    model.predict(X)
    assert model.get_weights()[1].tolist() == [0.0]
    model.fit(X, X, batch_size=4, nb_epoch=2, verbose=0)
    assert model.get_weights()[1].tolist() == [6.0]


def test_backend_updates_are_for_training():
    class Mean(KerasLayer):
        def build(self, input_shape):
            self.mean = K.zeros((3,))
            self.non_trainable_weights = [self.mean]

        def call(self, x, mask=None):
            K.moving_average_update(self.mean, K.mean(x, axis=0), 0.5)
            return x + 0 * self.mean

    model = Sequential([Mean(input_shape=(3,)), Dense(1)])
    model.compile("sgd", "mse")
    model.predict(X)
    assert model.get_weights()[0].tolist() == [0.0, 0.0, 0.0]
    model.train_on_batch(X, X[:, :1])
    np.testing.assert_allclose(model.get_weights()[0], X.mean(0) / 2, rtol=1e-6)


def test_losses_of_a_call_count_once():
    class Pay(KerasLayer):
        def call(self, x, mask=None):
            self.add_loss(K.sum(K.square(x)))
            return x

    paying, plain = Sequential([Pay(input_shape=(3,)), Dense(1)]), Sequential([Dense(1, input_dim=3)])
    plain.set_weights(paying.get_weights())
    for model in (paying, plain):
        model.compile("sgd", "mse")
    paying.predict(X)
    difference = paying.evaluate(X, X[:, :1], batch_size=12, verbose=0) - plain.evaluate(X, X[:, :1], verbose=0)
    assert difference == pytest.approx((X**2).sum(), rel=1e-5)


def test_losses_belong_into_call():
    class Early(KerasLayer):
        def build(self, input_shape):
            self.add_loss(K.zeros((1,)))

    with pytest.raises(LayerError, match="add_loss belongs into call"):
        Early(input_shape=(3,))(Input(shape=(3,)))


def test_constraints_by_tensor():
    class Unit(Constraint):
        def __call__(self, p):
            return K.clip(p, 0.0, 1.0)

    class Held(KerasLayer):
        def build(self, input_shape):
            self.W = K.variable(np.full(3, 0.9))
            self.trainable_weights = [self.W]
            self.constraints = {self.W: Unit()}

        def call(self, x, mask=None):
            return x * self.W

    model = Sequential([Held(input_shape=(3,))])
    model.compile("sgd", "mse")
    model.fit(X, X * 100, nb_epoch=3, verbose=0)
    assert model.get_weights()[0].tolist() == [1.0, 1.0, 1.0]


def test_a_tensor_becomes_the_parameter_itself():
    class Own(KerasLayer):
        def build(self, input_shape):
            self.W = K.ones((3,))
            self.same = [self.W]
            self.trainable_weights = [self.W]

        def call(self, x, mask=None):
            return x * self.same[0]

    model = Sequential([Own(input_shape=(3,))])
    model.compile("sgd", "mse")
    model.fit(X, X * 3, nb_epoch=1, verbose=0)
    layer: Any = model.layers[0]
    assert layer.W is layer.same[0]
    assert (layer.W > 1).all()
    twin = copy.deepcopy(model)
    np.testing.assert_array_equal(twin.predict(X), model.predict(X))


def test_layers_inside_that_are_set_early():
    class Twice(KerasLayer):
        def __init__(self, layer, **kwargs):
            self.layer = layer
            super().__init__(**kwargs)

        def build(self, input_shape):
            self.layer.build(input_shape)
            self.trainable_weights = self.layer.trainable_weights

        def call(self, x, mask=None):
            return self.layer(x) * 2

        def get_output_shape_for(self, input_shape):
            return self.layer.get_output_shape_for(input_shape)

    dense = Dense(2)
    model = Sequential([Twice(dense, input_shape=(3,))])
    assert [weight.shape for weight in model.trainable_weights] == [(3, 2), (2,)]
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(model.predict(X), 2 * (X @ kernel + bias), rtol=1e-5)


def test_subclasses_of_other_layers():
    class Halved(Dense):
        def call(self, x, mask=None):
            return super().call(x) / 2

    class Noisy(Dropout):
        def call(self, x, mask=None):
            return K.in_train_phase(lambda: super(Noisy, self).call(x), x + 1)

    model = Sequential([Halved(2, input_dim=3), Noisy(0.5)])
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(model.predict(X), (X @ kernel + bias) / 2 + 1, rtol=1e-5)


def test_masks_are_found_out_before_data_flows():
    class First(KerasLayer):
        def call(self, x, mask=None):
            return x if mask is None else x * K.expand_dims(K.cast(mask, "float32"))

        def compute_mask(self, x, input_mask=None):
            return None if input_mask is None else input_mask[:, :1]

    class Blind(KerasLayer):
        pass

    class Passing(KerasLayer):
        supports_masking = True

    words = Embedding(4, 2, mask_zero=True)(Input(shape=(3,), dtype="int32"))
    assert First()(words).mask == "bool"
    assert Passing()(words).mask == "bool"
    assert First()(Input(shape=(3, 2))).mask is None
    assert First()(Masking()(Input(shape=(3, 2)))).mask == "uint8"
    with pytest.raises(LayerError, match="does not support masking"):
        Blind()(words)


def test_input_specs():
    class Strict(KerasLayer):
        def __init__(self, spec, **kwargs):
            self.input_spec = [spec]
            super().__init__(**kwargs)

    Strict(InputSpec(ndim="2+"))(Input(shape=(3, 4)))
    Strict(InputSpec(shape=(None, 3)))(Input(shape=(3,)))
    with pytest.raises(LayerError, match="rank 3"):
        Strict(InputSpec(ndim=3))(Input(shape=(3,)))
    with pytest.raises(LayerError, match="shape"):
        Strict(InputSpec(shape=(None, 4)))(Input(shape=(3,)))


def test_every_layer_is_one_of_keras():
    assert isinstance(Dense(1), KerasLayer)
    assert issubclass(Dense, KerasLayer)
    assert not isinstance(Dense(1), Scale)


def test_definitions_and_weights(tmp_path):
    model = Sequential([Scale(input_shape=(3,), name="mine")])
    model.set_weights([np.arange(3.0), np.ones(1)])
    model.save_weights(tmp_path / "w.h5")
    twin = model_from_json(model.to_json(), {"Scale": Scale})
    twin.load_weights(tmp_path / "w.h5", by_name=True)
    np.testing.assert_array_equal(twin.predict(X), model.predict(X))
    assert json.loads(model.to_json())["config"][0]["class_name"] == "Scale"


def test_functions_survive_a_copy_by_configuration():
    x = Input(shape=(3,))
    model = Model(x, Lambda(lambda x: x * 2, output_shape=lambda shape: shape)(x))
    np.testing.assert_allclose(Model.from_config(model.get_config()).predict(X), 2 * X)
    with pytest.raises(ValueError, match="<lambda>"):
        model_from_json(model.to_json())


def test_a_layer_on_torch_tensors_builds_itself():
    layer = Dense(2)
    assert layer(torch.zeros(5, 3)).shape == (5, 2)
    assert layer.W.shape == (3, 2)
    layer = Dense(2)
    layer.build((None, 3))
    assert layer(torch.zeros(5, 3)).shape == (5, 2)
    assert len(layer.weights) == 2


def test_a_layer_asks_for_an_initialization_and_names_it():
    class Own(KerasLayer):
        def __init__(self, init="uniform", **kwargs):
            self.init: Any = initializations.get(init)
            super().__init__(**kwargs)

        def build(self, input_shape):
            self.w = self.init((input_shape[-1], 2), scale=0.0, name=f"{self.name}_w")
            self.trainable_weights = [self.w]
            super().build(input_shape)

        def get_config(self):
            return {**super().get_config(), "init": self.init.__name__}

    layer = Own(input_shape=(3,))
    model = Sequential([layer])
    assert layer.get_config()["init"] == "uniform"
    assert not model.get_weights()[0].any()
    unknown: Any = initializations.get("unheard_of")
    assert unknown.__name__ == "unheard_of"
