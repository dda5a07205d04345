"""Layers, an initialization, a penalty and a loss of the user's own, as the documentation of Keras 1.2.2 shows them."""

import numpy as np
from keras import activations, initializations, regularizers
from keras import backend as K
from keras.engine.topology import InputSpec, Layer
from keras.layers import Activation, Dense, Input, Masking, TimeDistributed
from keras.models import Model, Sequential, model_from_json
from keras.regularizers import Regularizer


class MyLayer(Layer):
    def __init__(self, output_dim, **kwargs):
        self.output_dim = output_dim
        super().__init__(**kwargs)

    def build(self, input_shape):
        self.W = self.add_weight(
            shape=(input_shape[1], self.output_dim), initializer="uniform", trainable=True, name=f"{self.name}_W"
        )
        super().build(input_shape)

    def call(self, x, mask=None):
        return K.dot(x, self.W)

    def get_output_shape_for(self, input_shape):
        return (input_shape[0], self.output_dim)

    def get_config(self):
        return dict(list(super().get_config().items()) + [("output_dim", self.output_dim)])


class OldStyle(Layer):
    def __init__(self, output_dim, init="glorot_uniform", activation="linear", weights=None, **kwargs):
        self.output_dim = output_dim
        self.init = initializations.get(init)
        self.activation = activations.get(activation)
        self.activity_regularizer = regularizers.get(None)
        self.initial_weights = weights
        self.input_spec = [InputSpec(ndim=2)]
        super().__init__(**kwargs)

    def build(self, input_shape):
        self.W = self.init((input_shape[-1], self.output_dim), name=f"{self.name}_W")
        self.b = K.zeros((self.output_dim,), name=f"{self.name}_b")
        self.trainable_weights = [self.W, self.b]
        if self.initial_weights is not None:
            self.set_weights(self.initial_weights)
            del self.initial_weights
        self.built = True

    def call(self, x, mask=None):
        return self.activation(K.dot(x, self.W) + self.b)

    def get_output_shape_for(self, input_shape):
        return (input_shape[0], self.output_dim)


class MeanOverTime(Layer):
    def __init__(self, **kwargs):
        self.supports_masking = True
        super().__init__(**kwargs)

    def call(self, x, mask=None):
        if mask is None:
            return K.mean(x, axis=1)
        mask = K.cast(mask, "float32")
        return K.sum(x * K.expand_dims(mask), axis=1) / K.expand_dims(K.sum(mask, axis=1))

    def compute_mask(self, x, input_mask=None):
        return None

    def get_output_shape_for(self, input_shape):
        return (input_shape[0], input_shape[2])


class Doubled(Layer):
    """Doubles its input in training."""

    def __init__(self, **kwargs):
        self.uses_learning_phase = True
        super().__init__(**kwargs)

    def call(self, x, mask=None):
        return K.in_train_phase(x * 2, x)


class Halved(Activation):
    def call(self, x, mask=None):
        return super().call(x) / 2


class Own(Regularizer):
    def __call__(self, x):
        return 0.01 * K.sum(K.abs(x))


def my_init(shape, name=None):
    return initializations.normal(shape, scale=0.01, name=name)


def my_loss(y_true, y_pred):
    return K.mean(K.square(y_pred - y_true), axis=-1)


def my_metric(y_true, y_pred):
    return {"mean": K.mean(y_pred), "largest": K.max(y_pred)}


np.random.seed(3)
X, Y = np.random.random((50, 6)), np.random.random((50, 2))
model = Sequential(
    [
        MyLayer(5, input_shape=(6,)),
        OldStyle(4, activation="tanh"),
        Halved("linear"),
        Dense(2, init=my_init, W_regularizer=Own()),
    ]
)
model.compile("rmsprop", my_loss, metrics=[my_metric])
assert model.metrics_names == ["loss", "mean", "largest"]
losses = model.fit(X, Y, nb_epoch=30, verbose=0).history["loss"]
assert losses[-1] < losses[0]

objects = {"MyLayer": MyLayer, "OldStyle": OldStyle, "Halved": Halved, "my_init": my_init, "Own": Own}
first = Sequential([MyLayer(5, input_shape=(6,))])
twin = model_from_json(first.to_json(), custom_objects=objects)
twin.set_weights(first.get_weights())
assert np.array_equal(twin.predict(X), first.predict(X))

steps = np.random.random((4, 3, 2)).astype("float32")
steps[0, 1:] = 0
x = Input(shape=(3, 2))
mean = Model(x, MeanOverTime()(Masking()(x)))
assert np.allclose(mean.predict(steps)[0], steps[0, 0])
assert np.allclose(mean.predict(steps)[1:], steps[1:].mean(1))
phases = Model(x, Doubled()(x))
assert np.allclose(phases.predict(steps), steps)
assert np.allclose(K.function([x, K.learning_phase()], [phases.output])([steps, 1])[0], 2 * steps)
timed = Model(x, TimeDistributed(MyLayer(3))(x))
assert timed.predict(steps).shape == (4, 3, 3)
