"""Writes examples/digits_0_to_4.h5: a CNN that the real Keras 1.2.2 trained on the digits 0 to 4 of MNIST.

The task is that of Keras's mnist_transfer_cnn.py; the layers are smaller. Run with the Python of Keras 1.2.2 and the
path of an npz with MNIST's arrays ``x_train``, ``y_train``, ``x_test``, ``y_test``:

    KERAS_BACKEND=tensorflow $KERAS122_PYTHON tests/goldens/make_digits.py mnist.npz
"""

import os
import sys

import numpy as np
from keras import backend as K
from keras.layers import Convolution2D, Dense, Dropout, Flatten, MaxPooling2D
from keras.models import Sequential
from keras.utils.np_utils import to_categorical

CLASSES = 5


def network():
    """Two convolutions and two dense layers, channels last."""
    return Sequential(
        [
            Convolution2D(8, 3, 3, activation="relu", input_shape=(28, 28, 1), name="conv_1"),
            MaxPooling2D(name="pool_1"),
            Convolution2D(16, 3, 3, activation="relu", name="conv_2"),
            MaxPooling2D(name="pool_2"),
            Dropout(0.25, name="dropout_1"),
            Flatten(name="flatten"),
            Dense(64, activation="relu", name="hidden"),
            Dropout(0.5, name="dropout_2"),
            Dense(CLASSES, activation="softmax", name="digits"),
        ],
        name="digits_0_to_4",
    )


def part(data, name):
    """Images of the first classes from 0 to 1, and their labels."""
    chosen = data["y_" + name].ravel() < CLASSES
    images = data["x_" + name][chosen].reshape(-1, 28, 28, 1).astype("float32") / 255
    return images, data["y_" + name].ravel()[chosen]


if __name__ == "__main__":
    K.set_image_dim_ordering("tf")
    np.random.seed(1337)  # noqa: NPY002 - Keras's generator
    arrays = np.load(sys.argv[1])
    x, y = part(arrays, "train")
    x_test, y_test = part(arrays, "test")
    model = network()
    model.compile("adadelta", "categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, to_categorical(y, CLASSES), batch_size=128, nb_epoch=5, verbose=2)
    print("accuracy on the digits 0 to 4: %.4f" % model.evaluate(x_test, to_categorical(y_test, CLASSES), verbose=0)[1])
    here = os.path.dirname(os.path.abspath(__file__))
    model.save(os.path.join(here, "..", "..", "examples", "digits_0_to_4.h5"))
