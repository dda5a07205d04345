"""Makes the files beside this script with a real Keras up to 1.0.6, whose running_std is a standard deviation.

KERAS_BACKEND=theano PYTHONPATH=Keras-1.0.6 $KERAS122_PYTHON -W ignore make_files.py
"""

# mypy: ignore-errors
import pathlib

import keras
import numpy as np
from keras.layers.core import Dense
from keras.layers.normalization import BatchNormalization
from keras.models import Sequential, model_from_json

HERE = pathlib.Path(__file__).resolve().parent


def sequential():
    model = Sequential()
    model.add(Dense(3, input_dim=4))
    model.add(BatchNormalization(epsilon=0.01))
    model.add(Dense(2))
    return model


def functional():
    from keras.layers import Input
    from keras.models import Model

    x = Input(shape=(4,))
    return Model(input=x, output=Dense(2)(BatchNormalization(epsilon=0.01)(Dense(3)(x))))


if __name__ == "__main__":
    random = np.random.RandomState(5)
    path = str(HERE / keras.__version__)
    model = functional() if keras.__version__ == "1.0.6" else sequential()  # 1.0.6 writes its version for Model only
    for layer in model.layers:
        weights = [random.normal(size=w.shape) for w in layer.get_weights()]
        if isinstance(layer, BatchNormalization):
            weights[3] = random.uniform(0.5, 2.0, weights[3].shape)
        layer.set_weights(weights)
    pathlib.Path(path + ".json").write_text(model.to_json())
    model.save_weights(path + ".h5", overwrite=True)
    again = model_from_json(pathlib.Path(path + ".json").read_text())
    again.load_weights(path + ".h5")
    again.compile("sgd", "mse")
    x = random.normal(size=(5, 4)).astype("float32")
    np.savez(path + ".npz", x=x, y=again.predict(x))
