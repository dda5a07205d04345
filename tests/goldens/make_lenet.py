"""Writes examples/lenet.json: the CNN of Keras 1.2.2's examples/mnist_cnn.py, as the real Keras 1.2.2 saves it.

Run with the Python of Keras 1.2.2: ``KERAS_BACKEND=tensorflow $KERAS122_PYTHON tests/goldens/make_lenet.py``.
"""

import os

from keras import backend as K
from keras.layers import Activation, Convolution2D, Dense, Dropout, Flatten, MaxPooling2D
from keras.models import Sequential


def lenet(rows=28, filters=32, units=128):
    """The layers of mnist_cnn.py, channels last."""
    return Sequential(
        [
            Convolution2D(filters, 3, 3, border_mode="valid", input_shape=(rows, rows, 1)),
            Activation("relu"),
            Convolution2D(filters, 3, 3),
            Activation("relu"),
            MaxPooling2D(pool_size=(2, 2)),
            Dropout(0.25),
            Flatten(),
            Dense(units),
            Activation("relu"),
            Dropout(0.5),
            Dense(10),
            Activation("softmax"),
        ]
    )


if __name__ == "__main__":
    K.set_image_dim_ordering("tf")
    here = os.path.dirname(os.path.abspath(__file__))
    target = os.path.join(here, "..", "..", "examples", "lenet.json")
    with open(target, "w") as file:
        file.write(lenet().to_json(indent=1) + "\n")
