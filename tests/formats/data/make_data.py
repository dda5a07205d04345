"""Makes the files beside this script with a real Keras, in a folder named after its version.

Run by a Python that has Keras 1.2.2, with another version's source folder first on PYTHONPATH for that version:

    KERAS_BACKEND=theano PYTHONPATH=Keras-1.0.8 $KERAS122_PYTHON -W ignore make_data.py
    KERAS_BACKEND=tensorflow $KERAS122_PYTHON -W ignore make_data.py
"""

# mypy: ignore-errors
import pathlib

import keras
import numpy as np
from keras.constraints import maxnorm
from keras.layers.convolutional import Convolution1D
from keras.layers.core import Activation, Dense, Dropout, Flatten, Merge, TimeDistributedDense
from keras.layers.normalization import BatchNormalization
from keras.layers.recurrent import LSTM
from keras.models import Sequential
from keras.regularizers import activity_l1, l2

HERE = pathlib.Path(__file__).parent / keras.__version__
OLDEST = keras.__version__.startswith("0")
KERAS_122 = keras.__version__ == "1.2.2"


def save(model, name, yaml=False):
    (HERE / (name + ".json")).write_text(model.to_json())
    if yaml:
        (HERE / (name + ".yaml")).write_text(model.to_yaml())
    model.save_weights(str(HERE / (name + ".h5")), overwrite=True)


def legacy_merge():
    left, right, model = Sequential(), Sequential(), Sequential()
    left.add(Dense(3, input_dim=4, W_regularizer=l2(0.01), W_constraint=maxnorm(2)))
    right.add(Dense(3, input_dim=4, activity_regularizer=activity_l1(0.1)))
    model.add(Merge([left, right], mode="concat"))
    model.add(BatchNormalization())
    model.add(Dropout(0.5))
    model.add(Dense(2, activation="softmax"))
    return model


def sequence():
    model = Sequential()
    model.add(Convolution1D(3, 2, input_shape=(6, 4)))
    model.add(LSTM(3, return_sequences=True))
    model.add(TimeDistributedDense(2))
    model.add(Activation("relu"))
    model.add(Flatten())
    return model


def shared():
    """A layer applied to its own output, and a wrapper."""
    from keras.layers import Input, RepeatVector, TimeDistributed, merge
    from keras.models import Model

    x = Input(shape=(4,))
    dense = Dense(4)
    y = merge([dense(x), dense(dense(x))], mode="sum")
    return Model(input=[x], output=[y, TimeDistributed(Dense(2))(RepeatVector(3)(y))])


def nested():
    """Models in models: in a functional one, in a Sequential, in a wrapper."""
    from keras.layers import Input, RepeatVector, TimeDistributed
    from keras.models import Model

    a, b = Input(shape=(4,)), Input(shape=(4,))
    inner = Model(input=[a, b], output=[Dense(3)(a), Dense(2)(b)])
    block = Sequential([Dense(4, input_dim=3), Sequential([Dense(4, input_dim=4), Activation("tanh")])])
    x = Input(shape=(4,))
    left, right = inner([x, x])
    steps = TimeDistributed(Sequential([Dense(2, input_dim=4), Activation("relu")]))(RepeatVector(3)(block(left)))
    return Model(input=x, output=[steps, right])


def trained():
    model = Sequential([Dense(3, input_dim=4, name="a/b"), Activation("tanh"), Dense(2)])
    model.compile("adam", "mse", metrics=["accuracy"])
    model.train_on_batch(np.ones((2, 4)), np.ones((2, 2)))
    return model


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    save(legacy_merge(), "legacy_merge", yaml=True)
    save(sequence(), "sequence")
    if not OLDEST and keras.__version__ != "1.0.0":  # 1.0.0 cannot apply a layer to its own output
        save(shared(), "shared")
    if KERAS_122:
        save(nested(), "nested")
        trained().save(str(HERE / "trained.h5"))
